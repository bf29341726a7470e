import Manifests
import Models
import Tasks

/// A zip archive inside a bundle, read by its central directory (APPNOTE 6.3, without encryption, spanning and zip64).
///
/// As with ``Archive``, nothing is unpacked to a file system, and what a zip could do to one is refused.
struct ZipArchive {
    /// One regular file.
    struct Member {
        /// Below the archive's root.
        var path: String
        var isExecutable: Bool
        /// Where its stored bytes lie in the archive.
        fileprivate var stored: Range<Int>
        fileprivate var method: Method
        fileprivate var checksum: UInt32
        /// Once decompressed.
        fileprivate(set) var byteCount: Int
    }

    fileprivate enum Method: UInt16 {
        case stored = 0
        case deflate = 8
    }

    /// In the order of the directory.
    private(set) var members: [Member] = []
    private let name: String

    private enum Layout {
        static let endByteCount = 22
        static let commentByteCountMax = 65_535
        static let directoryByteCount = 46
        static let localByteCount = 30
        static let endMark: UInt32 = 0x0605_4b50
        static let directoryMark: UInt32 = 0x0201_4b50
        static let localMark: UInt32 = 0x0403_4b50
        /// The upper half of the attributes is a mode where the lower byte of the maker says Unix.
        static let unix: UInt8 = 3
    }

    /// - Parameters:
    ///   - name: the archive's own path, for messages.
    ///   - bytes: the archive and nothing else.
    init(_ name: String, _ bytes: borrowing RawSpan) throws(PackRefusal) {
        self.name = name
        guard let end = Self.endRecord(bytes) else {
            throw Self.damaged(name, "it has no end record; is it a zip file, and whole?")
        }
        let count = try number(UInt16.self, at: end + 10, bytes)
        let size = try number(UInt32.self, at: end + 12, bytes)
        let start = try number(UInt32.self, at: end + 16, bytes)
        guard count != 0xFFFF, start != 0xFFFF_FFFF else {
            throw Self.damaged(name, "it is in zip64 form, which is not read; keep it below 4 GiB and 65,535 files")
        }
        guard start <= end, size <= end - start else {
            throw Self.damaged(name, "its directory lies outside of it")
        }
        var seen: Set<String> = []
        var position = start
        var total = 0
        for _ in 0..<count {
            guard let member = try entry(&position, before: end, bytes) else { continue }
            guard seen.insert(member.path).inserted else { throw Self.damaged(name, "\(member.path) occurs twice") }
            total += member.byteCount
            guard total <= PackLimits.codeBytesMax, seen.count <= PackLimits.entriesMax else {
                throw PackRefusal(
                    kind: .tooLarge,
                    message: """
                        \(name) holds more than \(PackLimits.codeBytesMax) bytes or \(PackLimits.entriesMax) files \
                        once unpacked
                        """
                )
            }
            members.append(member)
        }
    }

    /// The file's bytes, checked against their checksum.
    func contents(of member: Member, in bytes: borrowing RawSpan) throws(PackRefusal) -> [UInt8] {
        let stored = FileBytes.copy(member.stored, of: bytes)
        let contents =
            switch member.method {
            case .stored: stored.count == member.byteCount ? stored : nil
            case .deflate: Inflation.inflateBare(stored, byteCount: member.byteCount)
            }
        guard let contents, Inflation.checksum(contents) == member.checksum else {
            throw Self.damaged(name, "\(member.path) in it is damaged")
        }
        return contents
    }

    /// One entry of the directory; nil for a folder.
    private func entry(_ position: inout Int, before end: Int, _ bytes: borrowing RawSpan) throws(PackRefusal)
        -> Member?
    {
        let at = position
        guard at <= end - Layout.directoryByteCount,
            try number(UInt32.self, at: at, bytes) == Int(Layout.directoryMark)
        else { throw Self.damaged(name, "its directory is damaged at byte \(at)") }
        let nameCount = try number(UInt16.self, at: at + 28, bytes)
        let extraCount = try number(UInt16.self, at: at + 30, bytes)
        let commentCount = try number(UInt16.self, at: at + 32, bytes)
        let nameStart = at + Layout.directoryByteCount
        position = nameStart + nameCount + extraCount + commentCount
        guard position <= end, let path = FileBytes.text(nameStart..<nameStart + nameCount, of: bytes) else {
            throw Self.damaged(name, "a name in its directory cannot be read")
        }
        let isUnix = try number(UInt8.self, at: at + 5, bytes) == Int(Layout.unix)
        let mode = isUnix ? try number(UInt32.self, at: at + 38, bytes) >> 16 : 0
        let parts = try BundlePath.parts(of: path)
        if path.hasSuffix("/") || mode & 0o170000 == 0o040000 { return nil }
        guard mode & 0o170000 == 0 || mode & 0o170000 == 0o100000 else {
            throw PackRefusal(
                kind: .invalid,
                message: "\(name) holds \(path.prefix(255)), a link or device; only files and directories are taken"
            )
        }
        guard try number(UInt16.self, at: at + 8, bytes) & 1 == 0 else {
            throw PackRefusal(kind: .invalid, message: "\(name): \(path.prefix(255)) is encrypted")
        }
        let code = try number(UInt16.self, at: at + 10, bytes)
        guard let method = Method(rawValue: UInt16(code)), !parts.isEmpty else {
            throw PackRefusal(
                kind: .unsupported,
                message: "\(name): \(path.prefix(255)) is compressed by method \(code); stored and deflate are read"
            )
        }
        return Member(
            path: parts.joined(separator: "/"),
            isExecutable: mode & 0o100 != 0,
            stored: try stored(at: at, path, bytes),
            method: method,
            checksum: UInt32(try number(UInt32.self, at: at + 16, bytes)),
            byteCount: try number(UInt32.self, at: at + 24, bytes)
        )
    }

    /// The local header says again how long its names are; the rest is the directory's word.
    private func stored(at entry: Int, _ path: String, _ bytes: borrowing RawSpan) throws(PackRefusal) -> Range<Int> {
        let count = try number(UInt32.self, at: entry + 20, bytes)
        let header = try number(UInt32.self, at: entry + 42, bytes)
        guard header <= bytes.byteCount - Layout.localByteCount,
            try number(UInt32.self, at: header, bytes) == Int(Layout.localMark)
        else { throw Self.damaged(name, "\(path.prefix(255)) is not where its directory says") }
        let start =
            header + Layout.localByteCount
            + (try number(UInt16.self, at: header + 26, bytes)) + (try number(UInt16.self, at: header + 28, bytes))
        guard start <= bytes.byteCount, count <= bytes.byteCount - start else {
            throw Self.damaged(name, "\(path.prefix(255)) reaches beyond its end")
        }
        return start..<start + count
    }

    /// Where the end record begins: the last one whose comment reaches to the end.
    private static func endRecord(_ bytes: borrowing RawSpan) -> Int? {
        let last = bytes.byteCount - Layout.endByteCount
        guard last >= 0 else { return nil }
        for position in stride(from: last, through: max(0, last - Layout.commentByteCountMax), by: -1) {
            if FileBytes.integer(UInt32.self, at: position, in: bytes) == Layout.endMark,
                let comment = FileBytes.integer(UInt16.self, at: position + 20, in: bytes),
                position + Layout.endByteCount + Int(comment) == bytes.byteCount
            {
                return position
            }
        }
        return nil
    }

    private func number<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type,
        at offset: Int,
        _ bytes: borrowing RawSpan
    ) throws(PackRefusal) -> Int {
        guard let value = FileBytes.integer(type, at: offset, in: bytes) else {
            throw Self.damaged(name, "it ends in the middle of a header")
        }
        return Int(value)
    }

    private static func damaged(_ name: String, _ reason: String) -> PackRefusal {
        PackRefusal(kind: .invalid, message: "\(name): \(reason)")
    }
}
