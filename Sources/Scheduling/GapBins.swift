/// Counts of gaps in log-spaced bins: eight an octave, from 100 ms to 29 h.
///
/// Sums of the bin numbers stand beside the counts, so that mean and spread of the gaps' logarithms cost nothing:
/// a bin's number is a logarithm already.
package struct GapBins: Sendable {
    /// 20 octaves of 8: 100 ms × 2^20 is 29 h, the first octave's end that is past a day.
    package static let count = 160
    /// The lower edge of the first bin; shorter gaps count there too.
    package static let firstEdgeNanoseconds: UInt64 = 100_000_000
    /// Past so many gaps all counts are halved: the half-life of what has been learnt.
    ///
    /// A day of a function that is called every five minutes; one that is called each second forgets in minutes.
    static let totalMax: UInt32 = 288

    private(set) var counts = InlineArray<160, UInt16>(repeating: 0)
    package private(set) var total: UInt32 = 0
    private var sum: UInt32 = 0
    private var sumOfSquares: UInt32 = 0

    package init() {}

    package static func index(ofNanoseconds gap: UInt64) -> Int {
        guard gap > firstEdgeNanoseconds else { return 0 }
        let ratio = Double(gap) / Double(firstEdgeNanoseconds)
        // The three leading bits of the fraction split each octave in eight.
        return min(count - 1, Int(ratio.exponent) * 8 + Int(ratio.significandBitPattern >> 49))
    }

    /// - Returns: the lower edge of a bin; of `count`, the upper edge of the last.
    package static func edgeNanoseconds(_ index: Int) -> UInt64 {
        (firstEdgeNanoseconds << UInt64(index / 8)) / 8 * UInt64(8 + index % 8)
    }

    /// Seconds that each bin is wide; the first begins at 0.
    static let widthSeconds: InlineArray<160, Float> = InlineArray { index in
        Float(edgeNanoseconds(index + 1) - (index == 0 ? 0 : edgeNanoseconds(index))) / 1e9
    }

    package subscript(index: Int) -> UInt16 { counts[index] }

    package mutating func add(_ gap: UInt64) {
        if total >= Self.totalMax { halve() }
        let index = Self.index(ofNanoseconds: gap)
        counts[index] += 1
        total += 1
        sum += UInt32(index)
        sumOfSquares += UInt32(index * index)
    }

    /// The spread of the gaps' logarithms, squared, in bins; 0 of nothing.
    var variance: Double {
        guard total > 0 else { return 0 }
        let mean = Double(sum) / Double(total)
        return max(0, Double(sumOfSquares) / Double(total) - mean * mean)
    }

    private mutating func halve() {
        (total, sum, sumOfSquares) = (0, 0, 0)
        for index in 0..<Self.count {
            counts[index] /= 2
            total += UInt32(counts[index])
            sum += UInt32(counts[index]) * UInt32(index)
            sumOfSquares += UInt32(counts[index]) * UInt32(index * index)
        }
    }
}
