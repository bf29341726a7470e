/// The chance that a gap ends in each bin, and that it ends in none.
struct GapForecast: Sendable {
    var chances = InlineArray<160, Float>(repeating: 0)
    /// Of no end within what the bins hold.
    var never: Float = 0

    /// Each bin's share of `weight`, spread with a triangle whose deviation is `deviation` bins.
    ///
    /// A triangle is a box twice, and a box a difference of running sums: the cost does not depend on the spread.
    mutating func spread(_ gaps: borrowing GapBins, deviation: Double, weight: Float) {
        // Two boxes of 2r + 1 bins have a variance of ((2r + 1)² - 1) / 6.
        let radius = min(24, Int(((6 * deviation * deviation + 1).squareRoot() - 1) / 2 + 0.5))
        let share = weight / Float(max(gaps.total, 1))
        let counts = gaps.counts.span
        var values = chances.mutableSpan
        for index in 0..<GapBins.count { values[index] = Float(counts[index]) * share }
        guard radius > 0 else { return }
        var once = InlineArray<160, Float>(repeating: 0)
        Self.box(chances.span, radius: radius, into: &once)
        Self.box(once.span, radius: radius, into: &chances)
    }

    private static func box(_ source: Span<Float>, radius: Int, into target: inout InlineArray<160, Float>) {
        let scale = 1 / Float(2 * radius + 1)
        var target = target.mutableSpan
        var sum: Float = 0
        for index in 0..<radius { sum += source[index] }
        for index in 0..<GapBins.count {
            if index + radius < GapBins.count { sum += source[index + radius] }
            // Rounding must not leave a chance below 0 where there is none.
            target[index] = max(0, sum * scale)
            if index >= radius { sum -= source[index - radius] }
        }
    }

    mutating func add(_ other: borrowing GapForecast, weight: Float) {
        let more = other.chances.span
        var values = chances.mutableSpan
        for index in 0..<GapBins.count { values[index] += more[index] * weight }
        never += other.never * weight
    }
}
