/// The chance that a gap ends in each bin, and that it ends in none.
struct GapForecast: Sendable {
    var chances = InlineArray<160, Float>(repeating: 0)
    /// Of no end within what the bins hold.
    var never: Float = 0

    /// Each bin's gaps, as a triangle whose deviation is `deviation` bins for one gap.
    ///
    /// What was seen often at one place will come there again: the triangle's width falls with the square root of the
    /// gaps in the bin and beside it. A timer's forecast is narrow after few gaps, though a stray call comes between.
    mutating func spread(_ gaps: borrowing GapBins, deviation: Double) {
        let counts = gaps.counts.span
        var values = chances.mutableSpan
        for index in 0..<GapBins.count where counts[index] > 0 {
            let below = index > 0 ? counts[index - 1] : 0
            let above = index + 1 < GapBins.count ? counts[index + 1] : 0
            let near = Double(counts[index]) + Double(below + above) / 2
            // A triangle that falls to 0 in r + 1 bins has a variance of r (r + 2) / 6.
            let variance = deviation * deviation / near
            let radius = min(Self.radiusMax, Int((6 * variance + 1).squareRoot() - 0.5))
            let peak = Float(counts[index]) / Float((radius + 1) * (radius + 1))
            for other in max(0, index - radius)...min(GapBins.count - 1, index + radius) {
                values[other] += peak * Float(radius + 1 - abs(other - index))
            }
        }
    }

    /// Two octaves: past a factor of four a gap says nothing.
    private static let radiusMax = 16

    mutating func add(_ other: borrowing GapForecast, weight: Float) {
        let more = other.chances.span
        var values = chances.mutableSpan
        for index in 0..<GapBins.count { values[index] += more[index] * weight }
        never += other.never * weight
    }
}
