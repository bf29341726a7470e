package import Manifests

/// When one schedule runs: its expression, and everything that bounds or moves its runs.
package struct ScheduleTiming: Equatable, Sendable {
    package var expression: ScheduleExpression
    package var zone: ScheduleZone
    /// Seconds since 1970 from which on it runs; runs of before are nobody's.
    package var since: Int64
    /// Seconds since 1970 of a rate's first run.
    package var anchor: Int64
    /// Seconds since 1970 of the last moment that it may run at; nil for no end.
    package var end: Int64?
    /// A run begins at a moment of so many seconds from its time; 0 for its time itself.
    package var windowSeconds: Int64
    package var missed: MissedRuns
    /// Older runs are not made up for.
    package var ageSecondsMax: Int64

    package init(
        expression: ScheduleExpression,
        zone: ScheduleZone = .utc,
        since: Int64,
        anchor: Int64? = nil,
        end: Int64? = nil,
        windowSeconds: Int64 = 0,
        missed: MissedRuns = .once,
        ageSecondsMax: Int64 = Self.ageSecondsDefault
    ) {
        self.expression = expression
        self.zone = zone
        self.since = since
        self.anchor = anchor ?? since
        self.end = end
        self.windowSeconds = windowSeconds
        self.missed = missed
        self.ageSecondsMax = ageSecondsMax
    }

    package static let ageSecondsDefault: Int64 = 86400

    /// The next planned time later than a time and not before the schedule's first moment.
    package func next(after seconds: Int64) -> Int64? {
        let next = expression.next(after: max(seconds, since - 1), in: zone, anchor: anchor)
        guard let next, next <= end ?? .max else { return nil }
        return next
    }

    /// The last planned time that is later than one and not later than another; nil where there is none.
    func last(after start: Int64, through end: Int64) -> Int64? {
        // Wider and wider windows: a schedule of minutes has its last run in the first, one of years in the last.
        for width in [60, 3600, 86400, 32 * 86400, 400 * 86400, .max] as [Int64] {
            let from = end - start > width ? end - width : start
            guard var found = next(after: from), found <= end else {
                if from == start { return nil }
                continue
            }
            while let later = next(after: found), later <= end { found = later }
            return found
        }
        return nil
    }

    /// Milliseconds since 1970 at which the run of a planned time begins: the same whenever it is asked for.
    func dueUnixMilliseconds(_ planned: Int64, of id: Int64) -> Int64 {
        guard windowSeconds > 0 else { return planned * 1000 }
        var mixed = UInt64(bitPattern: planned) &+ UInt64(bitPattern: id) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return planned * 1000 + Int64(mixed % UInt64(windowSeconds * 1000))
    }
}
