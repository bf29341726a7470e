import Linux
import Synchronization

/// The memory that one process was allowed, where the kernel keeps it to that: a control group lent from the node's.
final class MemoryAllowance: Sendable {
    let limitBytes: UInt64
    private let group: MemoryGroup
    private let groups: MemoryGroups

    /// - Returns: nil where the kernel has no groups for us.
    init?(from groups: MemoryGroups?, limitBytes: UInt64) throws(SystemError) {
        guard let groups else { return nil }
        group = try groups.take(limitBytes: limitBytes)
        self.groups = groups
        self.limitBytes = limitBytes
    }

    /// The process joins by writing `0` here.
    var tasks: Int32 { group.tasks.rawValue }

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
