/// Whether one more call may wait for a worker of a pool, and when to come back if not.
package struct Admission: Equatable, Sendable {
    /// Moving average of the time that a call held its worker, in nanoseconds; 0 until the first call is done.
    package private(set) var holdNanosecondsAverage: UInt64 = 0

    package init() {}

    /// Weight 1/8 for the newest: a few dozen calls forget a cold first one, a single slow call does not scare callers off.
    package mutating func noteHold(nanoseconds: UInt64) {
        let old = holdNanosecondsAverage
        holdNanosecondsAverage = old == 0 ? nanoseconds : old - old / 8 + nanoseconds / 8
    }

    /// - Parameters:
    ///   - waiting: calls that already wait.
    ///   - slots: calls that the pool may run at once.
    /// - Returns: nil if the call may wait.
    package func refusal(waiting: Int, slots: Int, limits: PoolLimits) -> Refusal? {
        if waiting >= limits.queueDepthMax {
            return .queueFull(retryAfterSeconds: retryAfterSeconds(waiting: waiting, slots: slots))
        }
        guard waitNanoseconds(waiting: waiting, slots: slots) <= limits.waitNanosecondsMax else {
            return .deadlineUnreachable(retryAfterSeconds: retryAfterSeconds(waiting: waiting, slots: slots))
        }
        return nil
    }

    /// Whole seconds until the queue has moved on, at least 1: `Retry-After` knows no fractions.
    package func retryAfterSeconds(waiting: Int, slots: Int) -> Int {
        let seconds = waitNanoseconds(waiting: waiting, slots: slots) / 1_000_000_000
        return Int(min(max(seconds, 1), 3600))
    }

    private func waitNanoseconds(waiting: Int, slots: Int) -> UInt64 {
        let (product, overflow) = holdNanosecondsAverage.multipliedReportingOverflow(by: UInt64(waiting))
        return overflow ? .max : product / UInt64(max(slots, 1))
    }
}
