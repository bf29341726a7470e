/// The few bytes of zstd's frame format (RFC 8878) that we write and read ourselves.
enum ZstdFrame {
    /// Magic number and length of a skippable frame.
    static let skippableHeaderByteCount = 8

    static func skippableHeader(_ magic: UInt32, byteCount: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: magic)
        bytes.append(littleEndian: UInt32(byteCount))
        return bytes
    }

    /// What stands before the bytes of a frame that holds them as they are, in one raw block.
    ///
    /// `byteCount` is 1 to ``SnapshotFormat/planeByteCountMax``: one block.
    static func rawHeader(byteCount: Int) -> [UInt8] {
        precondition(byteCount > 0 && byteCount <= SnapshotFormat.planeByteCountMax)
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt32(0xfd2f_b528))
        // Descriptor: one segment, no checksum, no dictionary, and how long the content's length is.
        switch byteCount {
        case ..<256:
            bytes.append(0x20)
            bytes.append(UInt8(byteCount))
        case ..<(256 + 65_536):
            bytes.append(0x60)
            bytes.append(littleEndian: UInt16(byteCount - 256))
        default:
            bytes.append(0xa0)
            bytes.append(littleEndian: UInt32(byteCount))
        }
        // Block header, 24 bits: last block, type 0 (raw), its length.
        let block = UInt32(byteCount) << 3 | 1
        bytes.append(contentsOf: (0..<3).map { UInt8(truncatingIfNeeded: block >> ($0 * 8)) })
        return bytes
    }

    /// Bytes of ``rawHeader(byteCount:)``.
    static func rawHeaderByteCount(of byteCount: Int) -> Int {
        byteCount < 256 ? 9 : byteCount < 256 + 65_536 ? 10 : 12
    }

    /// Bytes of the whole frame.
    static func rawByteCount(of byteCount: Int) -> Int {
        rawHeaderByteCount(of: byteCount) + byteCount
    }
}

/// The table at the end of the file by which readers of zstd's seekable format find a frame.
///
/// It says nothing that the index does not: the loader computes it and compares.
struct SeekTable {
    /// Little-endian; stored and decoded size of each frame.
    private var sizes: [UInt32] = []

    private static let footerByteCount = 9
    private static let magic: UInt32 = 0x8f92_eab1

    /// The table of a file with these entries and an index of so many bytes.
    init(of entries: [SnapshotEntry], indexByteCount: Int) {
        // Computed on every cold start: some thousand frames.
        sizes.reserveCapacity(2 * entries.reduce(2) { $0 + $1.chunks.count * $1.planeCount })
        append(stored: SnapshotFormat.headerByteCount, decoded: 0)
        for entry in entries where entry.isStoredHere {
            let chunkByteCount = SnapshotFormat.chunkByteCount(entry.coding, entry.access)
            var rest = entry.byteCount
            for chunk in entry.chunks {
                let elements = min(rest, chunkByteCount) / entry.planeCount
                rest -= elements * entry.planeCount
                for stored in chunk.planeByteCounts { append(stored: stored, decoded: elements) }
            }
        }
        append(stored: ZstdFrame.skippableHeaderByteCount + indexByteCount, decoded: 0)
    }

    private mutating func append(stored: Int, decoded: Int) {
        sizes.append(UInt32(stored).littleEndian)
        sizes.append(UInt32(decoded).littleEndian)
    }

    /// The skippable frame: sizes, then how many, the flags (no checksums) and the magic.
    func encoded() -> [UInt8] {
        let byteCount = 4 * sizes.count + Self.footerByteCount
        var bytes = ZstdFrame.skippableHeader(SnapshotFormat.seekTableFrame, byteCount: byteCount)
        bytes.reserveCapacity(ZstdFrame.skippableHeaderByteCount + byteCount)
        unsafe sizes.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        bytes.append(littleEndian: UInt32(sizes.count / 2))
        bytes.append(0)
        bytes.append(littleEndian: Self.magic)
        return bytes
    }

    /// Bytes of ``encoded()`` for so many frames of data.
    static func byteCount(dataFrames: Int) -> Int {
        ZstdFrame.skippableHeaderByteCount + (dataFrames + 2) * 8 + footerByteCount
    }
}
