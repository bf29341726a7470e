package import ControlPlane
package import Manifests
package import Registry

/// Schedules that functions bring in their manifests: those of the version that serves, and no others.
extension ScheduleService {
    package static let groupOfFunctions = "functions"

    /// Why a function's schedules cannot be; nil where they can.
    package static func complaint(about manifest: Manifest) -> String? {
        for (index, schedule) in (manifest.schedules ?? []).enumerated() {
            func complaint(_ words: String) -> String { "\(Manifest.fileName): schedules[\(index)]: \(words)" }
            guard let zone = ScheduleZone(schedule.zone ?? "UTC") else {
                return complaint("\"\(schedule.zone ?? "")\" is no time zone of the IANA database, as Europe/Berlin is")
            }
            do throws(ScheduleExpressionError) {
                let expression = try ScheduleExpression(schedule.expression)
                if expression.next(after: 0, in: zone, anchor: 0) == nil { return complaint("it never comes about") }
            } catch {
                return complaint("\(schedule.expression): \(error)")
            }
            if let input = schedule.input, JSONValue(parsing: input.utf8) == nil {
                return complaint("input should be JSON, such as '{\"a\": 1}'")
            }
        }
        return nil
    }

    /// Makes the schedules of a function those of the version that serves; none where it is gone.
    ///
    /// - Parameter functionARN: of the function, as the Lambda API names it.
    package func follow(_ function: String, _ manifest: Manifest?, functionARN: String) async throws(LambdaError) {
        let time = now()
        let wanted = (manifest?.schedules ?? []).enumerated().map { index, written in
            var schedule = Schedule(
                group: Self.groupOfFunctions,
                name: "\(function).\(index + 1)",
                expression: written.expression,
                target: .present(["Arn": .text(functionARN), "Input": written.input.map { .text($0) }]),
                now: time
            )
            schedule.timezone = written.zone ?? "UTC"
            schedule.missed = written.missed ?? .once
            // A nightly run that a weekend without power swallowed is still wanted.
            schedule.ageSecondsMax = Self.ageSecondsMaxOfFunctions
            schedule.owner = function
            return schedule
        }
        if !wanted.isEmpty {
            let group = ScheduleGroup(name: Self.groupOfFunctions, created: time, modified: time)
            _ = try await storage { [store] in
                try await store.changeGroup(Self.groupOfFunctions) { stored in stored = stored ?? group }
            }
        }
        try await reconcile(function, wanted)
    }

    /// Thirty days.
    private static let ageSecondsMaxOfFunctions = 30 * 86400

    /// Follows every function, and forgets those that went while the node was down.
    package func followAll(
        _ registry: Registry,
        arn: (String) -> String
    ) async throws(LambdaError) {
        let owners = try await storage { [store] in try await store.owners() }
        let withSchedules = registry.names { $0.schedules != nil }
        for name in owners.union(withSchedules) {
            try await follow(name, try? registry.resolve(name).manifest, functionARN: arn(name))
        }
    }
}
