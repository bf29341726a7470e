import FoundationEssentials
import Synchronization

/// The `Date` header, written anew when a reply finds the second over.
///
/// Hummingbird's own cache wakes every second to stay fresh; a node without traffic should sleep.
final class ReplyDate: Sendable {
    private let cache = Mutex<(second: Int, text: String)>((.min, ""))

    /// The date of this second.
    func text(unixSeconds: Int) -> String {
        cache.withLock { cache in
            if cache.second != unixSeconds {
                cache = (unixSeconds, Self.format(unixSeconds: unixSeconds))
            }
            return cache.text
        }
    }

    /// Now, by the wall clock.
    func text() -> String {
        text(unixSeconds: Int(Date.now.timeIntervalSince1970.rounded(.down)))
    }

    /// IMF-fixdate of RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func format(unixSeconds: Int) -> String {
        let second = CivilSecond(unixSeconds: unixSeconds)
        return "\(weekdays[second.weekday]), \(twoDigits(second.day)) \(months[second.month - 1]) \(second.year) "
            + "\(twoDigits(second.hour)):\(twoDigits(second.minute)):\(twoDigits(second.second)) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}

/// A second of the Gregorian calendar in UTC; `HTTP` knows no other zone, and no language.
private struct CivilSecond {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    /// 0 is Sunday.
    let weekday: Int

    /// Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is the last of them.
    init(unixSeconds: Int) {
        let days = Int((Double(unixSeconds) / 86_400).rounded(.down))
        let rest = unixSeconds - days * 86_400
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        // 1 January 1970 was a Thursday.
        weekday = ((days + 4) % 7 + 7) % 7
        let shifted = days + 719_468
        let era = Int((Double(shifted) / 146_097).rounded(.down))
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
