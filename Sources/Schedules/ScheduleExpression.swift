/// When something runs: `cron(…)`, `rate(…)` or `at(…)`, as EventBridge Scheduler writes them.
package enum ScheduleExpression: Equatable, Sendable {
    case cron(CronExpression)
    case rate(seconds: Int64)
    case at(CivilTime)

    /// Longer ones the service refuses too.
    package static let charactersMax = 256

    package init(_ text: String) throws(ScheduleExpressionError) {
        guard text.utf8.count <= Self.charactersMax else {
            throw ScheduleExpressionError("it has \(text.utf8.count) bytes; at most \(Self.charactersMax) are read")
        }
        guard text.last == ")", let open = text.firstIndex(of: "(") else {
            throw ScheduleExpressionError("it should be cron(…), rate(…) or at(…)")
        }
        let inside = text[text.index(after: open)...].dropLast()
        switch text[..<open] {
        case "cron": self = .cron(try CronExpression(fields: inside))
        case "rate": self = .rate(seconds: try Self.seconds(inside))
        case "at": self = .at(try Self.time(inside))
        case let word:
            throw ScheduleExpressionError("\"\(word.prefix(40))\" should be cron, rate or at")
        }
    }

    private static func seconds(_ text: Substring) throws(ScheduleExpressionError) -> Int64 {
        let words = text.split(separator: " ")
        guard words.count == 2, let count = CronField.number(words[0]), count > 0 else {
            throw ScheduleExpressionError("rate has a whole number above 0 and a unit, as in rate(5 minutes)")
        }
        switch words[1] {
        case "minute", "minutes": return Int64(count) * 60
        case "hour", "hours": return Int64(count) * 3600
        // Of 24 hours, also where the clock is set meanwhile.
        case "day", "days": return Int64(count) * 86400
        case let word:
            throw ScheduleExpressionError("rate's unit should be minutes, hours or days, not \"\(word.prefix(40))\"")
        }
    }

    /// `2026-03-29T02:30:00`; the digits are where they belong and make a time that there is.
    private static func time(_ text: Substring) throws(ScheduleExpressionError) -> CivilTime {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? { CronField.number(text.utf8Substring(range)) }
        let signs: [Int: UInt8] = [4: 0x2D, 7: 0x2D, 10: 0x54, 13: 0x3A, 16: 0x3A]
        guard bytes.count == 19, signs.allSatisfy({ bytes[$0.key] == $0.value }),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else {
            throw ScheduleExpressionError("at has a time such as at(2026-03-29T02:30:00)")
        }
        guard (1970...9999).contains(year), (1...12).contains(month),
            (1...CivilTime.dayCount(year, month)).contains(day), hour < 24, minute < 60, second < 60
        else {
            throw ScheduleExpressionError("there is no time \(text)")
        }
        return CivilTime(year, month, day, hour, minute, second)
    }

    /// The next run, strictly later than a time.
    ///
    /// - Parameters:
    ///   - seconds: since 1970, of the time after which the run is.
    ///   - anchor: seconds since 1970 of a rate's first run.
    /// - Returns: seconds since 1970; nil where there is no later run.
    package func next(after seconds: Int64, in zone: ScheduleZone, anchor: Int64) -> Int64? {
        switch self {
        case .at(let time):
            let instant = zone.instant(of: time) ?? zone.instantPastGap(of: time)
            return instant > seconds ? instant : nil
        case .rate(let period):
            guard seconds >= anchor else { return anchor }
            return anchor + ((seconds - anchor) / period + 1) * period
        case .cron(let cron):
            var local = zone.civilTime(at: seconds)
            while let time = cron.next(after: local) {
                // A time that the clock skips is not run; of an hour that comes twice, the first is.
                if let instant = zone.instant(of: time), instant > seconds { return instant }
                local = time
            }
            return nil
        }
    }
}

/// Why a text is no schedule: what is wrong with it, to be put behind the place where it was written.
package struct ScheduleExpressionError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension Substring {
    /// - Parameter range: of bytes, within the text; none where it would cut a character.
    fileprivate func utf8Substring(_ range: Range<Int>) -> Substring {
        Substring(decoding: utf8.dropFirst(range.lowerBound).prefix(range.count), as: UTF8.self)
    }
}
