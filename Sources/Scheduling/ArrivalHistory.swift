/// When one function was called, in at most 512 bytes: its gaps in log-spaced bins, and the last arrival.
package struct ArrivalHistory: Sendable {
    /// The last arrival, nil before the first.
    package private(set) var lastArrival: Instant?
    package private(set) var gaps = GapBins()
    /// Gaps seen in all, also those forgotten since.
    package private(set) var gapCount: UInt32 = 0

    package init() {}

    /// - Returns: the gap that this arrival ended, in nanoseconds; nil at the first.
    @discardableResult
    package mutating func noteArrival(at now: Instant) -> UInt64? {
        defer { lastArrival = now }
        guard let lastArrival else { return nil }
        let gap = now.nanoseconds(since: lastArrival)
        gaps.add(gap)
        gapCount &+= 1
        return gap
    }
}
