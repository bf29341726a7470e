import CLinux
import Glibc

/// The steps by which a process gives up what it could do; none of them can be taken back.
package enum Confinement {
    /// What happens to mounts from here on stays in this mount namespace.
    package static func makeMountsPrivate() throws(SystemError) {
        _ = try checked("mount MS_PRIVATE /") { thaw_mounts_make_private() }
    }

    /// An empty read-only folder becomes all that this process sees of any file system.
    package static func enterEmptyRoot() throws(SystemError) {
        _ = try checked("pivot_root") { thaw_enter_empty_root() }
    }

    package static func setHostName(_ name: String) throws(SystemError) {
        _ = try checked("sethostname \(name)") { unsafe thaw_set_host_name(name) }
    }

    /// Denies every file, every TCP port, and signals and abstract sockets to the outside, as far as the kernel's
    /// Landlock goes.
    ///
    /// Answers the interface's level, 0 where there is none.
    package static func denyAllThroughLandlock() throws(SystemError) -> Int {
        let level: Int32
        do throws(SystemError) {
            level = try checked("landlock_create_ruleset") { thaw_landlock_level() }
        } catch {
            guard error.code == ENOSYS || error.code == EOPNOTSUPP else { throw error }
            return 0
        }
        _ = try checked("landlock_restrict_self") { thaw_landlock_deny_all(level) }
        return Int(level)
    }

    /// Drops every capability, now and for whatever would be executed.
    package static func dropCapabilities() throws(SystemError) {
        try keepCapabilities([])
    }

    /// A power over what this process's user namespace owns.
    package enum Capability: UInt64, Sendable {
        case changeRoot = 18
        case administerNamespaces = 21
    }

    /// Drops every other capability; what is executed has these and cannot gain more.
    package static func keepCapabilities(_ kept: [Capability]) throws(SystemError) {
        let bits = kept.reduce(UInt64(0)) { $0 | 1 << $1.rawValue }
        _ = try checked("capset") { thaw_keep_capabilities(bits) }
    }

    /// Executing a program can never give more than the process has.
    package static func forbidNewPrivileges() throws(SystemError) {
        _ = try checked("prctl PR_SET_NO_NEW_PRIVS") { thaw_forbid_new_privileges() }
    }

    /// No core file, and no other process of this user can look inside.
    package static func forbidDumping() throws(SystemError) {
        _ = try checked("prctl PR_SET_DUMPABLE") { thaw_forbid_dumping() }
    }

    /// What a limit is on.
    package enum Resource: Sendable {
        case openFiles, coreBytes, processes, fileBytes, lockedBytes, messageQueueBytes, pendingSignals
        /// Private writable memory, touched or not.
        case dataBytes

        fileprivate var limit: thaw_limit {
            switch self {
            case .openFiles: thaw_limit_open_files
            case .coreBytes: thaw_limit_core_bytes
            case .processes: thaw_limit_processes
            case .fileBytes: thaw_limit_file_bytes
            case .lockedBytes: thaw_limit_locked_bytes
            case .messageQueueBytes: thaw_limit_message_queue_bytes
            case .pendingSignals: thaw_limit_pending_signals
            case .dataBytes: thaw_limit_data_bytes
            }
        }
    }

    /// Sets the soft and the hard limit.
    package static func limit(_ resource: Resource, to value: UInt64) throws(SystemError) {
        _ = try checked("setrlimit \(resource)") { thaw_set_limit(resource.limit, value) }
    }
}
