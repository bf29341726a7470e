import ArgumentParser
import Foundation

/// Shows when functions are called by the clock: `thaw triggers`.
struct TriggersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "triggers",
        abstract: "Show the schedules of functions, and when each runs next.",
        discussion:
            "Schedules come from function.yaml, or from any client of EventBridge Scheduler. NEXT RUN is in UTC."
    )

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.get, "/triggers")
        if output.json { return try Output.document(document) }
        var table = Table([
            "SCHEDULE": .left, "FUNCTION": .left, "EXPRESSION": .left, "ZONE": .left, "MISSED": .left,
            "NEXT RUN": .left,
        ])
        for schedule in try client.decode(Triggers.self, from: document).schedules {
            let next = schedule.nextRunUnixSeconds.map { Date(timeIntervalSince1970: TimeInterval($0)) }
            table.add(
                "\(schedule.group)/\(schedule.name)",
                schedule.function,
                schedule.expression,
                schedule.zone,
                schedule.missed,
                schedule.isEnabled ? next?.formatted(.iso8601) ?? "over" : "paused"
            )
        }
        try Output.line(table.text)
    }

    private struct Triggers: Decodable {
        struct Schedule: Decodable {
            var group: String
            var name: String
            var function: String
            var expression: String
            var zone: String
            var isEnabled: Bool
            var missed: String
            var nextRunUnixSeconds: Int64?
        }

        var schedules: [Schedule]
    }
}
