package import ControlPlane
package import Manifests

/// A schedule as its owner describes it: a document of the store.
package struct Schedule: Codable, Equatable, Sendable {
    package var group: String
    package var name: String
    package var expression: String
    package var timezone: String = "UTC"
    /// Seconds since 1970.
    package var start: Double?
    package var end: Double?
    package var isEnabled = true
    package var description = ""
    /// 0 where runs begin at their times.
    package var windowMinutes = 0
    /// As the API has it: the ARN, the input, policies.
    package var target: JSONValue
    package var isDeletedAfterCompletion = false
    package var keyARN: String?
    package var missed = MissedRuns.once
    /// How old a missed run may be that is made up for.
    package var ageSecondsMax = Int(ScheduleTiming.ageSecondsDefault)
    /// The function whose manifest has this schedule; nil for one of the API's.
    package var owner: String?
    /// Seconds since 1970.
    package var created: Double
    package var modified: Double
    /// Seconds since 1970 from which on runs are owed.
    package var since: Int64
    /// Of the request that made it: one that is repeated has it again.
    package var clientToken: String?

    package init(group: String, name: String, expression: String, target: JSONValue, now: Double) {
        self.group = group
        self.name = name
        self.expression = expression
        self.target = target
        created = now
        modified = now
        since = Int64(now.rounded(.up))
    }

    package static let groupDefault = "default"

    /// What it runs by.
    ///
    /// - Throws: where the expression or the zone cannot be read.
    package func timing() throws(ScheduleExpressionError) -> ScheduleTiming {
        guard let zone = ScheduleZone(timezone) else {
            throw ScheduleExpressionError("\"\(timezone.prefix(60))\" is no time zone of the IANA database")
        }
        let expression = try ScheduleExpression(self.expression)
        let first = start.map { Int64($0.rounded(.up)) }
        return ScheduleTiming(
            expression: expression,
            zone: zone,
            since: max(since, first ?? since),
            // A rate counts from its start, also where that is past.
            anchor: first ?? since,
            end: end.map { Int64($0.rounded(.down)) },
            windowSeconds: Int64(windowMinutes) * 60,
            missed: missed,
            ageSecondsMax: Int64(ageSecondsMax)
        )
    }

    /// Whether another description runs at the same times, so that what has run of this one has run of that one.
    func runsLike(_ other: Schedule) -> Bool {
        expression == other.expression && timezone == other.timezone && start == other.start
            && isEnabled == other.isEnabled
    }

    package func arn(in account: LambdaAccount) -> String {
        "arn:aws:scheduler:\(account.region):\(account.id):schedule/\(group)/\(name)"
    }
}

/// A group of schedules, which are deleted together.
package struct ScheduleGroup: Codable, Equatable, Sendable {
    package var name: String
    /// Seconds since 1970.
    package var created: Double
    package var modified: Double
    package var tags: [String: String] = [:]
    package var clientToken: String?

    package func arn(in account: LambdaAccount) -> String {
        "arn:aws:scheduler:\(account.region):\(account.id):schedule-group/\(name)"
    }
}
