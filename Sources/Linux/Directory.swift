import CLinux
import Glibc

/// Folders and names in them.
package enum Directory {
    /// Makes the folder and those above it; one that is there is fine.
    package static func make(_ path: String, permissions: UInt32 = 0o755) throws(SystemError) {
        do throws(SystemError) {
            _ = try checked("mkdir \(path)") { unsafe mkdir(path, permissions) }
        } catch {
            switch error.code {
            case EEXIST where (try? FileIdentity(ofPath: path))?.isDirectory == true:
                return
            case ENOENT:
                guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw error }
                try make(String(path[..<slash]), permissions: permissions)
                _ = try checked("mkdir \(path)") { unsafe mkdir(path, permissions) }
            default:
                throw error
            }
        }
    }

    /// Returns once the folder's names are on the disk: after making, renaming or removing a file.
    package static func sync(_ path: String) throws(SystemError) {
        try FileDescriptor.open(path, [.directory]).sync()
    }

    /// Names in the folder, without `.` and `..`, in no order.
    package static func names(in path: String) throws(SystemError) -> [String] {
        var stream: OpaquePointer?
        _ = try checked("opendir \(path)") {
            unsafe stream = opendir(path)
            return unsafe stream == nil ? -1 : 0
        }
        guard let open = unsafe stream else { return [] }
        defer { _ = unsafe closedir(open) }
        var names: [String] = []
        while let entry = unsafe readdir(open) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Gives a file another name; one that had that name is replaced at once.
    package static func rename(_ path: String, to other: String) throws(SystemError) {
        _ = try checked("rename \(path) to \(other)") { unsafe Glibc.rename(path, other) }
    }

    /// Removes a file.
    package static func unlink(_ path: String) throws(SystemError) {
        _ = try checked("unlink \(path)") { unsafe Glibc.unlink(path) }
    }

    /// Copies what lies in one folder into another: files, folders and links, which are not followed; nothing else.
    package static func copy(
        from folder: borrowing FileDescriptor,
        to other: borrowing FileDescriptor
    ) throws(SystemError) {
        let (from, to) = (folder.rawValue, other.rawValue)
        _ = try checked("copy a folder") { thaw_copy_tree(from, to, copyDepthMax) }
    }

    /// Each folder holds three descriptors open while what is in it is copied.
    private static let copyDepthMax: Int32 = 64

    /// Removes an empty folder.
    package static func remove(_ path: String) throws(SystemError) {
        _ = try checked("rmdir \(path)") { unsafe rmdir(path) }
    }

    /// Bytes that an unprivileged user can still write in the file system that holds the path.
    package static func availableBytes(at path: String) throws(SystemError) -> UInt64 {
        var status = statvfs()
        _ = try checked("statvfs \(path)") { unsafe statvfs(path, &status) }
        return UInt64(status.f_bavail) &* UInt64(status.f_frsize)
    }
}
