import Linux

/// Brings chunks from the file into the arena, and reuses its memory for the next.
///
/// The stored bytes are copied before they are checked and decoded from that copy, so that a file which changes under
/// us, or is cut short, is found out, too. Mapping the file instead would save the copy, a seventh of the time.
struct ChunkDecoder: ~Copyable {
    private let decompressor: Decompressor
    /// For the chunks' digests; `nil` where checksums are enough.
    private let hash: Hash?
    private let planes: Planes
    private var stored: [UInt8]
    private var decoded: [UInt8]

    /// Makes room for the largest entry, up to a chunk.
    ///
    /// A function without a model has a few hundred bytes, and its start should not wait for scratch that it never uses.
    init(entryByteCountMax: Int, verifiesDigests: Bool, planes: Planes = .best) throws(SnapshotError) {
        let decompressor = try Decompressor()
        let hash = verifiesDigests ? try Hash.sha512256() : nil
        self.decompressor = decompressor
        self.hash = hash
        self.planes = planes
        stored = [UInt8](repeating: 0, count: min(entryByteCountMax, SnapshotFormat.chunkByteCount))
        decoded = stored
    }

    /// Decodes the chunk that starts at `offset` of the file to `elements`, which has room for exactly its bytes.
    mutating func decode(
        _ chunk: SnapshotChunk,
        of entry: String,
        from file: borrowing FileDescriptor,
        at offset: Int,
        into elements: inout MutableRawSpan
    ) throws(SnapshotError) {
        try read(chunk, of: entry, from: file, at: offset)
        let count = elements.byteCount / chunk.planeByteCounts.count
        var sources: [PlaneSource] = []
        var start = 0
        for (plane, byteCount) in chunk.planeByteCounts.enumerated() {
            if byteCount == count {
                sources.append(PlaneSource(isDecoded: false, offset: start))
            } else {
                let target = plane * count..<(plane + 1) * count
                guard decompressor.decompress(stored, start..<start + byteCount, into: &decoded, at: target) else {
                    throw .altered(
                        entry: entry,
                        offset: offset + start,
                        "zstd does not find \(count) bytes of a plane there"
                    )
                }
                sources.append(PlaneSource(isDecoded: true, offset: target.lowerBound))
            }
            start += byteCount
        }
        unsafe planes.merge(sources, stored: stored.span.bytes, decoded: decoded.span.bytes, into: &elements)
    }

    /// Reads the stored bytes and checks them.
    private mutating func read(
        _ chunk: SnapshotChunk,
        of entry: String,
        from file: borrowing FileDescriptor,
        at offset: Int
    ) throws(SnapshotError) {
        let byteCount = chunk.storedByteCount
        var span = stored.mutableSpan
        var buffer = unsafe span.mutableBytes
        var part = buffer._mutatingExtracting(0..<byteCount)
        let count: Int
        do throws(SystemError) {
            count = try file.pread(into: &part, at: offset)
        } catch {
            throw .system(error)
        }
        guard count == byteCount else {
            throw .altered(entry: entry, offset: offset + count, "the file ends there")
        }
        let bytes = unsafe stored.span.bytes.extracting(0..<byteCount)
        guard planes.checksum(of: bytes) == chunk.checksum else {
            throw .altered(entry: entry, offset: offset, "the checksum of the \(byteCount) bytes from there is wrong")
        }
        guard try hash?.digest(of: bytes) ?? chunk.digest == chunk.digest else {
            throw .altered(entry: entry, offset: offset, "the digest of the \(byteCount) bytes from there is wrong")
        }
    }
}
