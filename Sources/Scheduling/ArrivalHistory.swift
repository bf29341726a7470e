/// When one function was called, in at most 512 bytes: how often after a short gap, and its last long gaps one by one.
///
/// Short gaps are counted in log-spaced bins. The long ones, in which a snapshot may be let go, are kept in the order in
/// which they came: what follows what says more of the next call than how often each came.
package struct ArrivalHistory: Sendable {
    /// So many long gaps are remembered: of 32 to 96 the policy decides alike on a real trace, and an eight-hour shift
    /// of a ten-minute timer is 48.
    package static let longGapsMax = 48
    /// Past so many gaps the counts are halved, so that what was long ago is forgotten.
    static let totalMax: UInt16 = 288

    /// The last arrival, nil before the first.
    package private(set) var lastArrival: Instant?
    /// Gaps seen in all, also those forgotten since.
    package private(set) var gapCount: UInt32 = 0
    /// Long gaps seen in all.
    private(set) var longGapCount: UInt32 = 0
    private var total: UInt16 = 0
    /// Those of `total` that were long.
    private(set) var longTotal: UInt16 = 0
    private(set) var shortGaps = InlineArray<64, UInt16>(repeating: 0)
    /// A ring of the last long gaps' bins, less the number of the short ones.
    private var ring = InlineArray<48, UInt8>(repeating: 0)

    package init() {}

    /// - Returns: the gap that this arrival ended, in nanoseconds; nil at the first.
    @discardableResult
    package mutating func noteArrival(at now: Instant) -> UInt64? {
        defer { lastArrival = now }
        guard let lastArrival else { return nil }
        let gap = now.nanoseconds(since: lastArrival)
        let bin = GapBins.index(ofNanoseconds: gap)
        if total >= Self.totalMax { halve() }
        gapCount &+= 1
        total += 1
        if bin < GapBins.shortCount {
            shortGaps[bin] += 1
        } else {
            ring[Int(longGapCount % UInt32(Self.longGapsMax))] = UInt8(bin - GapBins.shortCount)
            longTotal += 1
            longGapCount &+= 1
        }
        return gap
    }

    /// Long gaps remembered.
    package var longGapsKept: Int { Int(min(longGapCount, UInt32(Self.longGapsMax))) }

    /// The bin of a remembered long gap.
    ///
    /// - Parameter age: 0 for the last, less than `longGapsKept`.
    package func longGap(age: Int) -> Int {
        Int(ring[Int((longGapCount - 1 - UInt32(age)) % UInt32(Self.longGapsMax))]) + GapBins.shortCount
    }

    private mutating func halve() {
        longTotal /= 2
        total = longTotal
        for bin in 0..<GapBins.shortCount {
            shortGaps[bin] /= 2
            total += shortGaps[bin]
        }
    }
}
