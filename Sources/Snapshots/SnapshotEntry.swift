/// A named tensor, or named bytes, of a snapshot.
package struct SnapshotEntry: Equatable, Sendable {
    /// How the file holds an entry's bytes.
    package enum Coding: UInt8, CaseIterable, Sendable {
        /// As they are, one plane; compressed where that makes them shorter and the writer tried.
        case bytes = 0
        /// Floats: rotated by a bit and taken apart into one plane per byte.
        case floatPlanes = 1

        /// What suits elements of this type.
        init(of element: ElementType) {
            switch element {
            case .u8, .i8, .i32, .i64: self = .bytes
            case .f16, .bf16, .f32, .f64: self = .floatPlanes
            }
        }
    }

    /// When an entry is needed.
    package enum Access: UInt8, CaseIterable, Sendable {
        /// All of it, before the first call.
        case whole = 0
        /// A table of which a call needs a few rows: smaller chunks, and pages of its own in memory.
        case rows = 1
    }

    package let name: String
    package let element: ElementType
    /// Logical shape: with a `layout` of its own the bytes may be more than the shape says (padding).
    package let shape: [Int]
    /// How the elements lie, in the words of whoever wrote them; 0 is row-major and exactly as long as `shape` says.
    package let layout: UInt8
    package let coding: Coding
    package let access: Access
    /// The number of the entry before this one that has the same bytes and lends them.
    package let twin: Int?
    /// The number of the base in whose file its frames lie; `nil` where they lie in the snapshot's own.
    ///
    /// A twin has its lender's.
    package let home: Int?
    /// Bytes in the arena.
    package let byteCount: Int
    /// Where they start there, a multiple of 64.
    package let arenaOffset: Int
    /// Bytes in the snapshot's own file; none where a twin lends them or a base has them.
    package let storedByteCount: Int
    /// Where its frames start, in the file that holds them.
    let fileOffset: Int
    /// A twin has those of its lender.
    let chunks: [SnapshotChunk]

    /// Whether its frames lie in the snapshot's own file, and are its own there.
    var isStoredHere: Bool { twin == nil && home == nil }

    /// Bytes of its frames, wherever they lie; a twin has none.
    package var frameByteCount: Int { twin == nil ? chunks.reduce(0) { $0 + $1.storedByteCount } : 0 }

    /// Planes of a chunk.
    package var planeCount: Int { coding == .bytes ? 1 : element.byteCount }

    /// Bytes in the file of each plane, over all chunks.
    package var planeByteCounts: [Int] {
        chunks.reduce(into: [Int](repeating: 0, count: planeCount)) { sums, chunk in
            for (plane, byteCount) in chunk.planeByteCounts.enumerated() { sums[plane] += byteCount }
        }
    }

    /// What names the entry's content whatever file it is in: SHA-256 over type, layout, length and the digests of its
    /// chunks.
    package func contentDigest() throws(SnapshotError) -> SnapshotDigest {
        var bytes: [UInt8] = [element.rawValue, layout, coding.rawValue, access.rawValue]
        bytes.append(littleEndian: UInt64(byteCount))
        for chunk in chunks { chunk.digest.append(to: &bytes) }
        return try Hash.snapshot(of: bytes)
    }

    /// Elements that `shape` holds; `nil` beyond what an integer holds.
    static func elementCount(of shape: [Int]) -> Int? {
        var count = 1
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }

    /// What is wrong with the four taken together, `nil` where nothing is.
    ///
    /// Reader and writer ask the same question.
    static func objection(element: ElementType, shape: [Int], layout: UInt8, byteCount: UInt64) -> String? {
        guard byteCount <= UInt64(SnapshotLimits.arenaByteCountMax) else {
            return "\(byteCount) bytes are more than any snapshot may hold"
        }
        guard shape.count <= SnapshotFormat.rankMax else {
            return "\(shape.count) dimensions, and a tensor has at most \(SnapshotFormat.rankMax)"
        }
        guard byteCount % UInt64(element.byteCount) == 0 else {
            return "\(byteCount) bytes are not whole elements of \(element), \(element.byteCount) bytes each"
        }
        guard let count = elementCount(of: shape) else { return "the shape \(shape) is impossible" }
        guard layout != 0 || UInt64(count) == byteCount / UInt64(element.byteCount) else {
            return "the shape \(shape) holds \(count) elements of \(element), but there are \(byteCount) bytes"
        }
        return nil
    }
}

/// A piece of an entry: whole elements, see ``SnapshotFormat/chunkByteCount(_:_:)``.
struct SnapshotChunk: Equatable, Sendable {
    /// Bytes of each plane's frame in the file.
    let planeByteCounts: [Int]
    /// CRC-32C over the chunk's frames.
    let checksum: UInt32
    /// SHA-512/256 over the same.
    let digest: ChunkDigest

    var storedByteCount: Int { planeByteCounts.reduce(0, +) }
}

/// 32 bytes in place: an index has one for each chunk, and is read on the way to every cold start.
struct ChunkDigest: Equatable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(reading reader: inout IndexReader) throws(SnapshotError) {
        words = (
            try reader.read(UInt64.self), try reader.read(UInt64.self), try reader.read(UInt64.self),
            try reader.read(UInt64.self)
        )
    }

    /// Of 32 bytes as a hash gives them.
    init(_ bytes: [UInt8]) throws(SnapshotError) {
        var reader = IndexReader(bytes)
        try self.init(reading: &reader)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: words.0)
        bytes.append(littleEndian: words.1)
        bytes.append(littleEndian: words.2)
        bytes.append(littleEndian: words.3)
    }

    static func == (left: ChunkDigest, right: ChunkDigest) -> Bool { left.words == right.words }
}
