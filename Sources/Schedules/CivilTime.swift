/// A date and a time of day as a clock on a wall shows them: Gregorian, of no zone.
package struct CivilTime: Hashable, Sendable, CustomStringConvertible {
    package var year: Int
    /// 1 to 12.
    package var month: Int
    /// 1 to 31.
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int

    package init(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0, _ second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// - Parameter seconds: since 1970 by this clock, as if it had never been set forward or back.
    package init(secondsOfClock seconds: Int64) {
        let days = seconds.flooredQuotient(by: 86400)
        let rest = Int(seconds - days * 86400)
        let date = Self.date(daysSince1970: Int(days))
        self.init(date.year, date.month, date.day, rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// Seconds since 1970 by this clock, as if it had never been set forward or back.
    package var secondsOfClock: Int64 {
        Int64(Self.daysSince1970(year, month, day)) * 86400 + Int64(hour * 3600 + minute * 60 + second)
    }

    /// `2026-03-29T02:30:00`.
    package var description: String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(day))T\(two(hour)):\(two(minute)):\(two(second))"
    }

    /// 1 for Sunday to 7 for Saturday, as cron fields count.
    package static func weekday(_ year: Int, _ month: Int, _ day: Int) -> Int {
        // 1 January 1970 was a Thursday, the fifth.
        let days = daysSince1970(year, month, day)
        return ((days + 4) % 7 + 7) % 7 + 1
    }

    package static func dayCount(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: isLeap(year) ? 29 : 28
        default: 31
        }
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    // Years are counted from March, so that the leap day is a year's last, in eras of 400 years, which are all equally
    // long: https://howardhinnant.github.io/date_algorithms.html

    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let days = days + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fifth = (5 * dayOfYear + 2) / 153
        let month = fifth < 10 ? fifth + 3 : fifth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * fifth + 2) / 5 + 1)
    }
}

extension Int64 {
    /// The quotient rounded down, also for what lies before zero.
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
