/// Decides how long a snapshot that nobody calls is kept, and when it is made resident ahead of a call.
///
/// One for a node: it also learns what the gaps of all functions have in common, for those it knows little of. From the
/// gaps of a function it makes a forecast, and holds the snapshot in those times in which the chance of a call, times
/// what its caller would wait, outweighs the bytes held.
package struct KeepAlivePolicy: Sendable {
    /// What was chosen by trial, on every second function of a real trace (`Decisions/0006-keep-alive.md`).
    package struct Tuning: Sendable {
        /// Nanoseconds of a caller's waiting that holding a GiB for a second is worth.
        ///
        /// 10 µs: a sentence embedder of 90 MiB that comes back in 25 ms is held while a call is likelier than once in
        /// eight hours.
        package var waitNanosecondsPerGiBSecond = 10_000.0
        /// The node's gaps count as much as so many of the function's own.
        package var priorWeight: Float = 0.013
        /// The spread of a function's gaps before any is known, in octaves.
        package var priorDeviation: Float = 0.047
        /// That spread counts as much as so many gaps.
        package var priorDeviationWeight: Float = 2.84
        /// The deviation of one gap's triangle over that of the gaps; it falls with the root of the gaps near by.
        package var kernelScale: Float = 0.5
        /// Of each vote the share that is for the same gap again.
        package var exactShare: Float = 0.69
        /// How much more a gap counts that followed one like the last; and once more if the one before is alike too.
        package var sequelWeight: Float = 8.8
        package var longSequelWeight: Float = 5.8
        /// What a gap counts over the one after it.
        package var recency: Float = 0.9873
        package init() {}
    }

    private let tuning: Tuning
    private var common = GapForecast()
    private var commonFirst = GapForecast()
    private var commonTotal: Float = 0

    package init(tuning: Tuning = Tuning()) {
        self.tuning = tuning
        // Before anything is known: eleven gaps as likely in each octave, seventeen endless ones, and five of what
        // timers are set to most, as the steps in the published rates of Azure Functions show.
        let octaves = GapBins.edgeLogarithms[GapBins.count] - GapBins.edgeLogarithms[0]
        for index in 0..<GapBins.count {
            common.chances[index] = 11 / octaves * (GapBins.edgeLogarithms[index + 1] - GapBins.edgeLogarithms[index])
        }
        for minutes in [5, 10, 15, 30, 60] { common.chances[GapBins.shortCount - 1 + minutes] += 0.9 }
        common.never = 17
        commonFirst = common
        commonTotal = 11 + 17 + 5 * 0.9
    }

    /// Notes a call in the function's history and in what all have in common.
    package mutating func noteArrival(_ history: inout ArrivalHistory, at now: Instant) {
        guard let gap = history.noteArrival(at: now) else { return }
        let index = GapBins.index(ofNanoseconds: gap)
        let isShort = index < GapBins.shortCount
        // The n-th gap of a function counts 1/n: else the few that are called all the time would speak for all.
        let count = isShort ? history.gapCount : history.longGapCount
        common.chances[index] += 1 / Float(count)
        commonTotal += 1 / Float(count)
        if count == 1 { commonFirst.chances[index] += 1 }
    }

    private func forecast(_ history: borrowing ArrivalHistory) -> GapForecast {
        guard history.gapCount > 0 else { return commonFirst }
        var forecast = GapForecast()
        let long = forecast.vote(history, tuning)
        if long > 0 {
            forecast.add(common, weight: tuning.priorWeight / commonTotal)
        } else {
            forecast.add(commonFirst, weight: 1)
        }
        // The short ones, in the proportion in which they were seen.
        let scale = history.longTotal > 0 ? long / Float(history.longTotal) : 1
        let counts = history.shortGaps.span
        for index in 0..<GapBins.shortCount where counts[index] > 0 {
            forecast.chances[index] += Float(counts[index]) * scale
        }
        return forecast
    }

    /// What to do with a function that has not been called since `history.lastArrival`.
    package func plan(_ history: ArrivalHistory, _ costs: TierCosts, at now: Instant) -> KeepAlivePlan {
        let since = history.lastArrival ?? now
        let idle = now.nanoseconds(since: since)
        let forecast = forecast(history)
        let perByteSecond = tuning.waitNanosecondsPerGiBSecond / Double(1 << 30)
        let resident = Float(
            perByteSecond * Double(costs.residentBytes) / Double(max(costs.residentFromPackedNanoseconds, 1))
        )
        let packed = Float(
            perByteSecond * Double(costs.packedBytes) / Double(max(costs.packedFromDiskNanoseconds, 1))
        )
        let windows = Windows(forecast, idle: idle, hazardMin: resident)
        var plan = KeepAlivePlan(residentUntil: now, packedUntil: now)
        plan.residentUntil = windows.first.map { since.advanced(byNanoseconds: $0) } ?? now
        if let second = windows.second {
            plan.prewarmAt = since.advanced(byNanoseconds: second.lowerBound)
            plan.prewarmedUntil = since.advanced(byNanoseconds: second.upperBound)
        }
        let packedWindows = Windows(forecast, idle: idle, hazardMin: packed)
        plan.packedUntil = max(
            plan.residentUntil,
            packedWindows.first.map { since.advanced(byNanoseconds: $0) } ?? now
        )
        plan.value =
            Double(windows.hazardNow) * 60 * Double(costs.residentFromPackedNanoseconds)
            / Double(max(costs.residentBytes, 1))
        return plan
    }
}

/// Runs of bins in which a call is likely enough, from the present idle time on.
private struct Windows {
    /// Nanoseconds after the last arrival to which the present run lasts; nil while outside of one.
    var first: UInt64?
    /// The next run after that.
    var second: Range<UInt64>?
    /// Chance of a call in the next second.
    var hazardNow: Float = 0

    init(_ forecast: borrowing GapForecast, idle: UInt64, hazardMin: Float) {
        let start = idle < GapBins.firstEdgeNanoseconds ? 0 : GapBins.index(ofNanoseconds: idle)
        let chances = forecast.chances.span
        let widths = GapBins.widthSeconds.span
        // Those still without a call when a bin begins, from the end backwards.
        var surviving = forecast.never
        var (run, next): (Range<Int>, Range<Int>) = (0..<0, 0..<0)
        var index = GapBins.count - 1
        while index >= start {
            surviving += chances[index]
            if chances[index] >= hazardMin * surviving * widths[index] {
                if !run.isEmpty, Self.isBridged(from: index + 1, to: run.lowerBound) {
                    run = index..<run.upperBound
                } else {
                    next = run
                    run = index..<index + 1
                }
            }
            index -= 1
        }
        hazardNow = chances[start] / max(surviving * widths[start], .leastNormalMagnitude)
        if run.isEmpty { return }
        let begin = GapBins.edgeNanoseconds(run.lowerBound)
        if run.lowerBound == start || begin - min(idle, begin) < Self.bridge {
            first = GapBins.edgeNanoseconds(run.upperBound)
            second = next.isEmpty ? nil : Self.nanoseconds(next)
        } else {
            second = Self.nanoseconds(run)
        }
    }

    /// Letting go for less than half a minute is not worth it: to restore takes a core for tens of milliseconds.
    private static let bridge: UInt64 = 30_000_000_000

    private static func isBridged(from end: Int, to begin: Int) -> Bool {
        GapBins.edgeNanoseconds(begin) - GapBins.edgeNanoseconds(end) < bridge
    }

    private static func nanoseconds(_ run: Range<Int>) -> Range<UInt64> {
        GapBins.edgeNanoseconds(run.lowerBound)..<GapBins.edgeNanoseconds(run.upperBound)
    }
}
