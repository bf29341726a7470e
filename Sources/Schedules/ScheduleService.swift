package import ControlPlane
package import Events
import Foundation
import Linux
package import Logging
import Manifests
import Queues
package import NIOCore
import Synchronization

/// The API of EventBridge Scheduler, without HTTP: documents in, documents out, or an error in the service's words.
package final class ScheduleService: Sendable {
    let account: LambdaAccount
    let runner: ScheduleRunner
    let now: @Sendable () -> Double
    private let onStop: @Sendable () -> Void
    var store: ScheduleStore { runner.store }

    /// - Parameter now: seconds since 1970.
    package init(
        account: LambdaAccount,
        runner: ScheduleRunner,
        now: @escaping @Sendable () -> Double = { Date.now.timeIntervalSince1970 },
        onStop: @escaping @Sendable () -> Void = {}
    ) {
        self.account = account
        self.runner = runner
        self.now = now
        self.onStop = onStop
    }

    /// A node's schedules, whose runs are events of its queue.
    ///
    /// - Parameters:
    ///   - directory: of the node; `schedules.sqlite` lies in it.
    ///   - loop: that the alarm rings on.
    package convenience init(
        directory: String,
        account: LambdaAccount,
        events: EventRunner,
        on loop: any EventLoop,
        logger: Logger
    ) throws {
        let late = LateRunner()
        let alarm = try ScheduleAlarm(on: loop) { late.wake() }
        let acts = ScheduleRunner.Acts(
            alarm: { alarm.set($0) },
            fire: { run in
                let event: (FunctionReference, body: [UInt8])
                do throws(LambdaError) {
                    event = try run.event(in: account)
                } catch {
                    // Stored by another version of this program: there is no event to be made of it.
                    return logger.error("a schedule cannot be run", metadata: ["error": "\(error)"])
                }
                try await run.accept(by: events, event.0, event.body)
            },
            positions: {
                var positions: [Int64: Int64] = [:]
                for (name, position) in try await events.store.positions(
                    ofSeriesBeginningWith: ScheduledRun.seriesPrefix
                ) {
                    guard let id = Int64(name.dropFirst(ScheduledRun.seriesPrefix.count)) else { continue }
                    positions[id] = position
                }
                return positions
            },
            forget: { ids in try await events.store.forget(series: ids.map(ScheduledRun.series)) },
            unixMilliseconds: { Int64(Clock.wallNanoseconds() / 1_000_000) }
        )
        let runner = try ScheduleRunner(path: directory + "/schedules.sqlite", acts: acts, logger: logger)
        late.become(runner)
        self.init(account: account, runner: runner, onStop: { alarm.close() })
    }

    /// Takes up what an earlier scheduler left, and what was missed meanwhile.
    package func resume() async throws { try await runner.resume() }

    /// Makes no more runs.
    package func stop() {
        runner.stop()
        onStop()
    }

    // MARK: Schedules

    package func create(_ name: String, _ fields: RequestFields) async throws(LambdaError) -> JSONValue {
        let schedule = try ScheduleRequest(fields, name: name, in: account).schedule(now: now())
        try await checkGroup(schedule.group)
        try await change(schedule.group, name) { stored in
            if let stored {
                // The same request once more.
                if let token = stored.clientToken, token == schedule.clientToken { return }
                throw LambdaError(.conflict, "Schedule \(name) already exists.")
            }
            stored = schedule
        }
        return ["ScheduleArn": .text(schedule.arn(in: account))]
    }

    package func get(_ name: String, group: String?) async throws(LambdaError) -> JSONValue {
        let stored = try await stored(name, group)
        return document(stored)
    }

    /// Everything that the request leaves out goes back to its default.
    package func update(_ name: String, _ fields: RequestFields) async throws(LambdaError) -> JSONValue {
        let schedule = try ScheduleRequest(fields, name: name, in: account).schedule(now: now())
        try await checkGroup(schedule.group)
        try await change(schedule.group, name) { stored in
            guard let before = stored else { throw Self.noSchedule(name) }
            var after = schedule
            after.created = before.created
            after.owner = before.owner
            stored = after
        }
        return ["ScheduleArn": .text(schedule.arn(in: account))]
    }

    package func delete(_ name: String, group: String?) async throws(LambdaError) {
        try await change(group ?? Schedule.groupDefault, name) { stored in
            guard stored != nil else { throw Self.noSchedule(name) }
            stored = nil
        }
    }

    /// - Parameter token: where the page before ended.
    package func list(
        group: String?,
        prefix: String?,
        state: String?,
        token: String?,
        countMax: Int
    ) async throws(LambdaError) -> JSONValue {
        if let group { try await checkGroup(group) }
        if let state, state != "ENABLED", state != "DISABLED" {
            throw .constraint(state, at: "state", "Member must satisfy enum value set: [ENABLED, DISABLED]")
        }
        var after: (String, String)?
        if let token {
            let names = try Self.names(in: token)
            guard names.count == 2 else { throw Self.badToken }
            after = (names[0], names[1])
        }
        let place = after
        let page = try await storage { [store] in
            try await store.list(
                group: group,
                prefix: prefix ?? "",
                isEnabled: state.map { $0 == "ENABLED" },
                after: place.map { (group: $0.0, name: $0.1) },
                countMax: countMax + 1
            )
        }
        let rows = page.prefix(countMax)
        return .present([
            "Schedules": .array(rows.map(summary)),
            "NextToken": page.count > countMax
                ? rows.last.map { Self.token([$0.schedule.group, $0.schedule.name]) } : nil,
        ])
    }

    /// A schedule as `thaw triggers` shows it.
    package struct Trigger: Encodable, Sendable {
        package var group: String
        package var name: String
        package var function: String
        package var expression: String
        package var zone: String
        package var isEnabled: Bool
        package var missed: String
        /// Seconds since 1970; nil where none is ahead.
        package var nextRunUnixSeconds: Int64?
    }

    /// Schedules by group and name, the first of them where there are very many.
    package func triggers(countMax: Int) async throws(LambdaError) -> [Trigger] {
        let rows = try await storage { [store] in
            try await store.list(group: nil, prefix: "", isEnabled: nil, after: nil, countMax: countMax)
        }
        return rows.map { stored in
            let schedule = stored.schedule
            let target = try? ScheduleTarget(schedule.target, in: account)
            return Trigger(
                group: schedule.group,
                name: schedule.name,
                function: target.map { $0.function.name + ($0.function.qualifier.map { ":" + $0 } ?? "") } ?? "?",
                expression: schedule.expression,
                zone: schedule.timezone,
                isEnabled: schedule.isEnabled,
                missed: schedule.missed.rawValue,
                nextRunUnixSeconds: runner.nextPlanned(of: stored.id)
            )
        }
    }

    // MARK: Of functions

    /// Makes the schedules of a function those that its manifest has now; none where it is gone.
    package func reconcile(_ function: String, _ schedules: [Schedule]) async throws(LambdaError) {
        let changes = try await storage { [store] in try await store.reconcile(function, schedules) }
        for change in changes { await runner.became(change.after, was: change.before) }
    }

    // MARK: Documents

    private func document(_ stored: ScheduleStore.Stored) -> JSONValue {
        let schedule = stored.schedule
        var target = schedule.target.members ?? [:]
        var policy = target["RetryPolicy"]?.members ?? [:]
        policy["MaximumEventAgeInSeconds"] = policy["MaximumEventAgeInSeconds"] ?? 86400
        policy["MaximumRetryAttempts"] = policy["MaximumRetryAttempts"] ?? 185
        target["RetryPolicy"] = .object(policy)
        return .present([
            "ActionAfterCompletion": schedule.isDeletedAfterCompletion ? "DELETE" : "NONE",
            "Arn": .text(schedule.arn(in: account)),
            "CreationDate": .number(schedule.created),
            "Description": schedule.description.isEmpty ? nil : .text(schedule.description),
            "EndDate": schedule.end.map { .number($0) },
            "FlexibleTimeWindow": schedule.windowMinutes == 0
                ? ["Mode": "OFF"]
                : ["Mode": "FLEXIBLE", "MaximumWindowInMinutes": .integer(schedule.windowMinutes)],
            "GroupName": .text(schedule.group),
            "KmsKeyArn": schedule.keyARN.map { .text($0) },
            "LastModificationDate": .number(schedule.modified),
            "MissedRuns": .text(schedule.missed.rawValue),
            "Name": .text(schedule.name),
            "NextRunDate": nextRun(stored),
            "ScheduleExpression": .text(schedule.expression),
            "ScheduleExpressionTimezone": .text(schedule.timezone),
            "StartDate": schedule.start.map { .number($0) },
            "State": schedule.isEnabled ? "ENABLED" : "DISABLED",
            "Target": .object(target),
        ])
    }

    private func summary(_ stored: ScheduleStore.Stored) -> JSONValue {
        let schedule = stored.schedule
        return .present([
            "Arn": .text(schedule.arn(in: account)),
            "CreationDate": .number(schedule.created),
            "GroupName": .text(schedule.group),
            "LastModificationDate": .number(schedule.modified),
            "Name": .text(schedule.name),
            "State": schedule.isEnabled ? "ENABLED" : "DISABLED",
            "Target": ["Arn": schedule.target["Arn"] ?? ""],
            // Ours: what a person wants to see in a list.
            "NextRunDate": nextRun(stored),
            "ScheduleExpression": .text(schedule.expression),
            "ScheduleExpressionTimezone": .text(schedule.timezone),
        ])
    }

    private func nextRun(_ stored: ScheduleStore.Stored) -> JSONValue? {
        runner.nextPlanned(of: stored.id).map { .integer(Int($0)) }
    }

    // MARK: The store

    private func stored(_ name: String, _ group: String?) async throws(LambdaError) -> ScheduleStore.Stored {
        let stored = try await storage { [store] in try await store.find(group ?? Schedule.groupDefault, name) }
        guard let stored else { throw Self.noSchedule(name) }
        return stored
    }

    private func change(
        _ group: String,
        _ name: String,
        _ body: @escaping @Sendable (inout Schedule?) throws -> Void
    ) async throws(LambdaError) {
        let change = try await storage { [store] in try await store.change(group, name, body) }
        await runner.became(change.after, was: change.before)
    }

    private func checkGroup(_ name: String) async throws(LambdaError) {
        guard name != Schedule.groupDefault else { return }
        _ = try await existingGroup(name)
    }

    func storage<Value: Sendable>(
        _ body: @Sendable () async throws -> Value
    ) async throws(LambdaError) -> Value {
        do {
            return try await body()
        } catch let error as LambdaError {
            throw error
        } catch {
            throw LambdaError(.service, "the schedules cannot be read or written: \(error)")
        }
    }

    static func noSchedule(_ name: String) -> LambdaError {
        LambdaError(.resourceNotFound, "Schedule \(name) does not exist.")
    }

    // MARK: Tokens

    static let badToken = LambdaError(.validation, "Invalid NextToken.")

    /// The last names of a page; whoever follows is on the next, also where names come or go meanwhile.
    static func token(_ names: [String]) -> JSONValue {
        .text(Data(names.joined(separator: "/").utf8).base64EncodedString())
    }

    static func names(in token: String) throws(LambdaError) -> [String] {
        guard let data = Data(base64Encoded: token), let text = String(validating: data, as: UTF8.self) else {
            throw badToken
        }
        return text.split(separator: "/").map(String.init)
    }
}

/// The runner that an alarm wakes, which is made after the alarm and holds it.
private final class LateRunner: Sendable {
    private struct Held {
        weak var runner: ScheduleRunner?
    }

    private let held = Mutex(Held())

    func become(_ made: ScheduleRunner) { held.withLock { $0.runner = made } }

    func wake() { held.withLock { $0.runner }?.wake() }
}
