package import Linux

/// Another snapshot in whose file some entries of this one lie.
///
/// It is never followed further: what a base keeps in a base of its own is referred to there.
package struct SnapshotBase: Equatable, Sendable {
    /// The snapshot's name.
    package let digest: SnapshotDigest
    /// Bytes of its file.
    package let fileByteCount: Int

    package init(digest: SnapshotDigest, fileByteCount: Int) {
        self.digest = digest
        self.fileByteCount = fileByteCount
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: digest.bytes)
        bytes.append(littleEndian: UInt64(fileByteCount))
    }

    init(reading reader: inout IndexReader) throws(SnapshotError) {
        let start = reader.offset
        let digest = SnapshotDigest(bytes: try reader.readBytes(count: SnapshotFormat.digestByteCount))
        let byteCount = try reader.read(UInt64.self)
        guard let digest, byteCount <= UInt64(SnapshotLimits.arenaByteCountMax) else {
            throw .malformed("a base of \(byteCount) bytes is larger than any snapshot", offset: start)
        }
        self.digest = digest
        fileByteCount = Int(byteCount)
    }
}

/// Where an entry's frames lie, if not in the snapshot's own file.
struct SnapshotHome: Equatable {
    /// The number of the base.
    var base: Int
    /// Where they start in its file.
    var fileOffset: Int
}

/// A base and its file, which was found to be the one that the index means.
package struct BaseFile: Sendable {
    let base: SnapshotBase
    let file: SharedDescriptor

    /// Compares the file's length and header with what the index says; the frames are checked chunk by chunk, by the
    /// index of the snapshot that refers to them.
    fileprivate init(_ base: SnapshotBase, _ file: SharedDescriptor) throws(SnapshotError) {
        let byteCount: Int
        let bytes: [UInt8]
        do throws(SystemError) {
            byteCount = try file.descriptor.size()
            bytes = try file.descriptor.pread(count: SnapshotFormat.headerByteCount, at: 0)
        } catch {
            throw .base(base.digest, "\(error)")
        }
        guard byteCount == base.fileByteCount else {
            throw .base(base.digest, "it has \(byteCount) bytes, and \(base.fileByteCount) are expected")
        }
        let header: SnapshotHeader
        do throws(SnapshotError) {
            header = try SnapshotHeader(parsing: bytes, fileByteCount: byteCount)
        } catch {
            throw .base(base.digest, "\(error)")
        }
        guard header.indexDigest == base.digest else {
            throw .base(base.digest, "in its place is the snapshot \(header.indexDigest)")
        }
        self.base = base
        self.file = file
    }
}

extension SnapshotIndex {
    /// The files of ``bases``, in that order, each found to be the one that is meant.
    package func baseFiles(_ files: [SharedDescriptor]) throws(SnapshotError) -> [BaseFile] {
        var found: [BaseFile] = []
        for (number, base) in bases.enumerated() {
            guard number < files.count else { throw .base(base.digest, "its file is missing") }
            found.append(try BaseFile(base, files[number]))
        }
        return found
    }
}

extension SnapshotError {
    /// The same, told of the base in whose file it was met.
    func met(in home: Int?, of bases: [SnapshotBase]) -> SnapshotError {
        guard let home else { return self }
        return switch self {
        case .altered, .system: .base(bases[home].digest, "\(self)")
        default: self
        }
    }
}
