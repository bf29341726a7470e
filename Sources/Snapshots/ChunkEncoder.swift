/// Turns a chunk's bytes into what the file holds, and reuses its memory for the next: packing only.
struct ChunkEncoder: ~Copyable {
    private let compressor: Compressor
    private let hash: Hash
    private var planes = [UInt8](repeating: 0, count: SnapshotFormat.chunkByteCount)
    private var stored = [UInt8](repeating: 0, count: SnapshotFormat.chunkByteCount)

    /// A plane is kept compressed if that saves an eighth of it.
    ///
    /// Decoding runs at 1 to 2 GB/s of plane, merging a plane that is stored as it is at ten times that: most mantissa
    /// planes would give a few percent of themselves back for as much time as the exponents take.
    private static let savingMin = 8

    init() throws(SnapshotError) {
        let compressor = try Compressor()
        let hash = try Hash.sha512256()
        self.compressor = compressor
        self.hash = hash
    }

    /// Hands the bytes for the file to `write` and returns their record for the index.
    ///
    /// A chunk has at most ``SnapshotFormat/chunkByteCount`` bytes, whole elements.
    mutating func encode(
        _ chunk: borrowing RawSpan,
        element: ElementType,
        write: (borrowing RawSpan) throws(SnapshotError) -> Void
    ) throws(SnapshotError) -> SnapshotChunk {
        let width = element.byteCount
        let count = chunk.byteCount / width
        split(chunk, width: width)
        try compressor.prepare(for: width == 1 ? .bytes : .plane)
        var end = 0
        var counts: [Int] = []
        for plane in 0..<width {
            let written = store(plane * count..<(plane + 1) * count, at: end)
            counts.append(written)
            end += written
        }
        let result = unsafe stored.span.bytes.extracting(0..<end)
        let digest = try hash.digest(of: result)
        try write(result)
        return SnapshotChunk(planeByteCounts: counts, checksum: Planes.best.checksum(of: result), digest: digest)
    }

    private mutating func split(_ chunk: borrowing RawSpan, width: Int) {
        var span = planes.mutableSpan
        var bytes = unsafe span.mutableBytes
        var part = bytes._mutatingExtracting(0..<chunk.byteCount)
        Planes.best.split(chunk, width: width, into: &part)
    }

    /// - Returns: bytes stored at `offset`, fewer than the plane has where it was compressed.
    private mutating func store(_ plane: Range<Int>, at offset: Int) -> Int {
        let roomMax = plane.count - max(plane.count / Self.savingMin, 1)
        if let written = compressor.compress(planes, plane, into: &stored, at: offset..<offset + roomMax) {
            return written
        }
        stored.replaceSubrange(offset..<offset + plane.count, with: planes[plane])
        return plane.count
    }
}
