/// Sizes and durations as people write them: digits, then a unit, with nothing between.
enum Quantity {
    /// What ``bytes(_:)`` reads, for error messages.
    static let sizeForm = "a size such as \"512MiB\" (units: B, KiB, MiB, GiB, kB, MB, GB)"
    /// What ``milliseconds(_:)`` reads, for error messages.
    static let durationForm = "a duration such as \"30s\" (units: ms, s, m, h)"

    private static let sizeUnits: [(String, UInt64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("kB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000),
        ("B", 1),
    ]
    private static let durationUnits: [(String, UInt64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]

    /// `"16MiB"` → 16,777,216; nil for anything else, a number too large for 64 bits included.
    static func bytes(_ text: String) -> UInt64? {
        parse(text, units: sizeUnits)
    }

    /// `"1m"` → 60,000; nil for anything else.
    static func milliseconds(_ text: String) -> Int? {
        parse(text, units: durationUnits).flatMap { Int(exactly: $0) }
    }

    /// Digits as an integer; nil for a sign, a leading zero, a separator, or more than 18 of them.
    static func count(_ text: Substring) -> UInt64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.utf8.count <= 18 else { return nil }
        guard text.utf8.count == 1 || text.utf8.first != 0x30 else { return nil }
        return UInt64(text)
    }

    private static func parse(_ text: String, units: [(String, UInt64)]) -> UInt64? {
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let number = count(text.dropLast(unit.count)) else { continue }
            let (product, overflow) = number.multipliedReportingOverflow(by: factor)
            return overflow ? nil : product
        }
        return nil
    }
}
