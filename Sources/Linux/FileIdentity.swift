import Glibc

/// What tells one state of a file from another without reading it.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64
    package let byteCount: Int
    package let modifiedNanoseconds: Int64
    /// Time of the last change of content or metadata: a caller cannot set it back.
    package let changedNanoseconds: Int64
    package let isDirectory: Bool

    package init(of file: borrowing FileDescriptor) throws(SystemError) {
        let number = file.rawValue
        var status = stat()
        _ = try checked("fstat") { unsafe fstat(number, &status) }
        self.init(status)
    }

    package init(ofPath path: String) throws(SystemError) {
        var status = stat()
        _ = try checked("stat \(path)") { unsafe stat(path, &status) }
        self.init(status)
    }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        byteCount = Int(status.st_size)
        modifiedNanoseconds = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        changedNanoseconds = Int64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_ctim.tv_nsec)
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether it is the same file, not written to in between; links and permissions may have changed.
    package func isSameContent(as other: FileIdentity) -> Bool {
        (device, inode, byteCount, modifiedNanoseconds)
            == (other.device, other.inode, other.byteCount, other.modifiedNanoseconds)
    }
}
