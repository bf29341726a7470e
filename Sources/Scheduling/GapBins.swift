/// Counts of gaps in log-spaced bins: four an octave, from 100 ms to 24 h.
package struct GapBins: Sendable {
    /// 2^20 × 100 ms is more than 24 h: 20 octaves of 4.
    package static let count = 80
    /// The lower edge of the first bin; shorter gaps count there too.
    package static let firstEdgeNanoseconds: UInt64 = 100_000_000

    private var counts = InlineArray<80, UInt16>(repeating: 0)
    package private(set) var total: UInt32 = 0

    package init() {}

    package static func index(ofNanoseconds gap: UInt64) -> Int {
        guard gap > firstEdgeNanoseconds else { return 0 }
        let ratio = Double(gap) / Double(firstEdgeNanoseconds)
        return min(count - 1, Int(ratio.exponent) * 4 + Int(ratio.significandBitPattern >> 50))
    }

    /// - Returns: the lower edge of a bin; of `count`, the upper edge of the last.
    package static func edgeNanoseconds(_ index: Int) -> UInt64 {
        (firstEdgeNanoseconds << UInt64(index / 4)) / 4 * UInt64(4 + index % 4)
    }

    package subscript(index: Int) -> UInt16 { counts[index] }

    package mutating func add(_ gap: UInt64) {
        if counts[Self.index(ofNanoseconds: gap)] == .max { halve() }
        counts[Self.index(ofNanoseconds: gap)] += 1
        total += 1
    }

    private mutating func halve() {
        total = 0
        for index in 0..<Self.count {
            counts[index] /= 2
            total += UInt32(counts[index])
        }
    }
}
