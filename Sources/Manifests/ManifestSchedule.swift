/// A time at which a function is called, as its author writes it.
///
/// What the texts mean is for the room of schedules to say: the packer, which reads the manifest, has no time zones.
package struct ManifestSchedule: Codable, Hashable, Sendable {
    /// `cron(…)`, `rate(…)` or `at(…)`.
    package var expression: String
    /// As in the IANA database; nil is UTC.
    package var zone: String?
    /// JSON that the function is given; nil for an event that says when it was due.
    package var input: String?
    /// nil is once.
    package var missed: MissedRuns?

    package init(expression: String, zone: String? = nil, input: String? = nil, missed: MissedRuns? = nil) {
        self.expression = expression
        self.zone = zone
        self.input = input
        self.missed = missed
    }
}

/// What becomes of runs whose time passed while the node was down, or the clock jumped over them.
package enum MissedRuns: String, Codable, CaseIterable, Sendable {
    /// They are not run.
    case skip
    /// The last of them is run, for all.
    case once
    /// Each is run, the oldest first.
    case all
}
