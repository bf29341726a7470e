/// One of the six fields of a cron expression: what it may say, and how it is read.
struct CronField: Sendable {
    let name: String
    let range: ClosedRange<Int>
    /// Names of values, from the first of the range.
    var names: [String] = []
    /// Whether `20-2` means from 20 past the end and on to 2.
    var mayWrap = true

    static let minutes = CronField(name: "minutes", range: 0...59)
    static let hours = CronField(name: "hours", range: 0...23)
    static let days = CronField(name: "day-of-month", range: 1...31)
    static let months = CronField(
        name: "month",
        range: 1...12,
        names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    )
    static let weekdays = CronField(
        name: "day-of-week",
        range: 1...7,
        names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    )
    static let years = CronField(name: "year", range: 1970...2199, mayWrap: false)

    /// The values of a list of `*`, `n`, `n-m`, each with `/step` or without.
    func values(_ text: Substring) throws(ScheduleExpressionError) -> Set<Int> {
        var values: Set<Int> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !item.isEmpty else { throw error(text, "has an empty place in its list") }
            values.formUnion(try self.item(item))
        }
        return values
    }

    /// As bits, for fields whose values are below 64.
    func mask(_ text: Substring) throws(ScheduleExpressionError) -> UInt64 {
        var mask: UInt64 = 0
        for value in try values(text) { mask |= 1 << UInt64(value) }
        return mask
    }

    private func item(_ text: Substring) throws(ScheduleExpressionError) -> [Int] {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let base = parts[0]
        var bounds: (first: Int, last: Int)
        if base == "*" {
            bounds = (range.lowerBound, range.upperBound)
        } else if let dash = base.firstIndex(of: "-") {
            bounds = (try value(base[..<dash]), try value(base[base.index(after: dash)...]))
        } else {
            let value = try value(base)
            // `5/15` goes on to the end, `5` is itself.
            bounds = (value, parts.count == 2 ? range.upperBound : value)
        }
        var step = 1
        if parts.count == 2 {
            guard let number = Self.number(parts[1]), (1...range.count).contains(number) else {
                throw error(text, "should have a step from 1 to \(range.count) after its /")
            }
            step = number
        }
        if bounds.first > bounds.last {
            guard mayWrap else { throw error(text, "ends before it begins") }
            bounds.last += range.count
        }
        return stride(from: bounds.first, through: bounds.last, by: step).map { value in
            value > range.upperBound ? value - range.count : value
        }
    }

    /// One value, by number or name.
    func value(_ text: Substring) throws(ScheduleExpressionError) -> Int {
        if let index = names.firstIndex(of: text.uppercased()) { return range.lowerBound + index }
        guard let number = Self.number(text), range.contains(number) else {
            let words = names.isEmpty ? "" : ", or \(names[0]) to \(names[names.count - 1])"
            throw error(text, "should be from \(range.lowerBound) to \(range.upperBound)\(words)")
        }
        return number
    }

    func error(_ text: Substring, _ complaint: String) -> ScheduleExpressionError {
        ScheduleExpressionError("the field \(name): \"\(text.prefix(40))\" \(complaint)")
    }

    /// Digits and nothing else, so few that they cannot overflow.
    static func number(_ text: Substring) -> Int? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}
