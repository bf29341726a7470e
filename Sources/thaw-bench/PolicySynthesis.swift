import Foundation

/// A trace with the statistics of Azure Functions 2019, from a seed: for whoever has no real one at hand.
///
/// Half of the functions are timers; of the rest the rate is lognormal (ln of calls a day: mean 2.04, deviation 3.79),
/// gaps are gamma distributed, and their variation follows the published curve of apps without timers.
struct TraceSynthesis {
    private var state: UInt64
    private static let minutes = 480
    /// Minutes; what cron lines say most, as the steps in the published rates show.
    private static let periods = [1, 5, 5, 5, 10, 15, 30, 60, 60]
    /// Coefficient of variation and the share of apps that do not exceed it.
    private static let variations: [(value: Double, share: Double)] = [
        (0.1, 0.14), (0.3, 0.19), (0.5, 0.23), (1, 0.35), (1.5, 0.46), (2, 0.55), (3, 0.68), (4, 0.76), (6, 0.84),
        (10, 1),
    ]

    static func trace(seed: UInt64, functionCount: Int) -> ArrivalTrace {
        var synthesis = TraceSynthesis(state: seed)
        var trace = ArrivalTrace(minutes: minutes, functions: [], callCount: 0)
        // A function that is never called in eight hours is drawn anew, as the real sample has none either.
        while trace.functions.count < functionCount {
            let times = synthesis.uniform() < 0.5 ? synthesis.timer() : synthesis.renewal()
            guard !times.isEmpty else { continue }
            trace.callCount += times.count
            trace.functions.append(Set(times.map { Int($0) }).sorted())
        }
        return trace
    }

    private mutating func timer() -> [Double] {
        let period = Double(Self.periods[Int(uniform() * Double(Self.periods.count))])
        let phase = uniform() * period
        // Up to two seconds late.
        return stride(from: phase, to: Double(Self.minutes) - 0.04, by: period).map { $0 + uniform() / 30 }
    }

    private mutating func renewal() -> [Double] {
        let ratePerMinute = min(20, exp(2.04 + 3.79 * normal()) / 1440)
        let draw = uniform()
        let variation = Self.variations.first { draw <= $0.share }?.value ?? 10
        let shape = 1 / (variation * variation)
        let scale = 1 / (ratePerMinute * shape)
        // Begins long before the first minute, so that the first gap is cut as any other.
        var time = -uniform() / ratePerMinute
        var times: [Double] = []
        while true {
            time += gamma(shape: shape) * scale
            guard time < Double(Self.minutes) else { return times }
            if time >= 0 { times.append(time) }
        }
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
