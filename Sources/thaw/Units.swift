/// Quantities as people read them.
enum Units {
    /// Decimal units, three digits: `512 B`, `90.9 MB`, `1.25 GB`.
    static func bytes(_ count: UInt64) -> String {
        guard count >= 1000 else { return "\(count) B" }
        return scaled(Double(count), 1000, ["B", "kB", "MB", "GB", "TB", "PB", "EB"])
    }

    static func bytes(_ count: Int) -> String {
        bytes(UInt64(clamping: count))
    }

    /// Three digits: `870 ns`, `12.0 µs`, `3.40 ms`, `1.25 s`; minutes stay seconds.
    static func duration(nanoseconds: UInt64) -> String {
        guard nanoseconds >= 1000 else { return "\(nanoseconds) ns" }
        return scaled(Double(nanoseconds), 1000, ["ns", "µs", "ms", "s"])
    }

    /// As in `$0.000001234`: prices of single calls have no smaller unit that anyone knows.
    static func money(nanodollars: Int) -> String {
        let (dollars, rest) = nanodollars.quotientAndRemainder(dividingBy: 1_000_000_000)
        let digits = String(rest.magnitude)
        let sign = nanodollars < 0 ? "-" : ""
        return "\(sign)$\(dollars.magnitude)." + String(repeating: "0", count: 9 - digits.count) + digits
    }

    /// As in `2.50:1`.
    static func ratio(_ whole: Int, _ part: Int) -> String {
        part > 0 ? "\(digits(Double(whole) / Double(part))):1" : "–"
    }

    private static func scaled(_ value: Double, _ base: Double, _ units: [String]) -> String {
        var value = value
        var unit = 0
        // 999.95 would be written as 1000.
        while value >= base - 0.5, unit < units.count - 1 {
            value /= base
            unit += 1
        }
        return "\(digits(value)) \(units[unit])"
    }

    /// Three significant digits, where there is a fraction to cut.
    private static func digits(_ value: Double) -> String {
        let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        let factor = [1.0, 10, 100][decimals]
        let rounded = Int((value * factor).rounded())
        guard decimals > 0 else { return "\(rounded)" }
        let fraction = String(rounded % Int(factor))
        return "\(rounded / Int(factor))." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}
