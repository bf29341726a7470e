/// A named tensor, or named bytes, of a snapshot.
package struct SnapshotEntry: Equatable, Sendable {
    package let name: String
    package let element: ElementType
    /// Logical shape: with a `layout` of its own the bytes may be more than the shape says (padding).
    package let shape: [Int]
    /// How the elements lie, in the words of whoever wrote them; 0 is row-major and exactly as long as `shape` says.
    package let layout: UInt8
    /// Bytes in the arena.
    package let byteCount: Int
    /// Where they start there, a multiple of 64.
    package let arenaOffset: Int
    /// Bytes in the file.
    package let storedByteCount: Int
    /// Where they start there.
    let fileOffset: Int
    let chunks: [SnapshotChunk]

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

/// A piece of an entry: at most ``SnapshotFormat/chunkByteCount`` bytes in the arena, whole elements.
struct SnapshotChunk: Equatable, Sendable {
    /// Bytes in the file of each plane; a plane that is stored as it is has as many as the chunk has elements.
    let planeByteCounts: [Int]
    /// CRC-32C over the chunk's bytes in the file.
    let checksum: UInt32
    /// SHA-512/256 over the same.
    let digest: [UInt8]

    var storedByteCount: Int { planeByteCounts.reduce(0, +) }
}
