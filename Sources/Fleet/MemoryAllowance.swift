import Linux
import Synchronization

/// The memory that one process was allowed, where the kernel keeps it to that: a control group lent from the node's.
final class MemoryAllowance: Sendable {
    let limitBytes: UInt64
    /// More processes than the worker's own are in the group: a program of an author's.
    let isShared: Bool
    private let group: MemoryGroup
    private let groups: MemoryGroups

    /// - Returns: nil where the kernel has no groups for us.
    init?(from groups: MemoryGroups?, limitBytes: UInt64, isShared: Bool = false) throws(SystemError) {
        guard let groups else { return nil }
        group = try groups.take(limitBytes: limitBytes)
        self.groups = groups
        self.limitBytes = limitBytes
        self.isShared = isShared
    }

    /// The process joins by writing `0` here.
    var tasks: Int32 { group.tasks.rawValue }

    /// As ``tasks``, of the group that counts processor time; nil where one process's own clock says all, or nothing counts.
    var processorTasks: Int32? {
        isShared ? group.processor?.tasks : nil
    }

    /// Processor time of all processes in the group, the dead included; nil where the worker's own clock says all.
    func cpuNanoseconds() -> UInt64? {
        isShared ? group.processor?.nanoseconds() : nil
    }

    /// Kills what the worker's program has left; answers whether there was anything.
    func killAll() -> Bool {
        group.killAll()
    }

    /// The most private memory so far, in bytes.
    func peakBytes() -> UInt64? {
        group.peakBytes()
    }

    /// The kernel has killed the process because it wanted more.
    var wasExceeded: Bool {
        group.wasExceeded
    }

    /// Call once its process is off the process table.
    func giveBack() {
        groups.giveBack(group)
    }
}
