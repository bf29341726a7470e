import Linux

/// One chunk on its way from the file to memory.
struct ChunkPlace {
    let chunk: SnapshotChunk
    /// Of the entry, for errors.
    let name: String
    let planeCount: Int
    /// The number of the base in whose file its frames lie; `nil` for the snapshot's own.
    let home: Int?
    /// Where they start there.
    let fileOffset: Int
    /// Where its bytes go in the arena.
    let target: Range<Int>
}

extension SnapshotEntry {
    /// The entry's chunks in their order.
    func places() -> [ChunkPlace] {
        let chunkByteCount = SnapshotFormat.chunkByteCount(coding, access)
        var source = fileOffset
        var start = arenaOffset
        return chunks.map { chunk in
            let end = min(start + chunkByteCount, arenaOffset + byteCount)
            defer {
                source += chunk.storedByteCount
                start = end
            }
            return ChunkPlace(
                chunk: chunk,
                name: name,
                planeCount: planeCount,
                home: home,
                fileOffset: source,
                target: start..<end
            )
        }
    }
}

/// Brings chunks into the arena, and reuses its memory for the next.
///
/// The stored bytes are copied before they are checked and decoded from that copy, so that a file which changes under
/// us, or is cut short, is found out, too.
struct ChunkDecoder: ~Copyable {
    private let decompressor: Decompressor
    /// For the chunks' digests; `nil` where checksums are enough.
    private let hash: Hash?
    private let planes: Planes
    private var stored: [UInt8] = []
    private var decoded: [UInt8] = []

    init(verifiesDigests: Bool, planes: Planes = .best) throws(SnapshotError) {
        let decompressor = try Decompressor()
        let hash = verifiesDigests ? try Hash.sha512256() : nil
        self.decompressor = decompressor
        self.hash = hash
        self.planes = planes
    }

    /// Decodes a chunk to `elements`, which has room for exactly its bytes, from the snapshot's file or a base's.
    mutating func decode(
        _ place: ChunkPlace,
        from file: borrowing FileDescriptor,
        _ bases: [BaseFile],
        into elements: inout MutableRawSpan
    ) throws(SnapshotError) {
        guard let home = place.home else { return try decode(place, from: file, into: &elements) }
        do throws(SnapshotError) {
            try decode(place, from: bases[home].file.descriptor, into: &elements)
        } catch {
            throw error.met(in: home, of: bases.map(\.base))
        }
    }

    private mutating func decode(
        _ place: ChunkPlace,
        from file: borrowing FileDescriptor,
        into elements: inout MutableRawSpan
    ) throws(SnapshotError) {
        let byteCount = place.chunk.storedByteCount
        makeRoom(for: place)
        var span = stored.mutableSpan
        var buffer = unsafe span.mutableBytes
        var part = buffer._mutatingExtracting(0..<byteCount)
        let count: Int
        do throws(SystemError) {
            count = try file.pread(into: &part, at: place.fileOffset)
        } catch {
            throw .system(error)
        }
        guard count == byteCount else {
            throw .altered(entry: place.name, offset: place.fileOffset + count, "the file ends there")
        }
        try decode(place, into: &elements)
    }

    /// As ``decode(_:from:_:into:)``, from a file that is mapped from its start.
    mutating func decode(
        _ place: ChunkPlace,
        mapped file: borrowing RawSpan,
        into elements: inout MutableRawSpan
    ) throws(SnapshotError) {
        let source = place.fileOffset..<place.fileOffset + place.chunk.storedByteCount
        makeRoom(for: place)
        unsafe file.extracting(source).withUnsafeBytes { bytes in
            unsafe stored.withUnsafeMutableBytes { unsafe $0.copyMemory(from: bytes) }
        }
        try decode(place, into: &elements)
    }

    /// As much scratch as the largest chunk so far: a function without a model needs a few hundred bytes.
    private mutating func makeRoom(for place: ChunkPlace) {
        let storedByteCount = max(place.chunk.storedByteCount, place.target.count)
        if stored.count < storedByteCount { stored = [UInt8](repeating: 0, count: storedByteCount) }
        if decoded.count < place.target.count { decoded = [UInt8](repeating: 0, count: place.target.count) }
    }

    private mutating func decode(_ place: ChunkPlace, into elements: inout MutableRawSpan) throws(SnapshotError) {
        try check(place)
        let count = elements.byteCount / place.planeCount
        var sources: [PlaneSource] = []
        sources.reserveCapacity(place.planeCount)
        var start = 0
        for (plane, byteCount) in place.chunk.planeByteCounts.enumerated() {
            let frame = start..<start + byteCount
            if byteCount == ZstdFrame.rawByteCount(of: count) {
                sources.append(PlaneSource(isDecoded: false, offset: try rawBytes(of: frame, count: count, place)))
            } else {
                let target = plane * count..<(plane + 1) * count
                guard decompressor.decompress(stored, frame, into: &decoded, at: target) else {
                    let reason = "zstd does not find \(count) bytes of a plane there"
                    throw .altered(entry: place.name, offset: place.fileOffset + start, reason)
                }
                sources.append(PlaneSource(isDecoded: true, offset: target.lowerBound))
            }
            start += byteCount
        }
        unsafe planes.merge(sources, stored: stored.span.bytes, decoded: decoded.span.bytes, into: &elements)
    }

    /// Where the bytes of a raw frame start: the frame must be the one that any decoder would read like us.
    private func rawBytes(of frame: Range<Int>, count: Int, _ place: ChunkPlace) throws(SnapshotError) -> Int {
        let header = ZstdFrame.rawHeader(byteCount: count)
        guard stored[frame].starts(with: header) else {
            let offset = place.fileOffset + frame.lowerBound
            throw .altered(entry: place.name, offset: offset, "no frame of \(count) raw bytes starts there")
        }
        return frame.lowerBound + header.count
    }

    private func check(_ place: ChunkPlace) throws(SnapshotError) {
        let chunk = place.chunk
        let byteCount = chunk.storedByteCount
        let bytes = unsafe stored.span.bytes.extracting(0..<byteCount)
        guard planes.checksum(of: bytes) == chunk.checksum else {
            let reason = "the checksum of the \(byteCount) bytes from there is wrong"
            throw .altered(entry: place.name, offset: place.fileOffset, reason)
        }
        if let found = try hash?.digest(of: bytes), try ChunkDigest(found) != chunk.digest {
            let reason = "the digest of the \(byteCount) bytes from there is wrong"
            throw .altered(entry: place.name, offset: place.fileOffset, reason)
        }
    }
}
