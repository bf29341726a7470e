import Testing

@testable import Schedules

/// Random expressions against a clock that is moved minute by minute, and broken ones against the parser.
struct CronPropertyTests {
    /// What a random field is, as text and as the values that it names.
    private struct Field {
        var text: String
        var values: Set<Int>

        init(_ range: ClosedRange<Int>, _ random: inout SeededRandom) {
            let (first, second) = (Int.random(in: range, using: &random), Int.random(in: range, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: (text, values) = ("*", Set(range))
            case 1: (text, values) = ("\(first),\(second)", [first, second])
            case 2:
                let step = Int.random(in: 1...range.count, using: &random)
                text = "\(first)/\(step)"
                values = Set(stride(from: first, through: range.upperBound, by: step))
            case 3:
                text = "\(first)-\(second)"
                values = first <= second ? Set(first...second) : Set(range).subtracting((second + 1)..<first)
            default: (text, values) = ("\(first)", [first])
            }
        }
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `the next run is the first minute that matches, whatever the fields`(seed: UInt64) throws {
        var random = SeededRandom(state: seed)
        let minutes = Field(0...59, &random)
        let hours = Field(0...23, &random)
        let months = Field(1...12, &random)
        let isOfWeek = Bool.random(using: &random)
        let days = isOfWeek ? Field(1...7, &random) : Field(1...31, &random)
        let text =
            "\(minutes.text) \(hours.text) \(isOfWeek ? "?" : days.text) \(months.text) "
            + "\(isOfWeek ? days.text : "?") *"
        let cron = try CronExpression(fields: text[...])

        func matches(_ time: CivilTime) -> Bool {
            let day = isOfWeek ? CivilTime.weekday(time.year, time.month, time.day) : time.day
            return minutes.values.contains(time.minute) && hours.values.contains(time.hour)
                && months.values.contains(time.month) && days.values.contains(day)
        }
        let start = Times.seconds("2027-12-30T22:58:00") + Int64.random(in: 0..<40_000_000, using: &random) / 60 * 60
        // Day by day where nothing can match, minute by minute where something may.
        var seconds = start + 60
        while true {
            let time = CivilTime(secondsOfClock: seconds)
            if matches(time) { break }
            let day = isOfWeek ? CivilTime.weekday(time.year, time.month, time.day) : time.day
            let mayBeToday = months.values.contains(time.month) && days.values.contains(day)
            seconds += mayBeToday ? 60 : 86400 - seconds % 86400
            // Day 31 of February, April, …: then there is none.
            if seconds - start > 10 * 366 * 86400 { break }
        }
        let found = cron.next(after: CivilTime(secondsOfClock: start))
        let expected = CivilTime(secondsOfClock: seconds)
        #expect(found == (matches(expected) ? expected : nil), "cron(\(text)) seed \(seed)")
    }

    @Test(arguments: ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Tehran"])
    func `runs come one after the other, and each shows the clock what its fields say`(name: String) throws {
        let zone = try #require(ScheduleZone(name))
        let cron = try ScheduleExpression("cron(7/15 0-4 * * ? *)")
        var time = Times.seconds("2017-12-31T00:00:00")
        var shown: Set<CivilTime> = []
        for _ in 0..<20_000 {
            let next = try #require(cron.next(after: time, in: zone, anchor: 0))
            #expect(next > time)
            let clock = zone.civilTime(at: next)
            #expect(clock.hour <= 4 && clock.minute % 15 == 7 && clock.second == 0, "\(clock)")
            #expect(shown.insert(clock).inserted, "\(clock) was run twice")
            time = next
        }
    }

    @Test func `civil dates come back as they were, and weekdays go round`() {
        var weekday = CivilTime.weekday(1899, 12, 31)
        #expect(weekday == 1)
        for seconds in stride(from: Int64(-2_208_988_800), to: 7_258_118_400, by: 86400) {
            let time = CivilTime(secondsOfClock: seconds)
            weekday = weekday % 7 + 1
            guard time.secondsOfClock == seconds, CivilTime.weekday(time.year, time.month, time.day) == weekday else {
                Issue.record("\(time)")
                return
            }
        }
        #expect(CivilTime(secondsOfClock: 951_782_400) == CivilTime(2000, 2, 29))
        #expect(CivilTime(secondsOfClock: -1) == CivilTime(1969, 12, 31, 23, 59, 59))
    }

    @Test func `bytes that were changed at random are read or refused, never more`() {
        let seeds =
            ScheduleExpressionTests.documented.map { "cron(\($0.fields))" } + [
                "rate(5 minutes)", "at(2026-07-01T08:30:00)",
            ]
        var random = SeededRandom(state: 20_260_226)
        let alphabet = Array("0123456789*?/-,#LWcronateSUNJ() T:\u{0}\u{e9}".utf8)
        var readCount = 0
        for round in 0..<20_000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0...Int.random(in: 0...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = alphabet.randomElement(using: &random) ?? 0
                case 1: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
                default: if bytes.count > 1 { bytes.remove(at: place) }
                }
            }
            guard let expression = try? ScheduleExpression(String(decoding: bytes, as: UTF8.self)) else { continue }
            readCount += 1
            let now = Times.seconds("2026-02-26T11:07:30")
            if let next = expression.next(after: now, in: .utc, anchor: now) {
                #expect(next > now)
            }
        }
        // A digit for a digit is another schedule.
        #expect(readCount > 300)
    }
}
