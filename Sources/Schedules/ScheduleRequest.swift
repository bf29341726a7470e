import ControlPlane
import Manifests

/// A schedule as a request of EventBridge Scheduler describes it, read with the constraints of that API's model.
struct ScheduleRequest: Sendable {
    let fields: RequestFields
    let name: String
    let account: LambdaAccount

    init(_ fields: RequestFields, name: String, in account: LambdaAccount) throws(LambdaError) {
        self.fields = fields
        self.name = name
        self.account = account
        try Self.check(name, "name")
        if let group = try fields.text("GroupName") { try Self.check(group, "groupName") }
    }

    /// Names of schedules and groups.
    static func check(_ name: String, _ place: String) throws(LambdaError) {
        guard name.utf8.count <= 64 else {
            throw .constraint(name, at: place, "Member must have length less than or equal to 64")
        }
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        guard isName, !name.isEmpty else {
            throw .constraint(name, at: place, "Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$")
        }
    }

    func group() throws(LambdaError) -> String { try fields.text("GroupName") ?? Schedule.groupDefault }

    /// What the request describes; everything that it leaves out has its default, also in an update.
    func schedule(now: Double) throws(LambdaError) -> Schedule {
        let expression = try fields.required("ScheduleExpression", charactersMax: ScheduleExpression.charactersMax)
        guard let target = fields.value("Target") else { throw Self.missing("target") }
        guard target.members != nil else { throw LambdaError(.serialization, "Target should be an object") }
        var schedule = Schedule(group: try group(), name: name, expression: expression, target: target, now: now)
        schedule.timezone = try fields.text("ScheduleExpressionTimezone", charactersMax: 50) ?? "UTC"
        schedule.start = try seconds("StartDate")
        schedule.end = try seconds("EndDate")
        schedule.isEnabled = try fields.choice("State", ["ENABLED", "DISABLED"]) != "DISABLED"
        schedule.description = try fields.text("Description", charactersMax: 512) ?? ""
        schedule.isDeletedAfterCompletion =
            try fields.choice("ActionAfterCompletion", ["NONE", "DELETE"]) == "DELETE"
        schedule.keyARN = try fields.text("KmsKeyArn", charactersMax: 2048)
        schedule.clientToken = try fields.text("ClientToken", charactersMax: 64)
        schedule.windowMinutes = try windowMinutes()
        try readTarget(RequestFields(target), into: &schedule)
        // Ours: clients of the service do not have it.
        if let missed = try fields.choice("MissedRuns", MissedRuns.allCases.map(\.rawValue)) {
            schedule.missed = MissedRuns(rawValue: missed) ?? .once
        }
        if let start = schedule.start, let end = schedule.end, end < start {
            throw LambdaError(.validation, "The EndDate must come after the StartDate.")
        }
        do throws(ScheduleExpressionError) {
            _ = try schedule.timing()
        } catch {
            throw LambdaError(.validation, "Invalid Schedule Expression \(expression): \(error).")
        }
        return schedule
    }

    private func windowMinutes() throws(LambdaError) -> Int {
        guard let window = try fields.object("FlexibleTimeWindow") else { throw Self.missing("flexibleTimeWindow") }
        guard let mode = try window.choice("Mode", ["OFF", "FLEXIBLE"]) else {
            throw Self.missing("flexibleTimeWindow.mode")
        }
        let minutes = try window.integer("MaximumWindowInMinutes", in: 1...1440)
        guard mode == "FLEXIBLE" else { return 0 }
        guard let minutes else {
            throw LambdaError(
                .validation,
                "MaximumWindowInMinutes must be given where the mode of the flexible time window is FLEXIBLE."
            )
        }
        return minutes
    }

    private func readTarget(_ target: RequestFields, into schedule: inout Schedule) throws(LambdaError) {
        guard target.has("RoleArn") else { throw Self.missing("target.roleArn") }
        _ = try target.text("RoleArn", charactersMax: 1600)
        let found = try ScheduleTarget(target.document, in: account)
        // A function is given JSON.
        if let input = found.input, JSONValue(parsing: input.utf8) == nil {
            throw LambdaError(.validation, "Invalid RequestPayload provided: the Input of a function should be JSON.")
        }
        let policy = try target.object("RetryPolicy")
        let age = try policy?.integer("MaximumEventAgeInSeconds", in: 60...86400)
        _ = try policy?.integer("MaximumRetryAttempts", in: 0...185)
        schedule.ageSecondsMax = age ?? Int(ScheduleTiming.ageSecondsDefault)
        if let queue = try target.object("DeadLetterConfig") { _ = try queue.text("Arn", charactersMax: 1600) }
    }

    /// Beyond the year 30000: no calendar is asked about that.
    private var timeSecondsMax: Int { 1 << 40 }

    /// A time as the protocol writes it: seconds since 1970, with parts of them or without.
    private func seconds(_ key: String) throws(LambdaError) -> Double? {
        switch fields.value(key) {
        case nil: return nil
        case .integer(let seconds)? where abs(seconds) < timeSecondsMax: return Double(seconds)
        case .number(let seconds)? where abs(seconds) < Double(timeSecondsMax): return seconds
        default: throw LambdaError(.serialization, "\(key) should be seconds since 1970")
        }
    }

    static func missing(_ place: String) -> LambdaError {
        LambdaError(
            .validation,
            "1 validation error detected: Value null at '\(place)' failed to satisfy constraint: Member must not be null"
        )
    }
}
