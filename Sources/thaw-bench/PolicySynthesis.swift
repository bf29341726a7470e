import Foundation

/// A trace with the statistics of Azure Functions 2019, from a seed: for whoever has no real one at hand.
///
/// Each function's rate is drawn from the published distribution, whose steps are timers; the gaps of the others are
/// gamma distributed, with a variation from the published curve of apps without timers.
struct TraceSynthesis {
    /// How one function is called.
    struct Draw {
        var callsPerDay: Double
        /// Deviation of the gaps over their mean; a timer's is 0.
        var variation: Double
        var isTimer: Bool
    }

    private var state: UInt64
    private static let minutes = 480

    init(seed: UInt64) {
        state = seed
    }

    static func trace(seed: UInt64, functionCount: Int) -> ArrivalTrace {
        var synthesis = TraceSynthesis(seed: seed)
        var trace = ArrivalTrace(minutes: minutes, functions: [], callCount: 0)
        // A function that is never called in eight hours is drawn anew, as the real sample has none either.
        while trace.functions.count < functionCount {
            let draw = synthesis.draw()
            let times = draw.isTimer ? synthesis.timer(draw) : synthesis.renewal(draw)
            guard !times.isEmpty else { continue }
            trace.callCount += times.count
            trace.functions.append(Set(times.map { Int($0) }).sorted())
        }
        return trace
    }

    /// Kolmogorov and Smirnov's distance that a synthetic trace may have to the published curves.
    static let distanceMax = 0.05

    /// The distances of what this seed draws, of ten thousand functions: of fewer, chance alone makes up to 2 %.
    static func distances(seed: UInt64) -> (rates: Double, variations: Double) {
        var synthesis = TraceSynthesis(seed: seed)
        let draws = (0..<10_000).map { _ in synthesis.draw() }
        return (
            PublishedShape.rates.distance(to: draws.map(\.callsPerDay)),
            PublishedShape.variations.distance(to: draws.filter { !$0.isTimer }.map(\.variation))
        )
    }

    mutating func draw() -> Draw {
        let place = uniform()
        let step = PublishedShape.rateSteps.first { $0.shares.contains(place) }
        if let step { return Draw(callsPerDay: step.value, variation: 0, isTimer: true) }
        let rate = PublishedShape.rates.quantile(place)
        return Draw(callsPerDay: rate, variation: PublishedShape.variations.quantile(uniform()), isTimer: false)
    }

    private mutating func timer(_ draw: Draw) -> [Double] {
        let period = 1440 / draw.callsPerDay
        let phase = uniform() * period
        // Up to two seconds late.
        return stride(from: phase, to: Double(Self.minutes) - 0.04, by: period).map { $0 + uniform() / 30 }
    }

    private mutating func renewal(_ draw: Draw) -> [Double] {
        // Twenty a minute are in every minute already.
        let ratePerMinute = min(20, draw.callsPerDay / 1440)
        // A variation below a hundredth would be a timer's.
        let variation = max(0.01, draw.variation)
        let shape = 1 / (variation * variation)
        let scale = 1 / (ratePerMinute * shape)
        // Begins long before the first minute, so that the first gap is cut as any other.
        var time = -uniform() * max(2 / ratePerMinute, Double(Self.minutes))
        var times: [Double] = []
        while true {
            time += gap(shape: shape, scale: scale)
            guard time < Double(Self.minutes) else { return times }
            if time >= 0 { times.append(time) }
        }
    }

    mutating func gap(shape: Double, scale: Double) -> Double {
        gamma(shape: shape) * scale
    }

    private mutating func uniform() -> Double {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        // Never 0, whose logarithm is not finite.
        return (Double((mixed ^ (mixed >> 31)) >> 11) + 0.5) / Double(1 << 53)
    }

    private mutating func normal() -> Double {
        (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
    }

    /// Marsaglia and Tsang, with their way down for shapes below 1.
    private mutating func gamma(shape: Double) -> Double {
        guard shape >= 1 else { return gamma(shape: shape + 1) * pow(uniform(), 1 / shape) }
        let d = shape - 1.0 / 3
        while true {
            let x = normal()
            let v = pow(1 + x / (9 * d).squareRoot(), 3)
            guard v > 0 else { continue }
            if log(uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
        }
    }
}
