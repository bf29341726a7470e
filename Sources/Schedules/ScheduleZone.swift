import Foundation

/// Where a schedule's clock hangs: the rules by which it is set forward and back.
package struct ScheduleZone: Equatable, Sendable {
    /// As in the IANA database: `Europe/Berlin`.
    package let name: String
    private let zone: TimeZone

    package static let utc = ScheduleZone(name: "UTC", zone: .gmt)

    private init(name: String, zone: TimeZone) {
        self.name = name
        self.zone = zone
    }

    /// Nil for a name that the database does not have.
    package init?(_ name: String) {
        guard name.utf8.count <= Self.nameBytesMax, name.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else {
            return nil
        }
        if name == "UTC" {
            self = .utc
            return
        }
        guard let zone = TimeZone(identifier: name) else { return nil }
        self.init(name: name, zone: zone)
    }

    package static let nameBytesMax = 50

    /// What the clock shows.
    package func civilTime(at seconds: Int64) -> CivilTime {
        CivilTime(secondsOfClock: seconds + offset(at: seconds))
    }

    /// When the clock shows a time, the first time that it does; nil for one that it skips.
    package func instant(of time: CivilTime) -> Int64? {
        let shown = time.secondsOfClock
        // No clock is a day off UTC, and none is set twice in two days.
        let before = offset(at: shown - 86400)
        let after = offset(at: shown + 86400)
        if before == after { return shown - before }
        // Where both hold, the clock is set back between them, and the larger offset comes first.
        let both = [shown - max(before, after), shown - min(before, after)]
        return both.first { offset(at: $0) == shown - $0 }
    }

    /// When a clock that nobody sets forward would show a time that this one skips.
    package func instantPastGap(of time: CivilTime) -> Int64 {
        time.secondsOfClock - offset(at: time.secondsOfClock - 86400)
    }

    private func offset(at seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }
}
