package import Linux

/// The world of a code function: a root of its own, read-only but for `/tmp`, with the machine's `/usr` in it.
///
/// Its template enters it and keeps its power over its own namespaces, for it has to make those of its workers; it is ours
/// and reads nothing of the author's but files to be written down. Programs of the author's give up all of it, see
/// ``JailedProgram``.
package enum Jail {
    /// Where the code lies; also the current directory of its program.
    package static let taskFolder = "/var/task"
    /// Where the files of layers lie.
    package static let layersFolder = "/opt"
    package static let runtimeFolder = "/var/runtime"

    /// - Parameters:
    ///   - runtimePath: the machine's folder of language runtimes of ours.
    ///   - taskFilesMax: files and folders that the code has.
    ///   - resolver: the address that answers questions for names; nil where there is no network.
    ///   - files: of the machine's /etc, seen in this root too.
    package static func enter(
        runtimePath: String,
        taskFilesMax: Int,
        resolver: String? = nil,
        adding files: [String] = []
    ) throws(SandboxError) {
        guard CurrentProcess.pid == 1 else {
            throw SandboxError("this process is not the first of a pid namespace; thaw serve starts it")
        }
        do throws(SystemError) {
            try Confinement.makeMountsPrivate()
            // What lies beneath comes back with the root's own.
            try build(at: "/proc", runtimePath: runtimePath, taskFilesMax: taskFilesMax, resolver, files)
            try Mounts.enterRoot("/proc")
            try Confinement.setHostName("thaw")
            try Confinement.limit(.coreBytes, to: 0)
            try Confinement.limit(.openFiles, to: Sandbox.filesMax)
            try Confinement.forbidNewPrivileges()
            try Confinement.forbidDumping()
        } catch {
            throw SandboxError("the root of its code", error)
        }
        Signals.forgetCrashHandlers()
    }

    /// An empty `/tmp` in this process's mount namespace.
    package static func mountTmp(bytesMax: UInt64) throws(SystemError) {
        try Mounts.memory(at: "/tmp", bytesMax: bytesMax, filesMax: tmpFilesMax, permissions: "1777")
    }

    private static let tmpFilesMax = 65_536

    /// The code has been written down: nobody changes it any more.
    package static func closeCodeFolders() throws(SystemError) {
        try Mounts.makeReadOnly(taskFolder)
        try Mounts.makeReadOnly(layersFolder)
    }

    private static func build(
        at root: String,
        runtimePath: String,
        taskFilesMax: Int,
        _ resolver: String?,
        _ files: [String]
    ) throws(SystemError) {
        try Mounts.memory(at: root, bytesMax: 1 << 20, filesMax: 128)
        for folder in ["dev", "etc", "opt", "proc", "tmp", "usr", "var/task", "var/runtime", "run"] {
            try Directory.make("\(root)/\(folder)")
        }
        try bindReadOnly("/usr", root)
        for name in ["bin", "sbin", "lib", "lib64", "lib32"] {
            if let target = Mounts.target(ofLink: "/\(name)") {
                try Mounts.link("\(root)/\(name)", to: target)
            } else if (try? FileIdentity(ofPath: "/\(name)"))?.isDirectory == true {
                try Directory.make("\(root)/\(name)")
                try bindReadOnly("/\(name)", root)
            }
        }
        try fillEtc(root, resolver, files)
        try fillDevices(root)
        try Mounts.processes(at: "\(root)/proc")
        try Mounts.bind(runtimePath, at: "\(root)\(runtimeFolder)")
        try Mounts.makeReadOnly("\(root)\(runtimeFolder)")
        // The bytes are those of a snapshot that was checked; the limit is the kernel's on all memory.
        for folder in [taskFolder, layersFolder] {
            try Mounts.memory(at: "\(root)\(folder)", bytesMax: 0, filesMax: taskFilesMax + 16)
        }
    }

    private static func bindReadOnly(_ path: String, _ root: String) throws(SystemError) {
        try Mounts.bind(path, at: root + path)
        try Mounts.makeReadOnly(root + path)
    }

    private static func fillEtc(_ root: String, _ resolver: String?, _ added: [String]) throws(SystemError) {
        let files = [
            ("passwd", "root:x:0:0:function:/tmp:/bin/sh\n"),
            ("group", "root:x:0:\n"),
            ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
            ("resolv.conf", resolver.map { "nameserver \($0)\n" } ?? ""),
            ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
        ]
        for (name, text) in files {
            try write(text, to: "\(root)/etc/\(name)")
        }
        try Mounts.link("\(root)/etc/localtime", to: "/usr/share/zoneinfo/UTC")
        for path in ["/etc/ld.so.cache", "/etc/ssl", "/etc/alternatives"] + added {
            guard let identity = try? FileIdentity(ofPath: path) else { continue }
            if identity.isDirectory {
                try Directory.make(root + path)
            } else {
                try write("", to: root + path)
            }
            try bindReadOnly(path, root)
        }
    }

    private static func fillDevices(_ root: String) throws(SystemError) {
        for name in ["null", "zero", "full", "random", "urandom"] {
            try write("", to: "\(root)/dev/\(name)")
            try Mounts.bind("/dev/\(name)", at: "\(root)/dev/\(name)")
        }
        try Mounts.link("\(root)/dev/fd", to: "/proc/self/fd")
        try Mounts.link("\(root)/dev/stdin", to: "/proc/self/fd/0")
        try Mounts.link("\(root)/dev/stdout", to: "/proc/self/fd/1")
        try Mounts.link("\(root)/dev/stderr", to: "/proc/self/fd/2")
        // Semaphores and memory with names, which the C library keeps there.
        try Mounts.link("\(root)/dev/shm", to: "/tmp")
    }

    private static func write(_ text: String, to path: String) throws(SystemError) {
        let file = try FileDescriptor.open(path, [.writing, .creating, .exclusive])
        try file.writeAll(Array(text.utf8))
    }
}
