import Foundation
import Manifests
import NIOCore

/// The files of a bundle as a POSIX ustar archive, read from the disk piece by piece as it is sent.
///
/// Only what the manifest names goes in: the manifest itself, and the model file or directory.
struct BundleArchive: Sendable {
    /// One regular file.
    struct Member: Equatable, Sendable {
        /// Inside the archive, with `/`.
        var path: String
        /// On the disk.
        var file: String
        var byteCount: Int
        /// Whether its owner may run it.
        var isExecutable: Bool
        /// Of a file that is on no disk.
        var contents: [UInt8]?

        init(path: String, file: String, byteCount: Int, isExecutable: Bool = false) {
            self.path = path
            self.file = file
            self.byteCount = byteCount
            self.isExecutable = isExecutable
        }

        init(path: String, contents: [UInt8]) {
            self.path = path
            file = path
            byteCount = contents.count
            isExecutable = false
            self.contents = contents
        }
    }

    let members: [Member]

    /// Bytes of one piece: large enough that the calls cost nothing, small enough to be no memory.
    private static let pieceBytes = 256 * 1024
    static let blockBytes = BundleHeader.blockBytes
    /// ustar writes sizes as 11 octal digits.
    private static let memberBytesMax = (1 << 33) - 1
    /// Folders in a bundle that hold no model.
    private static let skipped: Set<String> = [".git", "__pycache__", "golden"]

    /// - Parameters:
    ///   - directory: holds the bundle.
    ///   - paths: relative to it; a directory stands for the files below it.
    /// - Throws: where a file cannot be read, or is of a kind that no bundle holds.
    init(directory: String, paths: [String]) throws(CommandFailure) {
        var members: [Member] = []
        for path in paths {
            try Self.collect(path, in: directory, into: &members)
        }
        // A file may be named on its own and lie in a folder that is named too.
        var seen: Set<String> = []
        self.members = members.filter { seen.insert($0.path).inserted }
    }

    /// The files of a bundle that has no directory of its own.
    init(members: [Member]) {
        self.members = members
    }

    /// Bytes of the archive.
    var byteCount: Int {
        members.reduce(2 * Self.blockBytes) { $0 + Self.blockBytes + Self.padded($1.byteCount) }
    }

    private static func collect(
        _ path: String,
        in directory: String,
        into members: inout [Member]
    ) throws(CommandFailure) {
        let file = directory + "/" + path
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: file)
        } catch {
            throw .file("\(file) cannot be read: \(error.localizedDescription)")
        }
        switch attributes[.type] as? FileAttributeType {
        case .typeRegular:
            let byteCount = (attributes[.size] as? NSNumber)?.intValue ?? 0
            guard byteCount <= memberBytesMax else { throw .file("\(file) is over 8 GiB, which no bundle can hold") }
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
            let member = Member(
                path: normalized(path),
                file: file,
                byteCount: byteCount,
                isExecutable: mode & 0o100 != 0
            )
            guard BundleHeader.fits(member.path) else { throw .file("\(file): the path is too long for an archive") }
            members.append(member)
        case .typeDirectory:
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: file).sorted()
            } catch {
                throw .file("\(file) cannot be read: \(error.localizedDescription)")
            }
            for name in names where !skipped.contains(name) {
                try collect(path + "/" + name, in: directory, into: &members)
            }
        case .typeSymbolicLink:
            throw .file("\(file) is a link, which a bundle cannot hold; put the file itself there")
        default:
            throw .file("\(file) is neither a file nor a directory")
        }
    }

    /// Without `.` and empty segments: `./model//a` → `model/a`.
    private static func normalized(_ path: String) -> String {
        path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    private static func padded(_ byteCount: Int) -> Int {
        (byteCount + blockBytes - 1) / blockBytes * blockBytes
    }
}

extension BundleArchive {
    /// The archive's bytes, in order; `onProgress` is called with their count so far.
    func pieces(onProgress: @escaping @Sendable (Int) -> Void) -> Pieces {
        Pieces(archive: self, onProgress: onProgress)
    }

    struct Pieces: AsyncSequence, Sendable {
        typealias Element = ByteBuffer

        fileprivate let archive: BundleArchive
        fileprivate let onProgress: @Sendable (Int) -> Void

        func makeAsyncIterator() -> Iterator {
            Iterator(members: archive.members[...], onProgress: onProgress)
        }
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var members: ArraySlice<Member>
        fileprivate let onProgress: @Sendable (Int) -> Void
        private var current: (member: Member, handle: FileHandle, bytesLeft: Int)?
        private var byteCount = 0
        private var isEnded = false

        fileprivate init(members: ArraySlice<Member>, onProgress: @escaping @Sendable (Int) -> Void) {
            self.members = members
            self.onProgress = onProgress
        }

        mutating func next() async throws -> ByteBuffer? {
            guard let piece = try nextPiece() else { return nil }
            byteCount += piece.readableBytes
            onProgress(byteCount)
            return piece
        }

        private mutating func nextPiece() throws(CommandFailure) -> ByteBuffer? {
            if let current { return try contents(of: current.member, current.handle, bytesLeft: current.bytesLeft) }
            if let member = members.popFirst() {
                if let contents = member.contents {
                    var piece = ByteBuffer(bytes: BundleHeader.bytes(path: member.path, byteCount: contents.count))
                    piece.writeBytes(contents)
                    piece.writeRepeatingByte(0, count: BundleArchive.padded(contents.count) - contents.count)
                    return piece
                }
                guard let handle = FileHandle(forReadingAtPath: member.file) else {
                    throw .file("\(member.file) cannot be opened")
                }
                if member.byteCount > 0 { current = (member, handle, member.byteCount) }
                return ByteBuffer(
                    bytes: BundleHeader.bytes(
                        path: member.path,
                        byteCount: member.byteCount,
                        isExecutable: member.isExecutable
                    )
                )
            }
            guard !isEnded else { return nil }
            isEnded = true
            return ByteBuffer(repeating: 0, count: 2 * BundleArchive.blockBytes)
        }

        private mutating func contents(
            of member: Member,
            _ handle: FileHandle,
            bytesLeft: Int
        ) throws(CommandFailure) -> ByteBuffer {
            let data: Data?
            do {
                data = try handle.read(upToCount: min(bytesLeft, BundleArchive.pieceBytes))
            } catch {
                throw .file("\(member.file) cannot be read: \(error.localizedDescription)")
            }
            // The header has promised a size: less would shift everything behind it.
            guard let data, !data.isEmpty else { throw .file("\(member.file) became shorter while it was sent") }
            var piece = ByteBuffer(bytes: data)
            if data.count == bytesLeft {
                current = nil
                piece.writeRepeatingByte(0, count: BundleArchive.padded(member.byteCount) - member.byteCount)
            } else {
                current = (member, handle, bytesLeft - data.count)
            }
            return piece
        }
    }
}
