import Linux

/// The fastest of the calls of one turn, and at least three: what the machine does beside it only makes others slower.
enum FastestCall {
    /// - Returns: microseconds.
    static func of(_ turnNanoseconds: UInt64, _ call: () throws -> Void) rethrows -> Double {
        var fastest = UInt64.max
        let start = Clock.monotonicNanoseconds()
        var (now, calls) = (start, 0)
        while now - start < turnNanoseconds || calls < 3 {
            try call()
            let end = Clock.monotonicNanoseconds()
            fastest = min(fastest, end - now)
            (now, calls) = (end, calls + 1)
        }
        return Double(fastest) / 1000
    }
}
