/// `cron(minutes hours day-of-month month day-of-week year)` as EventBridge writes it.
///
/// A value without a clock: it finds the next minute of civil time that it names, and zones are another's business.
package struct CronExpression: Equatable, Sendable {
    /// Bits of the values that match.
    private let minutes: UInt64
    private let hours: UInt64
    private let months: UInt64
    private let days: Days
    /// In order; nil for every year.
    private let years: [Int]?

    /// Which days of a month match: one of the two fields says it, the other is `?`.
    enum Days: Equatable, Sendable {
        case ofMonth(UInt64)
        case lastOfMonth
        /// The weekday, Monday to Friday, that is nearest to a day and in the same month.
        case nearestWeekday(toDay: Int)
        case lastWeekdayOfMonth
        /// Bits 1 for Sunday to 7 for Saturday.
        case ofWeek(UInt64)
        case lastOfWeekday(Int)
        case nthOfWeekday(Int, nth: Int)
    }

    /// - Parameter text: what stands between the parentheses.
    init(fields text: Substring) throws(ScheduleExpressionError) {
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard fields.count == 6 else {
            throw ScheduleExpressionError(
                "cron has six fields (minutes hours day-of-month month day-of-week year), this one has \(fields.count)"
            )
        }
        minutes = try CronField.minutes.mask(fields[0])
        hours = try CronField.hours.mask(fields[1])
        months = try CronField.months.mask(fields[3])
        years = fields[5] == "*" ? nil : try CronField.years.values(fields[5]).sorted()
        switch (fields[2], fields[4]) {
        case ("?", "?"):
            throw ScheduleExpressionError("day-of-month and day-of-week are both ?; one of them says the days")
        case (let day, "?"): days = try Self.days(ofMonth: day)
        case ("?", let weekday): days = try Self.days(ofWeek: weekday)
        default:
            throw ScheduleExpressionError(
                "day-of-month and day-of-week cannot both say the days; write ? in one of them"
            )
        }
    }

    private static func days(ofMonth text: Substring) throws(ScheduleExpressionError) -> Days {
        switch text.uppercased() {
        case "L": return .lastOfMonth
        case "LW": return .lastWeekdayOfMonth
        case let word where word.hasSuffix("W"):
            return .nearestWeekday(toDay: try CronField.days.value(text.dropLast()))
        default: return .ofMonth(try CronField.days.mask(text))
        }
    }

    private static func days(ofWeek text: Substring) throws(ScheduleExpressionError) -> Days {
        let field = CronField.weekdays
        if let mark = text.firstIndex(of: "#") {
            let nth = CronField.number(text[text.index(after: mark)...])
            guard let nth, (1...5).contains(nth) else {
                throw field.error(text, "should be one weekday, #, and its number from 1 to 5 in the month")
            }
            return .nthOfWeekday(try field.value(text[..<mark]), nth: nth)
        }
        // The last day of a week is Saturday.
        if text.uppercased() == "L" { return .ofWeek(1 << 7) }
        if text.uppercased().hasSuffix("L") { return .lastOfWeekday(try field.value(text.dropLast())) }
        return .ofWeek(try field.mask(text))
    }

    /// The first minute that matches and is later than the one given; nil where there is none until the year 2199.
    package func next(after time: CivilTime) -> CivilTime? {
        var found = CivilTime(time.year, time.month, time.day, time.hour, time.minute + 1)
        // Whatever is raised, what is smaller starts anew.
        while let year = nextYear(from: found.year) {
            if year != found.year { found = CivilTime(year, 1, 1) }
            guard let month = Self.nextBit(months, from: found.month) else {
                found = CivilTime(year + 1, 1, 1)
                continue
            }
            if month != found.month { found = CivilTime(year, month, 1) }
            guard let day = Self.nextBit(dayMask(year, month), from: found.day) else {
                found = CivilTime(year, month + 1, 1)
                continue
            }
            if day != found.day { found = CivilTime(year, month, day) }
            guard let hour = Self.nextBit(hours, from: found.hour) else {
                found = CivilTime(year, month, day + 1)
                continue
            }
            if hour != found.hour { found = CivilTime(year, month, day, hour) }
            guard let minute = Self.nextBit(minutes, from: found.minute) else {
                found = CivilTime(year, month, day, hour + 1)
                continue
            }
            return CivilTime(year, month, day, hour, minute)
        }
        return nil
    }

    private func nextYear(from year: Int) -> Int? {
        guard let years else { return year <= CronField.years.range.upperBound ? max(year, 1970) : nil }
        return years.first { $0 >= year }
    }

    private static func nextBit(_ mask: UInt64, from start: Int) -> Int? {
        let rest = start < 64 ? mask >> UInt64(start) : 0
        return rest == 0 ? nil : start + rest.trailingZeroBitCount
    }

    /// The matching days of one month, bits 1 to 31.
    private func dayMask(_ year: Int, _ month: Int) -> UInt64 {
        let count = CivilTime.dayCount(year, month)
        let all: UInt64 = (1 << UInt64(count + 1)) - 2
        func bit(_ day: Int) -> UInt64 { 1 << UInt64(day) }
        switch days {
        case .ofMonth(let mask): return mask & all
        case .lastOfMonth: return bit(count)
        case .nearestWeekday(let day):
            return day > count ? 0 : bit(Self.weekday(nearestTo: day, year, month, count))
        case .lastWeekdayOfMonth: return bit(Self.weekday(nearestTo: count, year, month, count))
        case .ofWeek(let mask):
            let first = CivilTime.weekday(year, month, 1)
            return (1...count).reduce(0) { days, day in
                mask >> UInt64((first + day - 2) % 7 + 1) & 1 == 1 ? days | bit(day) : days
            }
        case .lastOfWeekday(let weekday):
            let last = CivilTime.weekday(year, month, count)
            return bit(count - (last - weekday + 7) % 7)
        case .nthOfWeekday(let weekday, let nth):
            let first = CivilTime.weekday(year, month, 1)
            let day = 1 + (weekday - first + 7) % 7 + (nth - 1) * 7
            return day > count ? 0 : bit(day)
        }
    }

    /// Monday to Friday; a Saturday goes back and a Sunday forward, unless that would be another month.
    private static func weekday(nearestTo day: Int, _ year: Int, _ month: Int, _ count: Int) -> Int {
        switch CivilTime.weekday(year, month, day) {
        case 7: day == 1 ? 3 : day - 1
        case 1: day == count ? day - 2 : day + 1
        default: day
        }
    }
}
