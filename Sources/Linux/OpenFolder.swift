import CLinux
import Glibc

/// A folder that is held open, and the files in it by their names, which are bytes and need not be text.
///
/// Whatever is renamed or linked meanwhile, what is reached lies in this folder itself.
package final class OpenFolder: Sendable {
    /// A name in a folder: any bytes but `/` and 0.
    package typealias Name = [UInt8]

    private let folder: FileDescriptor

    package init(_ path: String) throws(SystemError) {
        folder = try FileDescriptor.open(path, [.directory])
    }

    /// Opens the folder at `path` below `root`; a path that leaves it, by `..` or by a link, is refused by the kernel.
    package init(_ path: String, beneath root: String) throws(SystemError) {
        let base = try FileDescriptor.open(root, [.directory, .pathOnly])
        let number = base.rawValue
        folder = FileDescriptor(
            owning: try checked("open \(root)/\(path)") { unsafe thaw_open_beneath(number, path.isEmpty ? "." : path) }
        )
    }

    private init(_ folder: consuming FileDescriptor) { self.folder = folder }

    /// A folder in it; a link is refused where it leads out.
    package func folder(_ name: String) throws(SystemError) -> OpenFolder {
        let number = folder.rawValue
        return OpenFolder(
            FileDescriptor(owning: try checked("open \(name)") { unsafe thaw_open_beneath(number, name) })
        )
    }

    package func identity() throws(SystemError) -> FileIdentity { try FileIdentity(of: folder) }

    /// Makes a folder in it where there is none.
    package func makeFolder(_ name: String) throws(SystemError) {
        let number = folder.rawValue
        do throws(SystemError) {
            _ = try checked("mkdir \(name)") { unsafe mkdirat(number, name, 0o755) }
        } catch {
            if error.code != EEXIST { throw error }
        }
    }

    /// All names but `.` and `..`, in no order.
    package func names() throws(SystemError) -> [Name] {
        let number = folder.rawValue
        // The stream closes its descriptor, and moves what it shares with another: it gets one of its own.
        var own = try checked("open a folder") { unsafe thaw_open_beneath(number, ".") }
        var stream: OpaquePointer?
        unsafe stream = fdopendir(own)
        guard let open = unsafe stream else {
            own = Glibc.close(own)
            return []
        }
        defer { _ = unsafe closedir(open) }
        var names: [Name] = []
        while let entry = unsafe readdir(open) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Name($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        return names
    }

    /// A regular file as it is now; nil for anything else, a link too, and where there is none.
    package func identity(of name: Name) throws(SystemError) -> FileIdentity? {
        let number = folder.rawValue
        var status = stat()
        do throws(SystemError) {
            _ = try checked("stat a file of a folder") {
                unsafe fstatat(number, Self.text(name), &status, AT_SYMLINK_NOFOLLOW)
            }
        } catch {
            if error.code == ENOENT || error.code == ENAMETOOLONG { return nil }
            throw error
        }
        return status.st_mode & S_IFMT == S_IFREG ? FileIdentity(status) : nil
    }

    /// Opens a file for reading; nil where there is none, or it is a link.
    package func open(_ name: Name) throws(SystemError) -> FileDescriptor? {
        let number = folder.rawValue
        do throws(SystemError) {
            return FileDescriptor(
                owning: try checked("open a file of a folder") { unsafe thaw_open_in(number, Self.text(name)) }
            )
        } catch {
            if error.code == ENOENT || error.code == ELOOP { return nil }
            throw error
        }
    }

    /// Whether some process has the file open for writing; false where the file system cannot say.
    package func isBeingWritten(_ name: Name) throws(SystemError) -> Bool {
        guard let file = try open(name) else { return false }
        return thaw_is_being_written(file.rawValue) == 1
    }

    /// Moves a file into another folder.
    ///
    /// - Returns: whether there was one; false too where there is one of that name already.
    package func move(
        _ name: Name,
        to other: OpenFolder,
        as otherName: Name
    ) throws(SystemError) -> Bool {
        let (from, to) = (folder.rawValue, other.folder.rawValue)
        do throws(SystemError) {
            _ = try checked("move a file to another folder") {
                unsafe thaw_move_in(from, Self.text(name), to, Self.text(otherName))
            }
            return true
        } catch {
            if error.code == ENOENT || error.code == EEXIST { return false }
            throw error
        }
    }

    /// Removes a file; one that is not there is fine.
    package func remove(_ name: Name) throws(SystemError) {
        let number = folder.rawValue
        do throws(SystemError) {
            _ = try checked("unlink a file of a folder") { unsafe unlinkat(number, Self.text(name), 0) }
        } catch {
            if error.code != ENOENT { throw error }
        }
    }

    /// Whether a name is one that a shell would find under the pattern: `*` does not begin with a dot.
    package static func matches(_ name: Name, _ pattern: String) -> Bool {
        unsafe fnmatch(pattern, text(name), FNM_PERIOD) == 0
    }

    private static func text(_ name: Name) -> [CChar] { name.map { CChar(bitPattern: $0) } + [0] }

    /// Its path while it is open, for calls that take no descriptor.
    fileprivate var path: String { "/proc/self/fd/\(folder.rawValue)" }
}

/// What the kernel tells of files that arrive in a folder: closed after they were written, or moved in.
package enum FolderArrivals {
    package enum Event: Equatable, Sendable {
        case arrived(OpenFolder.Name)
        /// More came than the kernel keeps: whoever needs all of them looks.
        case overflowed
        /// The folder was removed, moved or unmounted; nothing comes any more.
        case lost
    }

    /// Bytes that one reading must have room for: an event with the longest name.
    package static let readingBytesMin = 16 + 256

    /// Begins to watch; the descriptor is readable when something has arrived.
    package static func watch(_ folder: OpenFolder) throws(SystemError) -> FileDescriptor {
        let events = FileDescriptor(owning: try checked("inotify_init1") { thaw_watch_make() })
        let (number, path) = (events.rawValue, folder.path)
        _ = try checked("inotify_add_watch") { unsafe thaw_watch_add_arrivals(number, path) }
        return events
    }

    /// Reads what one reading of the descriptor gave: `{int wd; uint32 mask, cookie, len; char name[len]}`, repeated.
    package static func events(_ bytes: [UInt8]) -> [Event] {
        var events: [Event] = []
        var rest = bytes[...]
        func word(_ place: Int) -> UInt32 {
            var word: UInt32 = 0
            for index in 0..<4 { word |= UInt32(rest[rest.startIndex + place + index]) << (8 * UInt32(index)) }
            return word
        }
        while rest.count >= 16 {
            let (mask, count) = (word(4), Int(word(12)))
            guard rest.count - 16 >= count else { break }
            let name = rest.dropFirst(16).prefix(count).prefix { $0 != 0 }
            if mask & thaw_watch_overflowed != 0 {
                events.append(.overflowed)
            } else if mask & thaw_watch_lost != 0 {
                events.append(.lost)
            } else if mask & thaw_watch_arrived != 0, !name.isEmpty {
                events.append(.arrived(Array(name)))
            }
            rest = rest.dropFirst(16 + count)
        }
        return events
    }
}
