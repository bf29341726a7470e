/// The first frame of a snapshot: where its index lies, and what the index must hash to.
struct SnapshotHeader: Equatable {
    /// Whether the index names bases: version 3 instead of 2.
    var hasBases: Bool
    var indexOffset: Int
    var indexByteCount: Int
    var indexDigest: SnapshotDigest

    func encoded() -> [UInt8] {
        var bytes = Self.frame
        bytes.append(contentsOf: SnapshotFormat.magic)
        bytes.append(littleEndian: hasBases ? SnapshotFormat.versionWithBases : SnapshotFormat.version)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: UInt64(indexOffset))
        bytes.append(littleEndian: UInt64(indexByteCount))
        bytes.append(contentsOf: indexDigest.bytes)
        return bytes
    }

    init(hasBases: Bool = false, indexOffset: Int, indexByteCount: Int, indexDigest: SnapshotDigest) {
        self.hasBases = hasBases
        self.indexOffset = indexOffset
        self.indexByteCount = indexByteCount
        self.indexDigest = indexDigest
    }

    private static let frame = ZstdFrame.skippableHeader(
        SnapshotFormat.headerFrame,
        byteCount: SnapshotFormat.headerByteCount - ZstdFrame.skippableHeaderByteCount
    )

    /// Reads what ``encoded()`` wrote, for a file of this length: the index must end before it ends.
    init(parsing bytes: [UInt8], fileByteCount: Int) throws(SnapshotError) {
        if bytes.starts(with: SnapshotFormat.magic) { throw .unsupportedVersion(1) }
        guard bytes.count == SnapshotFormat.headerByteCount else {
            throw .incomplete(
                "it has \(fileByteCount) bytes, and its header alone takes \(SnapshotFormat.headerByteCount)"
            )
        }
        var reader = IndexReader(bytes)
        let frame = try reader.readBytes(count: Self.frame.count)
        let magic = try reader.readBytes(count: SnapshotFormat.magic.count)
        guard frame == Self.frame, magic == SnapshotFormat.magic else {
            throw .incomplete("its first frame is not THAWSNAP's: not a snapshot, or its writing was interrupted")
        }
        let version = try reader.read(UInt32.self)
        guard [SnapshotFormat.version, SnapshotFormat.versionWithBases].contains(version) else {
            throw .unsupportedVersion(version)
        }
        let reserved = try reader.read(UInt32.self)
        guard reserved == 0 else { throw .malformed("bytes 20 to 23 of the header are not 0", offset: 20) }
        let offset = try reader.read(UInt64.self)
        let count = try reader.read(UInt64.self)
        let digest = try reader.readBytes(count: SnapshotFormat.digestByteCount)
        let (end, overflow) = offset.addingReportingOverflow(count)
        let offsetMin = SnapshotFormat.headerByteCount + ZstdFrame.skippableHeaderByteCount
        guard !overflow, offset >= UInt64(offsetMin), end < UInt64(fileByteCount) else {
            throw .incomplete(
                "its header puts \(count) bytes of index at byte \(offset), but the file has \(fileByteCount) bytes"
            )
        }
        guard count <= UInt64(SnapshotFormat.indexByteCountMax), let known = SnapshotDigest(bytes: digest) else {
            throw .tooLarge(what: "the index", byteCount: count, byteCountMax: SnapshotFormat.indexByteCountMax)
        }
        hasBases = version == SnapshotFormat.versionWithBases
        indexOffset = Int(offset)
        indexByteCount = Int(count)
        indexDigest = known
    }
}

extension SnapshotHeader {
    /// Where the frames of the entries end.
    var dataEnd: Int { indexOffset - ZstdFrame.skippableHeaderByteCount }
}
