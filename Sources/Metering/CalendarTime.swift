/// An instant in the calendar, in UTC.
package struct CalendarTime: CustomStringConvertible, Sendable {
    private let unixNanoseconds: UInt64

    package init(unixNanoseconds: UInt64) {
        self.unixNanoseconds = unixNanoseconds
    }

    /// RFC 3339 with nine digits after the second, which Foundation's formats cut to three.
    package var description: String {
        let seconds = unixNanoseconds / 1_000_000_000
        let (year, month, day) = CalendarTime.date(daysSince1970: Int(seconds / 86_400))
        let date = "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
        let ofDay = Int(seconds % 86_400)
        let time = "\(digits(ofDay / 3600, 2)):\(digits(ofDay / 60 % 60, 2)):\(digits(ofDay % 60, 2))"
        return "\(date)T\(time).\(digits(Int(unixNanoseconds % 1_000_000_000), 9))Z"
    }

    /// After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    ///
    /// Counts years from March, so that a leap day is the last of its year, and in cycles of 400 years, which all have
    /// 146,097 days.
    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let sinceMarchOfYear0 = days + 719_468
        let dayOfCycle = sinceMarchOfYear0 % 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = sinceMarchOfYear0 / 146_097 * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
