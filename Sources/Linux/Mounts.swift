import CLinux
import Glibc

/// What a file system of a process's own is made of; all of it stays in the mount namespace of the process.
package enum Mounts {
    /// An empty file system in memory, of at most so many bytes and files.
    package static func memory(
        at place: String,
        bytesMax: UInt64,
        filesMax: Int,
        permissions: String = "0755"
    ) throws(SystemError) {
        let options = "size=\(bytesMax),nr_inodes=\(filesMax),mode=\(permissions)"
        _ = try checked("mount tmpfs \(place)") { unsafe thaw_mount_memory(place, options) }
    }

    /// The processes of the pid namespace that this process is in.
    package static func processes(at place: String) throws(SystemError) {
        _ = try checked("mount proc \(place)") { unsafe thaw_mount_processes(place) }
    }

    /// What lies at the source, and all that is mounted below it.
    package static func bind(_ source: String, at place: String) throws(SystemError) {
        _ = try checked("mount \(source) at \(place)") { unsafe thaw_mount_bind(source, place) }
    }

    package static func makeReadOnly(_ place: String) throws(SystemError) {
        _ = try checked("mount_setattr \(place)") { unsafe thaw_mount_make_read_only(place) }
    }

    /// A mount becomes the root of this process, and nothing else stays reachable.
    package static func enterRoot(_ place: String) throws(SystemError) {
        _ = try checked("pivot_root \(place)") { unsafe thaw_enter_root(place) }
    }

    package static func link(_ place: String, to target: String) throws(SystemError) {
        _ = try checked("symlink \(place)") { unsafe symlink(target, place) }
    }

    /// Where a link of the machine's own points; nil where there is none.
    package static func target(ofLink path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return -1 }
            return unsafe readlink(path, base, buffer.count)
        }
        guard count > 0 else { return nil }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    package static func changeFolder(_ path: String) throws(SystemError) {
        _ = try checked("chdir \(path)") { unsafe chdir(path) }
    }
}
