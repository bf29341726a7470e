import Linux
import Sandboxing
import Wire

/// `thaw-jail packages ZIP FOLDER`: brings a bundle what its `requirements.txt` names, by pip, and ends.
///
/// pip runs programs of whoever wrote a package, so that it has a jail as code functions have, with a way out and no function in
/// it. It is started with these descriptors open and nothing else:
///
/// ```
/// 2  the log, of which the author reads the end     4  the result, an empty file to write a tar archive into
/// 3  the bundle, a tar file to read                 5  the system call filter of the program, as the kernel takes it
/// ```
enum PackageInstall {
    static let argument = "packages"
    /// Addresses that stay closed, in hexadecimal, with commas between.
    static let closedVariable = "THAW_CLOSED"
    private static let runtimeVariable = "THAW_RUNTIME"
    private static let filterBytesMax = 4096 * 8
    /// As much as pip may have written down at once: its downloads, what it builds, and the packages.
    private static let tmpBytesMax: UInt64 = 4 << 30
    /// Long enough for pasta to attach; without a way out pip finds what lies in the bundle.
    private static let attachMilliseconds = 3000

    /// Runs pip; its exit status is this process's.
    static func run(_ arguments: [String]) -> Never {
        do {
            CurrentProcess.exit(NestedProcess.waitUntilEnded(try start(arguments)))
        } catch {
            let log = FileDescriptor(owning: 2)
            try? log.writeAll(Array("pip could not be started: \(error)\n".utf8))
            _ = log.take()
            CurrentProcess.exit(JailedProgram.notStarted)
        }
    }

    private static func start(_ arguments: [String]) throws -> Int32 {
        guard let runtime = CurrentProcess.environment(runtimeVariable) else {
            throw SandboxError("\(runtimeVariable) names no folder of runtimes; thaw serve starts this program")
        }
        let filter = try FileDescriptor(owning: 5).pread(count: filterBytesMax, at: 0)
        var egress = CodeBoot.Egress()
        egress.closed = (CurrentProcess.environment(closedVariable) ?? "").split(separator: ",").map(bytes)
        try Egress.close(egress)
        try Jail.enter(
            runtimePath: runtime,
            taskFilesMax: 16,
            resolver: Egress.resolver,
            // Where companies name their index.
            adding: ["/etc/pip.conf"]
        )
        try Jail.closeCodeFolders()
        if !Egress.comesUp(withinMilliseconds: attachMilliseconds) {
            let log = FileDescriptor(owning: 2)
            try log.writeAll(Array("there is no way out to a package index: the network is unreachable\n".utf8))
            _ = log.take()
        }
        var program = JailedProgram(
            path: "/usr/bin/python3",
            environment: [
                "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/tmp", "LANG=C.UTF-8",
            ] + CurrentProcess.environment(where: isPassedOn),
            tmpBytesMax: tmpBytesMax
        )
        program.arguments = ["\(Jail.runtimeFolder)/python/packages.py"] + arguments
        return try program.start([0, 2, 2, 3, 4], under: SystemCallFilter(instructions: filter))
    }

    /// The scheduler has chosen them; what is not pip's is not passed on.
    private static func isPassedOn(_ name: Substring) -> Bool {
        name != runtimeVariable[...] && name != closedVariable[...] && name != "PATH"
    }

    private static func bytes(_ hexadecimal: Substring) -> [UInt8] {
        let digits = Array(hexadecimal.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)
        }
    }
}
