/// The state in which a snapshot's file was last verified byte by byte.
///
/// As long as the file on disk still has this state, its content is the content that was verified: `ctime` cannot be
/// set back by a program. So a cold start reads every digest once for each state, not once for each start.
package struct SnapshotFileState: Equatable, Sendable {
    package let device: UInt64
    package let inode: UInt64
    package let byteCount: Int
    package let modifiedNanoseconds: Int64
    package let changedNanoseconds: Int64

    package init(
        device: UInt64,
        inode: UInt64,
        byteCount: Int,
        modifiedNanoseconds: Int64,
        changedNanoseconds: Int64
    ) {
        self.device = device
        self.inode = inode
        self.byteCount = byteCount
        self.modifiedNanoseconds = modifiedNanoseconds
        self.changedNanoseconds = changedNanoseconds
    }
}
