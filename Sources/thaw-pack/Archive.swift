import Manifests
import Models

/// A bundle as it was uploaded: an uncompressed tar (POSIX ustar or pax), read in place.
///
/// Nothing is unpacked.
///
/// Regular files and directories only. What a tar could do to a file system (leave its directory, link, overwrite,
/// make devices) is refused, although no file system is touched: whoever sends it means no good, or another tool.
struct Archive {
    /// Path inside the bundle → where the file's bytes lie in the archive.
    private(set) var files: [String: Range<Int>] = [:]
    /// Paths of the files that may be run.
    private(set) var executables: Set<String> = []
    private var directories: Set<String> = []
    private var entryCount = 0

    static let blockByteCount = 512

    init(_ bytes: borrowing RawSpan) throws(PackRefusal) {
        try Self.refuseOtherFormats(bytes)
        var position = 0
        var extended = ExtendedHeader()
        while true {
            let header = try TarHeader(at: position, of: bytes)
            position += Self.blockByteCount
            guard let header else { break }
            let size = header.kind == .file ? extended.size ?? header.size : header.size
            guard size <= bytes.byteCount - position else {
                throw .damaged("\(header.path) should have \(size) bytes, and the archive ends before")
            }
            let contents = position..<position + size
            // No overflow: the end lies within memory.
            position = min(bytes.byteCount, (contents.upperBound + Self.blockByteCount - 1) / 512 * 512)
            switch header.kind {
            case .file:
                let name = try add(file: extended.path ?? header.path, contents)
                if header.isExecutable { executables.insert(name) }
                extended = ExtendedHeader()
            case .directory:
                try add(directory: extended.path ?? header.path)
                extended = ExtendedHeader()
            case .extended:
                extended = try ExtendedHeader(contents, of: bytes)
            case .global:
                continue
            case .refused(let what):
                throw PackRefusal(
                    kind: .invalid,
                    message:
                        "the bundle holds \(what), \(header.path.prefix(255)); only files and directories are taken"
                )
            }
        }
        try Self.checkEnd(after: position, of: bytes)
    }

    private mutating func add(file path: String, _ contents: Range<Int>) throws(PackRefusal) -> String {
        let parts = try BundlePath.parts(of: path)
        let name = parts.joined(separator: "/")
        guard !parts.isEmpty, !path.hasSuffix("/") else {
            throw .damaged("a file is called \"\(path.prefix(255))\"")
        }
        try addParents(of: parts)
        guard !directories.contains(name), files.updateValue(contents, forKey: name) == nil else {
            throw .damaged("\(name) occurs twice")
        }
        try count(entry: name)
        return name
    }

    private mutating func add(directory path: String) throws(PackRefusal) {
        let parts = try BundlePath.parts(of: path)
        try addParents(of: parts + [""])
        try count(entry: path)
    }

    /// Everything above a path must be a directory.
    private mutating func addParents(of parts: [String]) throws(PackRefusal) {
        for count in parts.indices where count > 0 {
            let directory = parts[..<count].joined(separator: "/")
            guard files[directory] == nil else {
                throw .damaged("\(directory) is both a file and a directory")
            }
            directories.insert(directory)
        }
    }

    private mutating func count(entry: String) throws(PackRefusal) {
        entryCount += 1
        guard entryCount <= PackLimits.entriesMax else {
            throw PackRefusal(
                kind: .tooLarge,
                message: "the bundle holds more than \(PackLimits.entriesMax) files and directories"
            )
        }
    }

    /// The end mark is two blocks of zeros, of which the first was read; only zeros may follow.
    private static func checkEnd(after position: Int, of bytes: borrowing RawSpan) throws(PackRefusal) {
        guard bytes.byteCount - position >= blockByteCount else {
            throw .damaged("its end mark is missing; the upload was cut short")
        }
        guard bytes.byteCount - position <= PackLimits.paddingBytesMax else {
            throw .damaged("\(bytes.byteCount - position) bytes follow its end mark")
        }
        let rest = FileBytes.copy(position..<bytes.byteCount, of: bytes)
        guard rest.allSatisfy({ $0 == 0 }) else {
            throw .damaged("something follows its end mark")
        }
    }

    /// Compressed and other archives, by their first bytes.
    private static func refuseOtherFormats(_ bytes: borrowing RawSpan) throws(PackRefusal) {
        let formats: [(magic: [UInt8], name: String)] = [
            ([0x1F, 0x8B], "gzip"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0x42, 0x5A, 0x68], "bzip2"),
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz"), ([0x50, 0x4B, 0x03, 0x04], "zip"),
        ]
        let start = FileBytes.copy(0..<min(8, bytes.byteCount), of: bytes)
        for format in formats where start.starts(with: format.magic) {
            throw PackRefusal(
                kind: .unsupported,
                message: "the bundle is a \(format.name) file; send it as an uncompressed tar, as `thaw deploy` does"
            )
        }
    }
}

extension PackRefusal {
    /// The archive contradicts its format.
    static func damaged(_ what: String) -> PackRefusal {
        PackRefusal(kind: .invalid, message: "the bundle is not an intact tar archive: \(what)")
    }
}
