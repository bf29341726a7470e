/// The bins in which gaps between calls are told apart, from 100 ms to a day.
///
/// ```
/// 0 ... 63      eight an octave, 100 ms to 25.6 s    where calls come in bursts, a factor tells enough
/// 64 ... 190    a minute each, 1 to 127 minutes      what timers are set in; each lies in the middle of its bin
/// 191 ... 311   32 an octave, 127.5 min to 29 h      a minute's precision is of no use there
/// ```
package enum GapBins {
    package static let count = 312
    /// The bins below this one are of gaps so short that a snapshot is not let go between them.
    package static let shortCount = 64
    /// The lower edge of the first bin; shorter gaps count there too.
    package static let firstEdgeNanoseconds: UInt64 = 100_000_000

    private static let minute: UInt64 = 60_000_000_000
    private static let minuteEdge = firstEdgeNanoseconds << 8
    private static let longFirst = 191
    private static let longEdge = minute * 255 / 2

    package static func index(ofNanoseconds gap: UInt64) -> Int {
        if gap <= firstEdgeNanoseconds { return 0 }
        if gap < minuteEdge { return octaves(gap, over: firstEdgeNanoseconds, bits: 3) }
        if gap < longEdge { return shortCount - 1 + max(1, Int((gap + minute / 2) / minute)) }
        return min(count - 1, longFirst + octaves(gap, over: longEdge, bits: 5))
    }

    /// The leading bits of the fraction split each octave.
    private static func octaves(_ gap: UInt64, over edge: UInt64, bits: Int) -> Int {
        let ratio = Double(gap) / Double(edge)
        return Int(ratio.exponent) << bits + Int(ratio.significandBitPattern >> UInt64(52 - bits))
    }

    /// - Returns: the lower edge of a bin; of `count`, the upper edge of the last.
    package static func edgeNanoseconds(_ index: Int) -> UInt64 {
        if index <= shortCount { return (firstEdgeNanoseconds << UInt64(index / 8)) / 8 * UInt64(8 + index % 8) }
        if index <= longFirst { return minute * UInt64(2 * (index - shortCount) + 1) / 2 }
        let place = index - longFirst
        return (longEdge << UInt64(place / 32)) / 32 * UInt64(32 + place % 32)
    }

    /// Seconds that each bin is wide; the first begins at 0.
    static let widthSeconds: InlineArray<312, Float> = InlineArray { index in
        Float(edgeNanoseconds(index + 1) - (index == 0 ? 0 : edgeNanoseconds(index))) / 1e9
    }

    /// Binary logarithms of the lower edges, in seconds; the last is the upper edge of the last bin.
    static let edgeLogarithms: InlineArray<313, Float> = InlineArray { index in
        logarithm(Double(edgeNanoseconds(index)) / 1e9)
    }

    /// Of each bin's middle: of the minute bins the whole minute.
    static let middleLogarithms: InlineArray<312, Float> = InlineArray { index in
        let isMinute = index >= shortCount && index < longFirst
        let sum = edgeNanoseconds(index) + edgeNanoseconds(index + 1)
        return logarithm(isMinute ? Double(index - shortCount + 1) * 60 : Double(sum) / 2e9)
    }

    /// By the series of the inverse hyperbolic tangent, which ten terms take past a Float's precision.
    private static func logarithm(_ value: Double) -> Float {
        let ratio = (value.significand - 1) / (value.significand + 1)
        var (sum, power) = (0.0, ratio)
        for term in 0..<10 {
            sum += power / Double(2 * term + 1)
            power *= ratio * ratio
        }
        return Float(Double(value.exponent) + 2 * sum / 0.693_147_180_559_945_3)
    }
}
