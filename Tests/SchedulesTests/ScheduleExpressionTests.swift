import Testing

@testable import Schedules

/// When schedules run.
///
/// The times were computed by another program, day by day, from Python's `zoneinfo`.
struct ScheduleExpressionTests {
    private static let after = "2026-02-26T11:07:30"

    /// Every example that AWS documents, and what it says of `L`, `W`, `#`, names and ranges past the end.
    static let documented: [(fields: String, zone: String, runs: [String])] = [
        ("0 10 * * ? *", "UTC", ["2026-02-27T10:00", "2026-02-28T10:00", "2026-03-01T10:00"]),
        ("15 12 * * ? *", "UTC", ["2026-02-26T12:15", "2026-02-27T12:15", "2026-02-28T12:15"]),
        ("0 18 ? * MON-FRI *", "UTC", ["2026-02-26T18:00", "2026-02-27T18:00", "2026-03-02T18:00"]),
        ("0 8 1 * ? *", "UTC", ["2026-03-01T08:00", "2026-04-01T08:00", "2026-05-01T08:00"]),
        ("0/15 * * * ? *", "UTC", ["2026-02-26T11:15", "2026-02-26T11:30", "2026-02-26T11:45"]),
        ("0/10 * ? * MON-FRI *", "UTC", ["2026-02-26T11:10", "2026-02-26T11:20", "2026-02-26T11:30"]),
        ("0/5 8-17 ? * MON-FRI *", "UTC", ["2026-02-26T11:10", "2026-02-26T11:15", "2026-02-26T11:20"]),
        ("0/30 20-2 ? * MON-FRI *", "UTC", ["2026-02-26T20:00", "2026-02-26T20:30", "2026-02-26T21:00"]),
        ("15 10 * * ? *", "UTC", ["2026-02-27T10:15", "2026-02-28T10:15", "2026-03-01T10:15"]),
        ("15 10 ? * 6L 2022-2027", "UTC", ["2026-02-27T10:15", "2026-03-27T10:15", "2026-04-24T10:15"]),
        ("15 10 ? * 6L 2019-2022", "UTC", []),
        ("0 9 ? * 2#1 *", "UTC", ["2026-03-02T09:00", "2026-04-06T09:00", "2026-05-04T09:00"]),
        ("0 10 ? * MON-FRI *", "UTC", ["2026-02-27T10:00", "2026-03-02T10:00", "2026-03-03T10:00"]),
        ("5,35 14 * * ? *", "UTC", ["2026-02-26T14:05", "2026-02-26T14:35", "2026-02-27T14:05"]),
        ("0 12 ? * 3#2 *", "UTC", ["2026-03-10T12:00", "2026-04-14T12:00", "2026-05-12T12:00"]),
        ("0 12 ? * FRI#5 *", "UTC", ["2026-05-29T12:00", "2026-07-31T12:00", "2026-10-30T12:00"]),
        ("0 0 L * ? *", "UTC", ["2026-02-28T00:00", "2026-03-31T00:00", "2026-04-30T00:00"]),
        ("0 0 LW * ? *", "UTC", ["2026-02-27T00:00", "2026-03-31T00:00", "2026-04-30T00:00"]),
        ("0 0 3W * ? *", "UTC", ["2026-03-03T00:00", "2026-04-03T00:00", "2026-05-04T00:00"]),
        ("0 0 1W * ? *", "UTC", ["2026-03-02T00:00", "2026-04-01T00:00", "2026-05-01T00:00"]),
        ("0 0 31W * ? *", "UTC", ["2026-03-31T00:00", "2026-05-29T00:00", "2026-07-31T00:00"]),
        ("0 0 15W JAN,AUG ? *", "UTC", ["2026-08-14T00:00", "2027-01-15T00:00", "2027-08-16T00:00"]),
        ("0 0 ? * L *", "UTC", ["2026-02-28T00:00", "2026-03-07T00:00", "2026-03-14T00:00"]),
        ("0 0 ? * SATL *", "UTC", ["2026-02-28T00:00", "2026-03-28T00:00", "2026-04-25T00:00"]),
        ("30 6 ? JAN-MAR SUN,wed 2026/2", "UTC", ["2026-03-01T06:30", "2026-03-04T06:30", "2026-03-08T06:30"]),
        ("0 0 29 2 ? *", "UTC", ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"]),
        ("0 0 29 2 ? 2100", "UTC", []),
        ("0 0 31 * ? *", "UTC", ["2026-03-31T00:00", "2026-05-31T00:00", "2026-07-31T00:00"]),
        ("0 0 30 2 ? *", "UTC", []),
        ("59 23 31 12 ? 2199", "UTC", ["2199-12-31T23:59"]),
        ("7 11 * * ? *", "UTC", ["2026-02-27T11:07", "2026-02-28T11:07", "2026-03-01T11:07"]),
        ("8 11 * * ? *", "UTC", ["2026-02-26T11:08", "2026-02-27T11:08", "2026-02-28T11:08"]),
        ("* * * * ? *", "UTC", ["2026-02-26T11:08", "2026-02-26T11:09", "2026-02-26T11:10"]),
        ("0 0 1 NOV-FEB ? *", "UTC", ["2026-11-01T00:00", "2026-12-01T00:00", "2027-01-01T00:00"]),
        ("10-20/5 3/7 * * ? *", "UTC", ["2026-02-26T17:10", "2026-02-26T17:15", "2026-02-26T17:20"]),
        ("0 8 * * ? *", "America/Los_Angeles", ["2026-02-26T16:00", "2026-02-27T16:00", "2026-02-28T16:00"]),
        ("0 8 1 1 ? *", "Asia/Kathmandu", ["2027-01-01T02:15", "2028-01-01T02:15", "2029-01-01T02:15"]),
    ]

    @Test(arguments: documented)
    func `a cron expression runs when its documentation says`(fields: String, zone: String, runs: [String]) throws {
        let found = try Times.runs("cron(\(fields))", zone, after: Self.after, count: 3)
        #expect(found == runs)
    }

    /// `after` and runs are UTC, a clock is set between them.
    static let settings: [(fields: String, zone: String, after: String, runs: [String])] = [
        (
            "30 2 * * ? *", "Europe/Berlin", "2026-03-27T12:00",
            ["2026-03-28T01:30", "2026-03-30T00:30", "2026-03-31T00:30"]
        ),
        (
            "30 2 * * ? *", "Europe/Berlin", "2026-10-23T12:00",
            ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30", "2026-10-27T01:30"]
        ),
        (
            "0/30 1-3 * * ? *", "Europe/Berlin", "2026-10-24T20:00",
            [
                "2026-10-24T23:00", "2026-10-24T23:30", "2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T02:00",
                "2026-10-25T02:30", "2026-10-26T00:00",
            ]
        ),
        (
            "0 * * * ? *", "Europe/Berlin", "2026-03-28T23:30",
            ["2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T02:00", "2026-03-29T03:00"]
        ),
        (
            "0 * * * ? *", "Europe/Berlin", "2026-10-24T23:30",
            ["2026-10-25T00:00", "2026-10-25T02:00", "2026-10-25T03:00", "2026-10-25T04:00"]
        ),
        (
            "30 2 * * ? *", "America/New_York", "2026-03-06T12:00",
            ["2026-03-07T07:30", "2026-03-09T06:30", "2026-03-10T06:30"]
        ),
        (
            "30 1 * * ? *", "America/New_York", "2026-10-30T12:00",
            ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30", "2026-11-03T06:30"]
        ),
        (
            "0 9 ? * MON-FRI *", "America/New_York", "2026-03-06T12:00",
            ["2026-03-06T14:00", "2026-03-09T13:00", "2026-03-10T13:00"]
        ),
        (
            "15 2 * * ? *", "Australia/Lord_Howe", "2026-10-02T00:00",
            ["2026-10-02T15:45", "2026-10-04T15:15", "2026-10-05T15:15"]
        ),
        (
            "45 1 * * ? *", "Australia/Lord_Howe", "2026-04-02T18:00",
            ["2026-04-03T14:45", "2026-04-04T14:45", "2026-04-05T15:15", "2026-04-06T15:15"]
        ),
        (
            "0/15 1-2 * * ? *", "Australia/Lord_Howe", "2026-04-04T14:00",
            [
                "2026-04-04T14:15", "2026-04-04T14:30", "2026-04-04T14:45", "2026-04-04T15:30", "2026-04-04T15:45",
                "2026-04-04T16:00", "2026-04-04T16:15", "2026-04-05T14:30", "2026-04-05T14:45",
            ]
        ),
        (
            "0/15 1-2 * * ? *", "Australia/Lord_Howe", "2026-10-03T14:00",
            [
                "2026-10-03T14:30", "2026-10-03T14:45", "2026-10-03T15:00", "2026-10-03T15:15", "2026-10-03T15:30",
                "2026-10-03T15:45", "2026-10-04T14:00",
            ]
        ),
        (
            "0 0 * * ? *", "America/Sao_Paulo", "2018-11-02T12:00",
            ["2018-11-03T03:00", "2018-11-05T02:00", "2018-11-06T02:00"]
        ),
        (
            "30 23 * * ? *", "America/Sao_Paulo", "2019-02-15T12:00",
            ["2019-02-16T01:30", "2019-02-17T01:30", "2019-02-18T02:30", "2019-02-19T02:30"]
        ),
        ("0 12 * * ? *", "America/Sao_Paulo", "2019-11-02T20:00", ["2019-11-03T15:00", "2019-11-04T15:00"]),
        (
            "30 0 * * ? *", "Asia/Tehran", "2022-03-20T12:00",
            ["2022-03-20T21:00", "2022-03-22T20:00", "2022-03-23T20:00"]
        ),
        (
            "30 0 * * ? *", "Asia/Tehran", "2023-03-20T12:00",
            ["2023-03-20T21:00", "2023-03-21T21:00", "2023-03-22T21:00"]
        ),
        (
            "0 12 * * ? *", "Pacific/Apia", "2011-12-28T12:00",
            ["2011-12-28T22:00", "2011-12-29T22:00", "2011-12-30T22:00"]
        ),
    ]

    @Test(arguments: settings)
    func `a time that a clock skips is not run, one that it shows twice runs once`(
        fields: String,
        zone: String,
        after: String,
        runs: [String]
    ) throws {
        let found = try Times.runs("cron(\(fields))", zone, after: after + ":00", count: runs.count)
        #expect(found == runs)
    }

    @Test func `a rate runs from its first time on, its days are 24 hours`() throws {
        let anchor = "2026-03-28T12:00:10"
        for (text, runs) in [
            ("rate(1 minute)", ["2026-03-28T12:00:10", "2026-03-28T12:01:10", "2026-03-28T12:02:10"]),
            ("rate(90 minutes)", ["2026-03-28T12:00:10", "2026-03-28T13:30:10", "2026-03-28T15:00:10"]),
            ("rate(1 hour)", ["2026-03-28T12:00:10", "2026-03-28T13:00:10", "2026-03-28T14:00:10"]),
            // The clock is set between the first two.
            ("rate(1 day)", ["2026-03-28T12:00:10", "2026-03-29T12:00:10", "2026-03-30T12:00:10"]),
            ("rate(5 days)", ["2026-03-28T12:00:10", "2026-04-02T12:00:10", "2026-04-07T12:00:10"]),
        ] {
            let found = try Times.runs(
                text,
                "Europe/Berlin",
                after: "2026-03-01T00:00:00",
                anchor: anchor,
                count: 3,
                isWithSeconds: true
            )
            #expect(found == runs, "\(text)")
            let later = try Times.runs(text, "UTC", after: runs[1], anchor: anchor, count: 1, isWithSeconds: true)
            #expect(later == [runs[2]], "\(text)")
        }
    }

    @Test func `one time runs once, in its zone, and past a gap that swallows it`() throws {
        for (text, zone, run) in [
            ("at(2026-07-01T08:30:00)", "UTC", "2026-07-01T08:30:00"),
            ("at(2026-07-01T08:30:15)", "Europe/Berlin", "2026-07-01T06:30:15"),
            ("at(2028-02-29T00:00:00)", "America/New_York", "2028-02-29T05:00:00"),
            ("at(2026-03-29T02:30:00)", "Europe/Berlin", "2026-03-29T01:30:00"),
            ("at(2026-10-25T02:30:00)", "Europe/Berlin", "2026-10-25T00:30:00"),
            ("at(2026-10-04T02:15:00)", "Australia/Lord_Howe", "2026-10-03T15:45:00"),
        ] {
            let found = try Times.runs(text, zone, after: Self.after, count: 2, isWithSeconds: true)
            #expect(found == [run], "\(text) in \(zone)")
        }
        #expect(try Times.runs("at(2026-02-26T11:07:30)", "UTC", after: Self.after, count: 1).isEmpty)
    }

    @Test(arguments: [
        ("", "it should be cron(…), rate(…) or at(…)"),
        ("cron(0 10 * * ? *", "it should be cron(…), rate(…) or at(…)"),
        ("every(5 minutes)", "\"every\" should be cron, rate or at"),
        ("Cron(0 10 * * ? *)", "\"Cron\" should be cron, rate or at"),
        (
            "cron(0 10 * * ?)",
            "cron has six fields (minutes hours day-of-month month day-of-week year), this one has 5"
        ),
        (
            "cron(0 0 10 * * ? *)",
            "cron has six fields (minutes hours day-of-month month day-of-week year), this one has 7"
        ),
        ("cron(0 25 * * ? *)", "the field hours: \"25\" should be from 0 to 23"),
        ("cron(60 1 * * ? *)", "the field minutes: \"60\" should be from 0 to 59"),
        ("cron(-1 1 * * ? *)", "the field minutes: \"\" should be from 0 to 59"),
        ("cron(? 1 * * ? *)", "the field minutes: \"?\" should be from 0 to 59"),
        ("cron(0 1 0 * ? *)", "the field day-of-month: \"0\" should be from 1 to 31"),
        ("cron(0 1 * 13 ? *)", "the field month: \"13\" should be from 1 to 12, or JAN to DEC"),
        ("cron(0 1 ? * 0 *)", "the field day-of-week: \"0\" should be from 1 to 7, or SUN to SAT"),
        ("cron(0 1 ? * MONDAY *)", "the field day-of-week: \"MONDAY\" should be from 1 to 7, or SUN to SAT"),
        (
            "cron(0 1 ? * 3#1,6#3 *)",
            "the field day-of-week: \"3#1,6#3\" should be one weekday, #, and its number from 1 to 5 in the month"
        ),
        (
            "cron(0 1 ? * 2#6 *)",
            "the field day-of-week: \"2#6\" should be one weekday, #, and its number from 1 to 5 in the month"
        ),
        ("cron(0 1 1,L * ? *)", "the field day-of-month: \"L\" should be from 1 to 31"),
        ("cron(0 1 * * * *)", "day-of-month and day-of-week cannot both say the days; write ? in one of them"),
        ("cron(0 1 ? * ? *)", "day-of-month and day-of-week are both ?; one of them says the days"),
        ("cron(0/0 1 * * ? *)", "the field minutes: \"0/0\" should have a step from 1 to 60 after its /"),
        ("cron(0/61 1 * * ? *)", "the field minutes: \"0/61\" should have a step from 1 to 60 after its /"),
        ("cron(0,,5 1 * * ? *)", "the field minutes: \"0,,5\" has an empty place in its list"),
        ("cron(0 1 * * ? 1969)", "the field year: \"1969\" should be from 1970 to 2199"),
        ("cron(0 1 * * ? 2030-2020)", "the field year: \"2030-2020\" ends before it begins"),
        ("rate(5)", "rate has a whole number above 0 and a unit, as in rate(5 minutes)"),
        ("rate(0 minutes)", "rate has a whole number above 0 and a unit, as in rate(5 minutes)"),
        ("rate(1.5 hours)", "rate has a whole number above 0 and a unit, as in rate(5 minutes)"),
        ("rate(99999999999999999999 days)", "rate has a whole number above 0 and a unit, as in rate(5 minutes)"),
        ("rate(5 seconds)", "rate's unit should be minutes, hours or days, not \"seconds\""),
        ("at(2026-02-30T00:00:00)", "there is no time 2026-02-30T00:00:00"),
        ("at(2027-02-29T00:00:00)", "there is no time 2027-02-29T00:00:00"),
        ("at(2026-07-01)", "at has a time such as at(2026-03-29T02:30:00)"),
        ("at(2026-07-01T08:30:00Z)", "at has a time such as at(2026-03-29T02:30:00)"),
        ("at(2026-07-01 08:30:00)", "at has a time such as at(2026-03-29T02:30:00)"),
    ])
    func `what is no schedule is refused by a sentence that names the place`(text: String, message: String) {
        #expect(throws: ScheduleExpressionError(message)) { try ScheduleExpression(text) }
    }

    @Test func `zones have names of the IANA database, and no others`() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "Etc/GMT+5"] {
            #expect(ScheduleZone(name) != nil, "\(name)")
        }
        for name in ["", "Mars/Olympus", "europe/berlin ", "../etc/passwd", "Europe/Berl\u{ef}n", "+03:00x"] {
            #expect(ScheduleZone(name) == nil, "\(name)")
        }
    }
}
