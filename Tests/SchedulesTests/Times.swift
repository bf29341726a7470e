import Foundation

@testable import Schedules

/// Runs of an expression as texts in UTC, for tables.
enum Times {
    static func seconds(_ text: String) -> Int64 {
        guard case .at(let time)? = try? ScheduleExpression("at(\(text))") else { preconditionFailure(text) }
        return time.secondsOfClock
    }

    static func runs(
        _ text: String,
        _ zone: String,
        after: String,
        anchor: String = "2026-01-01T00:00:00",
        count: Int,
        isWithSeconds: Bool = false
    ) throws -> [String] {
        guard let zone = ScheduleZone(zone) else { preconditionFailure(zone) }
        let expression = try ScheduleExpression(text)
        var runs: [String] = []
        var time = seconds(after)
        while runs.count < count, let next = expression.next(after: time, in: zone, anchor: seconds(anchor)) {
            runs.append(String(CivilTime(secondsOfClock: next).description.prefix(isWithSeconds ? 19 : 16)))
            time = next
        }
        return runs
    }
}
