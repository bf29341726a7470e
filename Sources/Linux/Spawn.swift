import CLinux
import Glibc

/// Which namespaces of its own a process gets.
package struct Namespaces: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let user = Namespaces(rawValue: 0x1000_0000)
    package static let process = Namespaces(rawValue: 0x2000_0000)
    package static let mount = Namespaces(rawValue: 0x0002_0000)
    package static let interprocess = Namespaces(rawValue: 0x0800_0000)
    package static let hostName = Namespaces(rawValue: 0x0400_0000)
    /// Costs 2.9 ms: better ``enterEmptyNetwork()`` once on the thread that spawns, where that is permitted.
    package static let network = Namespaces(rawValue: 0x4000_0000)

    /// What every sandboxed process gets; the network it inherits or gets besides.
    package static let sandbox: Namespaces = [.user, .process, .mount, .interprocess, .hostName]

    /// Puts the calling thread, and what it spawns from now on, into one new network without devices.
    package static func enterEmptyNetwork() throws(SystemError) {
        _ = try checked("unshare CLONE_NEWNET") { thaw_unshare(network.rawValue) }
    }

    /// In a network namespace of one's own: 127.0.0.1 answers.
    package static func bringUpLoopback() throws(SystemError) {
        _ = try checked("ioctl SIOCSIFFLAGS lo") { thaw_loopback_up() }
    }

    /// The first process of a pid namespace, which has its own /proc, chooses the number behind which its children's go on.
    package static func setLastProcessNumber(_ number: Int32) throws(SystemError) {
        _ = try checked("write ns_last_pid") { thaw_set_last_number(number) }
    }
}

/// Why a program did not start.
package struct SpawnError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Stage: Int32, Sendable {
        case prepare = 1
        case clone, mapIDs, takeIDs, joinGroup, placeDescriptors, execute
    }

    package let program: String
    package let stage: Stage
    package let cause: SystemError

    package var description: String {
        switch stage {
        case .clone where cause.code == EPERM:
            "cannot start \(program): this kernel permits no user namespaces here (\(cause)); they must be allowed "
                + "(sysctl user.max_user_namespaces), and the node must not run in a chroot"
        case .prepare, .clone: "cannot start \(program): no new process: \(cause)"
        case .mapIDs: "cannot start \(program): its user namespace refuses the ids: \(cause)"
        case .takeIDs: "cannot start \(program): it could not become root of its user namespace: \(cause)"
        case .joinGroup: "cannot start \(program): it could not join its memory group: \(cause)"
        case .placeDescriptors: "cannot start \(program): its descriptors could not be placed: \(cause)"
        case .execute: "cannot start \(program): \(cause)"
        }
    }
}

/// A program about to be started in a process of its own.
package struct Spawn: Sendable {
    /// For errors, and the process's `argv[0]`.
    package var name: String
    package var arguments: [String] = []
    /// `NAME=value`; nothing is inherited.
    package var environment: [String] = []
    /// These become 0, 1, 2, … of the process; nothing else is inherited.
    package var descriptors: [Int32] = []
    package var namespaces: Namespaces = []
    /// The `tasks` file of a memory group for the process to join before it executes.
    package var memoryGroupTasks: Int32?
    /// The file of a network namespace to start in, which needs privilege; nil for the caller's.
    package var network: Int32?
    /// The kernel kills the process when the *thread* that spawned it ends.
    package var diesWithSpawner = true

    package init(name: String) {
        self.name = name
    }

    /// The user that a sandboxed process of a root scheduler runs as: owns nothing, is nobody.
    private static let nobody: UInt32 = 65534

    /// Starts the program that `program` is open on, and returns once it executes.
    ///
    /// With a user namespace its inner root is `nobody` outside if we are root, and our own user if not.
    package func start(_ program: borrowing FileDescriptor) throws(SpawnError) -> ProcessHandle {
        let isRoot = CurrentProcess.isRoot
        var stage: Int32 = 0
        var pid: Int32 = 0
        let executable = program.rawValue
        do throws(SystemError) {
            let pidfd = try checkedOnce("spawn") {
                unsafe withStrings([name] + arguments) { arguments in
                    unsafe withStrings(environment) { environment in
                        unsafe descriptors.withUnsafeBufferPointer { descriptors in
                            var order = unsafe thaw_spawn(
                                program: executable,
                                arguments: arguments,
                                environment: environment,
                                descriptors: descriptors.baseAddress,
                                descriptor_count: Int32(descriptors.count),
                                namespaces: namespaces.rawValue,
                                outer_uid: isRoot ? Spawn.nobody : CurrentProcess.effectiveUserID,
                                outer_gid: isRoot ? Spawn.nobody : CurrentProcess.effectiveGroupID,
                                can_set_groups: isRoot ? 1 : 0,
                                tasks: memoryGroupTasks ?? -1,
                                network: network ?? -1,
                                dies_with_parent: diesWithSpawner ? 1 : 0
                            )
                            return unsafe thaw_spawn(&order, &pid, &stage)
                        }
                    }
                }
            }
            return ProcessHandle(owning: FileDescriptor(owning: pidfd))
        } catch {
            throw SpawnError(name: name, stage: stage, cause: error)
        }
    }
}

extension SpawnError {
    fileprivate init(name: String, stage: Int32, cause: SystemError) {
        program = name
        self.stage = Stage(rawValue: stage) ?? .prepare
        let call =
            switch self.stage {
            case .prepare: "pipe2"
            case .clone: "clone3"
            case .mapIDs: "write uid_map"
            case .takeIDs: "setresuid"
            case .joinGroup: "write tasks"
            case .placeDescriptors: "dup2"
            case .execute: "execveat"
            }
        self.cause = SystemError(call: call, code: cause.code)
    }
}

/// A NULL-terminated array of C strings that lives for the call.
func withStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer {
        for index in unsafe pointers.indices { unsafe free(pointers[index]) }
    }
    return unsafe pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("an array with an element has an address") }
        return unsafe body(base)
    }
}
