/// Turns a chunk's bytes into what the file holds, and reuses its memory for the next: packing only.
struct ChunkEncoder: ~Copyable {
    private let compressor: Compressor
    private let hash: Hash
    private var planes = [UInt8](repeating: 0, count: SnapshotFormat.chunkByteCountMax)
    private var stored = [UInt8](repeating: 0, count: SnapshotFormat.chunkByteCountMax + roomForHeaders)

    /// What the planes of the widest element may take above their bytes.
    private static let roomForHeaders = 8 * ZstdFrame.rawHeaderByteCount(of: SnapshotFormat.planeByteCountMax)

    /// How an entry's planes are to be stored.
    struct Manner {
        var coding: SnapshotEntry.Coding
        var planeCount: Int
        /// Integers and what the writer has packed already stay as they are: worth less than the time to decode them.
        var compresses: Bool
    }

    init() throws(SnapshotError) {
        let compressor = try Compressor()
        let hash = try Hash.sha512256()
        self.compressor = compressor
        self.hash = hash
    }

    /// Hands the bytes for the file to `write` and returns their record for the index.
    ///
    /// A chunk has at most ``SnapshotFormat/chunkByteCount(_:_:)`` bytes, whole elements.
    mutating func encode(
        _ chunk: borrowing RawSpan,
        _ manner: Manner,
        write: (borrowing RawSpan) throws(SnapshotError) -> Void
    ) throws(SnapshotError) -> SnapshotChunk {
        let count = chunk.byteCount / manner.planeCount
        split(chunk, manner)
        var end = 0
        var counts: [Int] = []
        for plane in 0..<manner.planeCount {
            try compressor.prepare(for: manner.coding == .bytes ? .bytes : .plane)
            let written = store(plane * count..<(plane + 1) * count, at: end, compresses: manner.compresses)
            counts.append(written)
            end += written
        }
        let result = unsafe stored.span.bytes.extracting(0..<end)
        let digest = try ChunkDigest(try hash.digest(of: result))
        try write(result)
        return SnapshotChunk(planeByteCounts: counts, checksum: Planes.best.checksum(of: result), digest: digest)
    }

    private mutating func split(_ chunk: borrowing RawSpan, _ manner: Manner) {
        var span = planes.mutableSpan
        var bytes = unsafe span.mutableBytes
        var part = bytes._mutatingExtracting(0..<chunk.byteCount)
        Planes.best.split(chunk, width: manner.planeCount, into: &part)
    }

    /// Writes the plane's frame at `offset`; every byte that zstd saves is saved.
    ///
    /// - Returns: bytes of the frame, fewer than those of a raw one where it was compressed.
    private mutating func store(_ plane: Range<Int>, at offset: Int, compresses: Bool) -> Int {
        let rawByteCount = ZstdFrame.rawByteCount(of: plane.count)
        if compresses,
            let written = compressor.compress(planes, plane, into: &stored, at: offset..<offset + rawByteCount),
            written < rawByteCount
        {
            return written
        }
        let header = ZstdFrame.rawHeader(byteCount: plane.count)
        stored.replaceSubrange(offset..<offset + header.count, with: header)
        stored.replaceSubrange(offset + header.count..<offset + rawByteCount, with: planes[plane])
        return rawByteCount
    }
}
