/// Lets go after the same time, whatever the function.
struct FixedKeepAlive: ReplayedPolicy {
    /// Nil for never.
    var minutes: Double?

    func residency(of function: Int, calledAt minute: Int) -> [Residency] {
        [Residency(from: 0, until: minutes ?? .infinity)]
    }
}

/// Knows the future: each snapshot is resident just when it is called, but for its first call.
struct Clairvoyant: ReplayedPolicy {
    private var following: [[Int: Int]]

    init(_ trace: ArrivalTrace) {
        following = trace.functions.map { Dictionary(uniqueKeysWithValues: zip($0, $0.dropFirst())) }
    }

    func residency(of function: Int, calledAt minute: Int) -> [Residency] {
        guard let next = following[function][minute] else { return [] }
        return [Residency(from: Double(next - minute), until: Double(next - minute))]
    }
}

/// Shahrad et al., "Serverless in the Wild" (ATC'20), with the paper's constants.
///
/// Idle times in bins of a minute up to four hours; held from the 5th percentile less a tenth, for the 99th and a tenth.
/// The paper forecasts rare functions with ARIMA; here, as in the replay that gave the published table's figures, the
/// mean of the last five gaps stands for it: in eight hours few get there.
struct HybridHistogram: ReplayedPolicy {
    private struct Record {
        var bins = [Int](repeating: 0, count: HybridHistogram.range)
        var beyond = 0
        var gaps: [Int] = []
        var last: Int?
    }

    private static let range = 240
    private static let variationMin = 2.0
    private static let margin = 0.1
    private static let forecastMargin = 0.15
    private var records: [Record]

    init(functionCount: Int) {
        records = Array(repeating: Record(), count: functionCount)
    }

    mutating func residency(of function: Int, calledAt minute: Int) -> [Residency] {
        if let last = records[function].last {
            let gap = minute - last
            records[function].gaps.append(gap)
            if gap < Self.range { records[function].bins[gap] += 1 } else { records[function].beyond += 1 }
        }
        records[function].last = minute
        return [Self.window(records[function])]
    }

    private static func window(_ record: Record) -> Residency {
        let count = record.gaps.count
        let binned = count - record.beyond
        if count > 0, Double(record.beyond) / Double(count) > 0.5 {
            let recent = record.gaps.suffix(5)
            let forecast = Double(recent.reduce(0, +)) / Double(recent.count)
            return Residency(from: forecast * (1 - forecastMargin), until: forecast * (1 + forecastMargin))
        }
        let mean = Double(binned) / Double(range)
        let squares = record.bins.reduce(0.0) { $0 + Double($1 * $1) } / Double(range)
        guard binned > 0, max(0, squares - mean * mean).squareRoot() / mean >= variationMin else {
            return Residency(from: 0, until: Double(range))
        }
        let head = percentile(0.05, of: record.bins, count: binned)
        let tail = percentile(0.99, of: record.bins, count: binned) + 1
        let from = (Double(head) * (1 - margin)).rounded(.down)
        return Residency(from: from, until: from + (Double(tail) * (1 + margin)).rounded(.up))
    }

    private static func percentile(_ share: Double, of bins: [Int], count: Int) -> Int {
        var sum = 0
        for (index, bin) in bins.enumerated() where bin > 0 {
            sum += bin
            if Double(sum) >= share * Double(count) { return index }
        }
        return bins.count - 1
    }
}

/// FaaSCache (ASPLOS'21): a cache of so many snapshots; the one with the least clock + frequency × cost ÷ size goes.
///
/// Every function costs the same and is as large here. Not a ``ReplayedPolicy``: what one function's call evicts is
/// another's.
struct GreedyDual {
    var outcome = ReplayOutcome()

    init(of trace: ArrivalTrace, capacity: Int) {
        var clock = 0.0
        var frequency = [Int](repeating: 0, count: trace.functions.count)
        var last = [Int](repeating: 0, count: trace.functions.count)
        var resident: [Int: Double] = [:]
        for (minute, function) in trace.events {
            if resident[function] != nil {
                outcome.wastedMinutes += Double(minute - last[function])
            } else {
                outcome.coldStarts += 1
                if resident.count >= capacity,
                    let victim = resident.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })
                {
                    clock = victim.value
                    // An evicted function begins anew, as in the paper.
                    frequency[victim.key] = 0
                    outcome.wastedMinutes += Double(minute - last[victim.key])
                    resident[victim.key] = nil
                }
            }
            frequency[function] += 1
            last[function] = minute
            resident[function] = clock + Double(frequency[function])
        }
        for function in resident.keys { outcome.wastedMinutes += Double(trace.minutes - last[function]) }
    }

    /// The largest cache that wastes no more than `wastedMinutes`.
    static func outcome(of trace: ArrivalTrace, wastedMinutesMax: Double) -> ReplayOutcome {
        var (small, large) = (1, max(2, trace.functions.count + 1))
        while large - small > 1 {
            let middle = (small + large) / 2
            let wasted = GreedyDual(of: trace, capacity: middle).outcome.wastedMinutes
            if wasted <= wastedMinutesMax { small = middle } else { large = middle }
        }
        return GreedyDual(of: trace, capacity: small).outcome
    }
}
