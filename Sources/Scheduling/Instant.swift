/// A point on the clock that the caller brings, in nanoseconds; policy never reads a clock itself.
package struct Instant: Comparable, Hashable, Sendable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// A duration too long for the clock ends at the end of time instead of trapping.
    package func advanced(byNanoseconds duration: UInt64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// Nanoseconds from `earlier` to this instant, 0 if the clock went backwards.
    package func nanoseconds(since earlier: Instant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}
