import ControlPlane
import Events
import Foundation
import Logging
import Metering
import Queues
import Synchronization
import Testing

@testable import Schedules

/// The runner with a clock of the test's, and a queue that is a real one or refuses.
struct ScheduleRunnerTests {
    /// A world whose time stands until the test moves it.
    private final class World: Sendable {
        let directory: String
        let now: Mutex<Int64>
        let alarms = Mutex<[Int64?]>([])
        let fired = Mutex<[(name: String, planned: Int64)]>([])
        let refusals = Mutex(0)
        let queue: MessageStore
        private let rested: AsyncStream<Void>
        private let rest: AsyncStream<Void>.Continuation

        init(_ time: String, directory: String? = nil) throws {
            self.directory =
                directory ?? FileManager.default.temporaryDirectory.path + "/schedules-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
            now = Mutex(Times.seconds(time) * 1000)
            queue = try MessageStore(path: self.directory + "/events.sqlite")
            (rested, rest) = AsyncStream.makeStream()
        }

        func runner() throws -> ScheduleRunner {
            let acts = ScheduleRunner.Acts(
                alarm: { [self] time in
                    alarms.withLock { $0.append(time) }
                    rest.yield()
                },
                fire: { [self] run in try await fire(run) },
                positions: { [self] in
                    let prefix = ScheduledRun.seriesPrefix
                    var positions: [Int64: Int64] = [:]
                    for (name, position) in try await queue.positions(ofSeriesBeginningWith: prefix) {
                        positions[try #require(Int64(name.dropFirst(prefix.count)))] = position
                    }
                    return positions
                },
                forget: { [self] ids in try await queue.forget(series: ids.map(ScheduledRun.series)) },
                unixMilliseconds: { [self] in now.withLock { $0 } }
            )
            return try ScheduleRunner(path: directory + "/schedules.sqlite", acts: acts, logger: Logger(label: "test"))
        }

        private func fire(_ run: ScheduledRun) async throws {
            let isRefused = refusals.withLock { count in
                guard count > 0 else { return false }
                count -= 1
                return true
            }
            if isRefused { throw LambdaError(.service, "the disk is full") }
            let (function, body) = try run.event(in: LambdaAccount())
            let draft = MessageDraft(id: run.eventID, body: body, series: run.place)
            let result = try await queue.publish(
                draft,
                to: MessageAddress(.function, function.name),
                isClaimed: false,
                now: now.withLock { $0 }
            )
            guard case .accepted = result else { return }
            fired.withLock { $0.append((run.schedule.name, run.planned)) }
        }

        /// Until the runner has set its alarm and sleeps.
        func rests() async {
            var iterator = rested.makeAsyncIterator()
            await iterator.next()
        }

        func move(to time: String) { now.withLock { $0 = Times.seconds(time) * 1000 } }

        var runs: [String] {
            fired.withLock { fired in
                fired.sorted { ($0.planned, $0.name) < ($1.planned, $1.name) }
                    .map { "\($0.name) \(CivilTime(secondsOfClock: $0.planned).description.dropFirst(11))" }
            }
        }

        var alarm: String? {
            alarms.withLock { $0.last ?? nil }.map { CivilTime(secondsOfClock: $0 / 1000).description }
        }

        func service(_ runner: ScheduleRunner) -> ScheduleService {
            ScheduleService(account: LambdaAccount(), runner: runner) { [self] in
                Double(now.withLock { $0 }) / 1000
            }
        }

        func remove() { try? FileManager.default.removeItem(atPath: directory) }
    }

    private static func request(_ expression: String, _ more: [String: JSONValue] = [:]) -> RequestFields {
        var members: [String: JSONValue] = [
            "ScheduleExpression": .text(expression), "FlexibleTimeWindow": ["Mode": "OFF"],
            "Target": [
                "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
                "RoleArn": "arn:aws:iam::000000000000:role/r",
                "Input": "{\"at\": \"<aws.scheduler.scheduled-time>\"}",
            ],
        ]
        members.merge(more) { $1 }
        return RequestFields(.object(members))
    }

    @Test func `a schedule becomes an event of its function when the alarm goes off`() async throws {
        let world = try World("2026-02-26T11:07:30")
        defer { world.remove() }
        let runner = try world.runner()
        try await runner.resume()
        await world.rests()
        #expect(world.alarm == nil)
        _ = try await world.service(runner).create("tea", Self.request("cron(0 * * * ? *)"))
        await world.rests()
        #expect(world.alarm == "2026-02-26T12:00:00")
        #expect(world.runs.isEmpty)
        world.move(to: "2026-02-26T12:00:00")
        runner.wake()
        await world.rests()
        #expect(world.runs == ["tea 12:00:00"])
        #expect(world.alarm == "2026-02-26T13:00:00")
        let queue = try #require(try await world.queue.queue(MessageAddress(.function, "f")))
        let events = try await world.queue.claim(queue, countMax: 9, forMilliseconds: 1, now: 1 << 50)
        #expect(events.map { String(decoding: $0.body, as: UTF8.self) } == ["{\"at\": \"2026-02-26T12:00:00Z\"}"])
    }

    @Test func `a node that ended between a run and its next alarm makes the run once`() async throws {
        let world = try World("2026-02-26T11:07:30")
        defer { world.remove() }
        let first = try world.runner()
        _ = try await world.service(first).create("tea", Self.request("cron(0 * * * ? *)", ["MissedRuns": "all"]))
        await world.rests()
        world.move(to: "2026-02-26T12:00:00")
        first.wake()
        await world.rests()
        // The queue has the event; nothing else was written, and the node is gone. It comes back, and again after hours.
        for (time, runs) in [
            ("2026-02-26T12:00:10", ["tea 12:00:00"]),
            ("2026-02-26T14:30:00", ["tea 12:00:00", "tea 13:00:00", "tea 14:00:00"]),
            ("2026-02-26T14:30:00", ["tea 12:00:00", "tea 13:00:00", "tea 14:00:00"]),
        ] {
            let later = try World(time, directory: world.directory)
            let runner = try later.runner()
            try await runner.resume()
            await later.rests()
            world.fired.withLock { $0 += later.fired.withLock { $0 } }
            #expect(world.runs == runs)
        }
    }

    @Test func `a run that the queue refuses comes again`() async throws {
        let world = try World("2026-02-26T11:59:30")
        defer { world.remove() }
        let runner = try world.runner()
        _ = try await world.service(runner).create("tea", Self.request("cron(0 * * * ? *)"))
        await world.rests()
        world.refusals.withLock { $0 = 1 }
        world.move(to: "2026-02-26T12:00:00")
        runner.wake()
        await world.rests()
        #expect(world.runs.isEmpty)
        #expect(world.alarm == "2026-02-26T12:00:01")
        world.move(to: "2026-02-26T12:00:01")
        runner.wake()
        await world.rests()
        #expect(world.runs == ["tea 12:00:00"])
    }

    @Test func `a paused schedule does not run, nor make up for its pause`() async throws {
        let world = try World("2026-02-26T11:07:30")
        defer { world.remove() }
        let runner = try world.runner()
        let service = world.service(runner)
        _ = try await service.create("tea", Self.request("cron(0 * * * ? *)", ["MissedRuns": "all"]))
        await world.rests()
        _ = try await service.update("tea", Self.request("cron(0 * * * ? *)", ["State": "DISABLED"]))
        await world.rests()
        #expect(world.alarm == nil)
        world.move(to: "2026-02-26T15:30:00")
        _ = try await service.update("tea", Self.request("cron(0 * * * ? *)", ["MissedRuns": "all"]))
        await world.rests()
        #expect(world.runs.isEmpty)
        #expect(world.alarm == "2026-02-26T16:00:00")
    }

    @Test func `a schedule that is to go goes after its last run`() async throws {
        let world = try World("2026-02-26T11:07:30")
        defer { world.remove() }
        let runner = try world.runner()
        let service = world.service(runner)
        let request = Self.request("at(2026-02-26T12:00:00)", ["ActionAfterCompletion": "DELETE"])
        _ = try await service.create("once", request)
        await world.rests()
        world.move(to: "2026-02-26T12:00:00")
        runner.wake()
        await world.rests()
        #expect(world.runs == ["once 12:00:00"])
        await #expect(throws: LambdaError(.resourceNotFound, "Schedule once does not exist.")) {
            try await service.get("once", group: nil)
        }
        #expect(try await world.queue.positions(ofSeriesBeginningWith: ScheduledRun.seriesPrefix).isEmpty)
    }

    @Test func `ten thousand schedules at rest have one alarm, and no wake-up but those of runs`() async throws {
        let world = try World("2026-02-26T11:07:30")
        defer { world.remove() }
        let runner = try world.runner()
        let schedules = (0..<10_000).map { index in
            Schedule(
                group: "many",
                name: "n\(index)",
                expression: "cron(\(index % 60) 3 1 * ? *)",
                target: ["Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"],
                now: Double(Times.seconds("2026-02-26T11:00:00"))
            )
        }
        let changes = try await runner.store.reconcile("f", schedules)
        #expect(changes.count == 10_000)
        try await runner.resume()
        await world.rests()
        #expect(runner.count == 10_000)
        #expect(world.alarms.withLock { $0.count } == 1)
        #expect(world.alarm == "2026-03-01T03:00:00")
        #expect(world.runs.isEmpty)
    }
}
