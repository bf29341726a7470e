import CLinux
import Glibc

/// Which of two processes goes on after a fork.
package enum ForkSide: Equatable, Sendable {
    case child
    case parent(child: Int32)
}

/// The process that runs this code.
package enum CurrentProcess {
    /// Splits a process that has one thread in two; in one with more, the copy may hang on a lock.
    package static func fork() throws(SystemError) -> ForkSide {
        let child = try checkedOnce("fork") { thaw_fork() }
        return child == 0 ? .child : .parent(child: child)
    }

    package static var pid: Int32 { getpid() }
    package static var isRoot: Bool { geteuid() == 0 }
    package static var effectiveUserID: UInt32 { geteuid() }
    package static var effectiveGroupID: UInt32 { getegid() }

    /// Ends without running anything more; open files are closed by the kernel.
    package static func exit(_ status: Int32) -> Never {
        _exit(status)
    }

    /// Moves a descriptor to a place and closes all above: what a fork may keep of what its template held.
    ///
    /// Owners of closed numbers must not run any more: this is for a process that never returns to them.
    package static func keepOnly(_ descriptor: consuming FileDescriptor, at place: Int32) throws(SystemError)
        -> FileDescriptor
    {
        let number = descriptor.take()
        _ = try checked("close_range") { thaw_keep_only(number, place) }
        return FileDescriptor(owning: place)
    }

    /// Moves a descriptor to a place, whose owner, if any, must not run any more.
    package static func move(_ descriptor: consuming FileDescriptor, to place: Int32) throws(SystemError)
        -> FileDescriptor
    {
        let number = descriptor.rawValue
        _ = try checked("dup2") { dup2(number, place) }
        if number == place { _ = descriptor.take() }
        return FileDescriptor(owning: place)
    }

    /// Writes a line to the log, descriptor 2; one that is gone is nobody's trouble.
    package static func log(_ line: [UInt8]) {
        _ = unsafe write(2, line, line.count)
    }

    /// The executable of this process, as a path.
    package static func executablePath() throws(SystemError) -> String {
        let bytes = unsafe [UInt8](unsafe: Int(PATH_MAX)) { buffer, capacity in
            unsafe readlink("/proc/self/exe", buffer, capacity)
        }
        guard let bytes else { throw SystemError(call: "readlink /proc/self/exe", code: ENOENT) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A variable of the environment.
    package static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// `NAME=value` of all variables of the environment whose names are meant.
    package static func environment(where isMeant: (Substring) -> Bool) -> [String] {
        var found: [String] = []
        var next = unsafe environ
        while let variable = unsafe next.pointee {
            let text = unsafe String(cString: variable)
            if isMeant(text.prefix { $0 != "=" }) { found.append(text) }
            unsafe next += 1
        }
        return found
    }

    /// Sets a variable of the environment.
    package static func setEnvironment(_ name: String, _ value: String) throws(SystemError) {
        _ = try checked("setenv \(name)") { unsafe setenv(name, value, 1) }
    }
}

extension [UInt8] {
    fileprivate init?(unsafe capacity: Int, _ fill: (UnsafeMutablePointer<CChar>, Int) -> Int) {
        var count = -1
        let bytes = unsafe [CChar](unsafeUninitializedCapacity: capacity) { buffer, used in
            if let base = buffer.baseAddress { count = unsafe fill(base, capacity) }
            used = Swift.max(0, count)
        }
        guard count >= 0 else { return nil }
        self = bytes.map { UInt8(bitPattern: $0) }
    }
}
