import Linux

/// What gives a sandbox's network a way out: pasta, which carries its connections over sockets of the machine's.
///
/// One process for each sandbox, attached from outside; it shuts itself in as it starts. It forwards nothing inwards, and has no
/// address for the machine's own loopback.
package enum WayOut {
    /// Where distributions put it.
    private static let paths = ["/usr/bin/pasta", "/usr/local/bin/pasta"]
    /// Answers the sandbox's questions for names, by asking whom the machine asks.
    package static let resolver = "192.0.0.53"

    /// What to do where it is missing.
    package static let missing =
        "needs the program pasta, which this machine does not have; install Debian's package passt (apt-get install passt)"

    /// nil where it is not installed.
    package static var path: String? {
        paths.first { (try? FileIdentity(ofPath: $0)) != nil }
    }

    /// Attaches it to the network of a process of ours; it ends with that.
    ///
    /// - Parameters:
    ///   - machine: the network that it carries connections to; nil for the calling thread's.
    ///   - log: where it says what goes wrong.
    static func attach(
        to pid: Int32,
        machine: SharedDescriptor?,
        log: borrowing FileDescriptor
    ) throws -> ProcessHandle {
        guard let path else { throw WatchError(complaint: "network: egress \(missing)") }
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        var spawn = Spawn(name: "pasta")
        spawn.arguments = [
            "--foreground", "--quiet", "--config-net", "--no-map-gw", "--dns-forward", resolver,
            // What it says at work is of no use to a function's author; why it did not start goes to standard error all the same.
            "--log-file", "/dev/null", "-t", "none", "-u", "none", "-T", "none", "-U", "none",
        ]
        // It must own what we own: the sandbox's user namespace lets nobody else in.
        if CurrentProcess.isRoot { spawn.arguments += ["--runas", "0:0"] }
        spawn.arguments.append("\(pid)")
        spawn.environment = ["PATH=/nonexistent"]
        spawn.descriptors = [null.rawValue, null.rawValue, log.rawValue]
        spawn.network = machine?.descriptor.rawValue
        return try spawn.start(try FileDescriptor.open(path))
    }
}

/// A way out at work, until its sandbox has ended.
///
/// Only the warden's thread touches it.
final class WayOutWatch {
    let handle: ProcessHandle

    init(handle: consuming ProcessHandle) {
        self.handle = handle
    }
}
