/// When one function was called, in at most 512 bytes: gaps in log-spaced bins from 100 ms to 24 h, and the last ones.
package struct ArrivalHistory: Sendable {
    /// The last arrival, nil before the first.
    package private(set) var lastArrival: Instant?
    package private(set) var bins = GapBins()
    /// The gap that ended with the last arrival.
    package private(set) var lastGapNanoseconds: UInt64?

    package init() {}

    /// - Returns: the gap that this arrival ended, in nanoseconds; nil at the first.
    @discardableResult
    package mutating func noteArrival(at now: Instant) -> UInt64? {
        defer { lastArrival = now }
        guard let lastArrival else { return nil }
        let gap = now.nanoseconds(since: lastArrival)
        bins.add(gap)
        lastGapNanoseconds = gap
        return gap
    }
}
