import CLinux
import Glibc

/// An open file that has exactly one owner and is closed with it.
///
/// Always close-on-exec.
package struct FileDescriptor: ~Copyable, Sendable {
    package let rawValue: Int32

    /// Takes over a descriptor that nobody else will close.
    package init(owning raw: Int32) {
        precondition(raw >= 0, "a descriptor of ours is a number from 0")
        rawValue = raw
    }

    deinit {
        _ = Glibc.close(rawValue)
    }

    /// Gives the number away: who takes it closes it.
    package consuming func take() -> Int32 {
        let raw = rawValue
        discard self
        return raw
    }

    /// Closes and says whether earlier writes were lost.
    package consuming func close() throws(SystemError) {
        let raw = take()
        _ = try checkedOnce("close") { Glibc.close(raw) }
    }

    /// How a file is opened; close-on-exec is always added.
    package struct Access: OptionSet, Sendable {
        package let rawValue: Int32
        package init(rawValue: Int32) { self.rawValue = rawValue }

        package static let reading: Access = []
        package static let writing = Access(rawValue: O_WRONLY)
        package static let readingWriting = Access(rawValue: O_RDWR)
        /// Makes the file where there is none.
        package static let creating = Access(rawValue: O_CREAT)
        /// With `creating`: fails where there is one.
        package static let exclusive = Access(rawValue: O_EXCL)
        package static let truncating = Access(rawValue: O_TRUNC)
        package static let appending = Access(rawValue: O_APPEND)
        package static let directory = Access(rawValue: O_DIRECTORY)
        package static let notFollowingLinks = Access(rawValue: O_NOFOLLOW)
        package static let nonBlocking = Access(rawValue: O_NONBLOCK)
        /// Names the file without opening it: enough for `execveat` and as the base of other paths.
        package static let pathOnly = Access(rawValue: thaw_o_path)
    }

    /// Opens a path; `permissions` are those of a file that is made, before the process's mask.
    package static func open(
        _ path: String,
        _ access: Access = .reading,
        permissions: UInt32 = 0o644
    ) throws(SystemError) -> FileDescriptor {
        let raw = try checked("open \(path)") { unsafe Glibc.open(path, access.rawValue | O_CLOEXEC, permissions) }
        return FileDescriptor(owning: raw)
    }

    /// A second descriptor of the same open file, with its own owner.
    package func duplicate() throws(SystemError) -> FileDescriptor {
        let number = rawValue
        return FileDescriptor(owning: try checked("fcntl F_DUPFD_CLOEXEC") { thaw_duplicate(number, 0) })
    }

    /// Bytes of the file.
    package func size() throws(SystemError) -> Int {
        try FileIdentity(of: self).byteCount
    }

    /// Cuts or extends the file.
    package func truncate(to byteCount: Int) throws(SystemError) {
        let number = rawValue
        _ = try checked("ftruncate") { ftruncate(number, byteCount) }
    }

    /// Reserves blocks on the disk, so that a later write cannot meet a full one.
    package func allocate(byteCount: Int) throws(SystemError) {
        try checkedCode("posix_fallocate", posix_fallocate(rawValue, 0, byteCount))
    }

    /// Returns once data and metadata are on the disk.
    package func sync() throws(SystemError) {
        let number = rawValue
        _ = try checked("fsync") { fsync(number) }
    }

    /// Returns once the data is on the disk.
    package func syncData() throws(SystemError) {
        let number = rawValue
        _ = try checked("fdatasync") { fdatasync(number) }
    }

    /// Makes reads and writes answer "would block" instead of waiting.
    package func setNonBlocking(_ isNonBlocking: Bool) throws(SystemError) {
        let number = rawValue
        _ = try checked("fcntl F_SETFL") { thaw_set_nonblocking(number, isNonBlocking ? 1 : 0) }
    }

    /// Takes the file's lock for this process, or answers `false` where another one holds it.
    ///
    /// The kernel drops it with the last descriptor of this open file.
    package func lockExclusively() throws(SystemError) -> Bool {
        let number = rawValue
        return try checkedUnlessBlocked("flock") { flock(number, LOCK_EX | LOCK_NB) } != nil
    }

    /// Gives the lock up before the file is closed.
    package func unlock() throws(SystemError) {
        let number = rawValue
        _ = try checked("flock LOCK_UN") { flock(number, LOCK_UN) }
    }
}
