import Manifests
import Testing

@testable import Schedules

/// What is due when, at virtual times.
struct ScheduleTableTests {
    private static let start = Times.seconds("2026-02-26T11:07:30")

    private static func timing(
        _ text: String,
        since: Int64 = start,
        missed: MissedRuns = .once,
        windowMinutes: Int64 = 0,
        age: Int64 = 86400,
        end: Int64? = nil
    ) throws -> ScheduleTiming {
        ScheduleTiming(
            expression: try ScheduleExpression(text),
            since: since,
            end: end,
            windowSeconds: windowMinutes * 60,
            missed: missed,
            ageSecondsMax: age
        )
    }

    private static func runs(_ table: inout ScheduleTable, at seconds: Int64) -> [String] {
        table.takeDue(nowUnixMilliseconds: seconds * 1000, countMax: 10_000).map { run in
            String(CivilTime(secondsOfClock: run.planned).description.dropFirst(11)) + " of \(run.id)"
        }
    }

    @Test func `runs come at their times, not before, and the next is known`() throws {
        var table = ScheduleTable()
        table.set(1, try Self.timing("cron(0/10 * * * ? *)"), position: nil)
        table.set(2, try Self.timing("rate(1 hour)"), position: nil)
        #expect(table.nextDueUnixMilliseconds == Self.start * 1000)
        #expect(Self.runs(&table, at: Self.start) == ["11:07:30 of 2"])
        let ten = Times.seconds("2026-02-26T11:10:00")
        #expect(table.nextDueUnixMilliseconds == ten * 1000)
        #expect(Self.runs(&table, at: ten - 1).isEmpty)
        #expect(Self.runs(&table, at: ten) == ["11:10:00 of 1"])
        #expect(Self.runs(&table, at: ten).isEmpty)
        table.remove(1)
        #expect(table.nextPlanned(of: 1) == nil)
        #expect(table.nextDueUnixMilliseconds == (Self.start + 3600) * 1000)
        table.remove(2)
        #expect(table.nextDueUnixMilliseconds == nil)
    }

    @Test(arguments: [
        (MissedRuns.skip, ["13:00:00 of 1"], "14:00:00"),
        (.once, ["13:00:00 of 1"], "14:00:00"),
        (.all, ["12:00:00 of 1", "13:00:00 of 1"], "14:00:00"),
    ])
    func `a run that is due now takes the place of those that were missed`(
        missed: MissedRuns,
        runs: [String],
        next: String
    ) throws {
        var table = ScheduleTable()
        table.set(1, try Self.timing("cron(0 * * * ? *)", missed: missed), position: nil)
        // A minute late is as punctual as the service promises.
        #expect(Self.runs(&table, at: Times.seconds("2026-02-26T13:00:59")) == runs)
        #expect(table.nextPlanned(of: 1) == Times.seconds("2026-02-26T" + next))
    }

    @Test(arguments: [
        (MissedRuns.skip, [String]()),
        (.once, ["15:00:00 of 1"]),
        (.all, ["12:00:00 of 1", "13:00:00 of 1", "14:00:00 of 1", "15:00:00 of 1"]),
    ])
    func `what was missed is skipped, made up for once, or all of it`(missed: MissedRuns, runs: [String]) throws {
        var table = ScheduleTable()
        table.set(1, try Self.timing("cron(0 * * * ? *)", missed: missed), position: nil)
        #expect(Self.runs(&table, at: Times.seconds("2026-02-26T15:40:00")) == runs)
        #expect(table.nextPlanned(of: 1) == Times.seconds("2026-02-26T16:00:00"))
        // The clock is set back: nothing of it runs again.
        #expect(Self.runs(&table, at: Times.seconds("2026-02-26T12:30:00")).isEmpty)
        #expect(Self.runs(&table, at: Times.seconds("2026-02-26T16:00:00")) == ["16:00:00 of 1"])
    }

    @Test func `what is older than its schedule allows is not made up for`() throws {
        for (missed, runs) in [(MissedRuns.once, [String]()), (.all, [])] {
            var table = ScheduleTable()
            table.set(1, try Self.timing("cron(0 12 * * ? *)", missed: missed, age: 3600), position: nil)
            #expect(Self.runs(&table, at: Times.seconds("2026-02-28T14:00:00")) == runs, "\(missed)")
            #expect(table.nextPlanned(of: 1) == Times.seconds("2026-03-01T12:00:00"))
        }
        var table = ScheduleTable()
        table.set(1, try Self.timing("cron(0 12 * * ? *)", missed: .all, age: 86400 * 2), position: nil)
        #expect(Self.runs(&table, at: Times.seconds("2026-03-02T11:00:00")) == ["12:00:00 of 1", "12:00:00 of 1"])
    }

    @Test func `one time that was missed is run once, or never where it may not be`() throws {
        let late = Times.seconds("2026-02-26T20:00:00")
        for (missed, count) in [(MissedRuns.skip, 0), (.once, 1), (.all, 1)] {
            var table = ScheduleTable()
            table.set(1, try Self.timing("at(2026-02-26T12:00:00)", missed: missed), position: nil)
            let runs = table.takeDue(nowUnixMilliseconds: late * 1000, countMax: 9)
            #expect(runs.count == count, "\(missed)")
            #expect(runs.allSatisfy { $0.isLast })
            #expect(table.count == 0)
        }
    }

    @Test func `what has run before the node started does not run again`() throws {
        var table = ScheduleTable()
        let noon = Times.seconds("2026-02-26T12:00:00")
        table.set(1, try Self.timing("rate(30 minutes)"), position: noon)
        #expect(table.nextPlanned(of: 1) == Times.seconds("2026-02-26T12:07:30"))
        table.set(2, try Self.timing("at(2026-02-26T12:00:00)"), position: noon)
        #expect(table.nextPlanned(of: 2) == nil)
    }

    @Test func `a window moves a run within it, by the same time whenever it is asked`() throws {
        var delays: Set<Int64> = []
        for id in 1...200 as ClosedRange<Int64> {
            var table = ScheduleTable()
            let timing = try Self.timing("cron(0 12 * * ? *)", windowMinutes: 15)
            table.set(id, timing, position: nil)
            let noon = Times.seconds("2026-02-26T12:00:00")
            let due = try #require(table.nextDueUnixMilliseconds)
            #expect((noon * 1000..<(noon + 900) * 1000).contains(due))
            #expect(timing.dueUnixMilliseconds(noon, of: id) == due)
            #expect(table.takeDue(nowUnixMilliseconds: due - 1, countMax: 1).isEmpty)
            #expect(table.takeDue(nowUnixMilliseconds: due, countMax: 1).map(\.planned) == [noon])
            delays.insert(due / 60_000)
        }
        #expect(delays.count == 15)
    }

    @Test func `nothing runs after the end, and the last run says so`() throws {
        var table = ScheduleTable()
        let end = Times.seconds("2026-02-26T13:00:00")
        table.set(1, try Self.timing("cron(0 * * * ? *)", end: end), position: nil)
        let noon = table.takeDue(nowUnixMilliseconds: Times.seconds("2026-02-26T12:00:00") * 1000, countMax: 9)
        #expect(noon.map(\.isLast) == [false])
        #expect(table.takeDue(nowUnixMilliseconds: end * 1000, countMax: 9).map(\.isLast) == [true])
        #expect(table.nextDueUnixMilliseconds == nil)
    }

    @Test func `ten thousand schedules have one next moment`() throws {
        var table = ScheduleTable()
        for id in 0..<10_000 as Range<Int64> {
            table.set(id, try Self.timing("cron(\(id % 60) \(id / 60 % 24) * * ? *)"), position: nil)
        }
        #expect(table.count == 10_000)
        #expect(table.nextDueUnixMilliseconds == Times.seconds("2026-02-26T11:08:00") * 1000)
        // A day later each has run once, and nothing was asked for in between but the next moment.
        var (moments, runs) = (0, 0)
        while let due = table.nextDueUnixMilliseconds, due < (Self.start + 86400) * 1000 {
            moments += 1
            runs += table.takeDue(nowUnixMilliseconds: due, countMax: .max).count
        }
        #expect(runs == 10_000)
        #expect(moments == 1440)
    }

    /// A night with a clock that jumps, against a model that knows nothing of heaps.
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `whatever the clock does, runs come in order, once, and when they are due`(seed: UInt64) throws {
        var random = SeededRandom(state: seed)
        var table = ScheduleTable()
        let texts = [
            "rate(1 minute)", "cron(0/7 * * * ? *)", "rate(2 hours)", "cron(0 3 * * ? *)", "at(2026-02-26T18:00:00)",
        ]
        var timings: [Int64: ScheduleTiming] = [:]
        var last: [Int64: Int64] = [:]
        var now = Self.start * 1000
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                let id = Int64.random(in: 0..<8, using: &random)
                let timing = try Self.timing(
                    texts.randomElement(using: &random) ?? "",
                    since: now / 1000 - 5,
                    missed: MissedRuns.allCases.randomElement(using: &random) ?? .once,
                    windowMinutes: Bool.random(using: &random) ? 0 : 3,
                    age: 7200
                )
                table.set(id, timing, position: nil)
                timings[id] = timing
                last[id] = nil
            case 1:
                let id = Int64.random(in: 0..<8, using: &random)
                table.remove(id)
                timings[id] = nil
            case 2: now += Int64.random(in: 0..<20_000_000, using: &random)
            case 3: now -= Int64.random(in: 0..<5_000_000, using: &random)
            default: now = max(now, table.nextDueUnixMilliseconds ?? now)
            }
            while true {
                let runs = table.takeDue(nowUnixMilliseconds: now, countMax: 5)
                for run in runs {
                    let timing = try #require(timings[run.id], "a removed schedule ran")
                    #expect(run.planned > last[run.id] ?? .min, "twice, or out of order")
                    #expect(timing.next(after: run.planned - 1) == run.planned, "at a time that it does not name")
                    let late = now - timing.dueUnixMilliseconds(run.planned, of: run.id)
                    #expect(late >= 0, "too early")
                    #expect(late <= 60_000 || timing.missed != .skip, "a missed run was made")
                    #expect(now / 1000 - run.planned <= 7200 || late <= 60_000, "too old")
                    last[run.id] = run.planned
                }
                if runs.count < 5 { break }
            }
            #expect(table.nextDueUnixMilliseconds ?? .max > now)
        }
    }
}
