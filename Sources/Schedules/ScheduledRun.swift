package import ControlPlane
import Events
package import Metering
package import Queues

/// A run that is to be made.
package struct ScheduledRun: Sendable {
    package var id: Int64
    package var schedule: Schedule
    /// Seconds since 1970.
    package var planned: Int64

    package init(id: Int64, schedule: Schedule, planned: Int64) {
        self.id = id
        self.schedule = schedule
        self.planned = planned
    }

    /// The series that a schedule's events are one of: of a planned time there is one, whatever ends in between.
    package static func series(of id: Int64) -> String { seriesPrefix + String(id) }
    package static let seriesPrefix = "schedule/"

    package var place: SeriesPosition { SeriesPosition(Self.series(of: id), planned) }

    /// The id of the event: the same whenever this run is made.
    package var eventID: InvocationID {
        func mixed(_ word: UInt64) -> UInt64 {
            var mixed = word &+ 0x9E37_79B9_7F4A_7C15
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
        let milliseconds = UInt64(bitPattern: planned &* 1000)
        let random = mixed(mixed(UInt64(bitPattern: id)) ^ milliseconds)
        // A UUID of version 7 as RFC 9562 has it; its bits are those that make one, so there is one.
        let high = milliseconds << 16 | 0x7000 | random >> 52
        return InvocationID(high: high, low: 0b10 << 62 | random & (.max >> 2)) ?? .generated()
    }

    /// `2026-03-22T18:59:43Z`.
    private var time: String { CivilTime(secondsOfClock: planned).description + "Z" }

    /// Hands the event in, to be run once.
    func accept(by events: EventRunner, _ function: FunctionReference, _ body: [UInt8]) async throws {
        _ = try await events.accept(
            function,
            contentType: "application/json",
            body: body,
            clientContext: "",
            origin: EventRunner.Origin(
                id: eventID,
                series: place,
                trigger: "schedule:\(schedule.group)/\(schedule.name)"
            )
        )
    }

    /// What the function is given.
    package func event(in account: LambdaAccount) throws(LambdaError) -> (FunctionReference, body: [UInt8]) {
        let target = try ScheduleTarget(schedule.target, in: account)
        let arn = schedule.arn(in: account)
        guard let input = target.input else {
            let document: JSONValue = [
                "version": "0", "id": .text(eventID.description), "detail-type": "Scheduled Event",
                "source": "aws.scheduler", "account": .text(account.id), "time": .text(time),
                "region": .text(account.region), "resources": .array([.text(arn)]), "detail": .object([:]),
            ]
            return (target.function, document.bytes)
        }
        guard input.contains("<aws.scheduler.") else { return (target.function, Array(input.utf8)) }
        let text =
            input
            .replacing("<aws.scheduler.schedule-arn>", with: arn)
            .replacing("<aws.scheduler.scheduled-time>", with: time)
            .replacing("<aws.scheduler.execution-id>", with: eventID.description)
            // The queue's attempts are of one event, whose body does not change.
            .replacing("<aws.scheduler.attempt-number>", with: "1")
        return (target.function, Array(text.utf8))
    }
}

/// Whom a schedule calls, and with what.
struct ScheduleTarget: Equatable, Sendable {
    var function: FunctionReference
    /// nil for an event that says which schedule it is of.
    var input: String?

    private static let universal = "arn:aws:scheduler:::aws-sdk:"

    /// - Parameter target: a function's ARN, or `lambda:invoke` as one of all services' operations.
    init(_ target: JSONValue, in account: LambdaAccount) throws(LambdaError) {
        guard let arn = target["Arn"]?.text else {
            throw LambdaError(
                .validation,
                "1 validation error detected: Value null at 'target.arn' failed to satisfy constraint: Member must not be null"
            )
        }
        let input = target["Input"]?.text
        if arn.hasPrefix("arn:aws:lambda:") {
            function = try FunctionReference(arn, in: account)
            self.input = input
            return
        }
        guard arn == Self.universal + "lambda:invoke" else {
            throw LambdaError(
                .validation,
                "Provided Arn is not in correct format, or of a service that this node does not have: \(arn.prefix(200)). "
                    + "Targets here are functions (arn:aws:lambda:…) and \(Self.universal)lambda:invoke."
            )
        }
        guard let document = input.flatMap({ JSONValue(parsing: $0.utf8) }), let name = document["FunctionName"]?.text
        else {
            throw LambdaError(.validation, "The Input of \(arn) should be a JSON object with a FunctionName.")
        }
        function = try FunctionReference(name, qualifier: document["Qualifier"]?.text, in: account)
        self.input = document["Payload"]?.text ?? document["Payload"]?.json ?? "{}"
    }
}
