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
        // timers are set to most: the steps in the published rates of Azure Functions, and ten minutes.
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
        var (windows, packedWindows) = (Windows(hazardMin: resident), Windows(hazardMin: packed))
        let hazardNow = Self.find(&windows, &packedWindows, in: forecast, idle: idle)
        var plan = KeepAlivePlan(residentUntil: now, packedUntil: now)
        plan.residentUntil = windows.present(idle: idle).map { since.advanced(byNanoseconds: $0) } ?? now
        if let following = windows.following(idle: idle) {
            plan.prewarmAt = since.advanced(byNanoseconds: following.lowerBound)
            plan.prewarmedUntil = since.advanced(byNanoseconds: following.upperBound)
        }
        plan.packedUntil = max(
            plan.residentUntil,
            packedWindows.present(idle: idle).map { since.advanced(byNanoseconds: $0) } ?? now
        )
        plan.value =
            Double(hazardNow) * 60 * Double(costs.residentFromPackedNanoseconds)
            / Double(max(costs.residentBytes, 1))
        return plan
    }

    /// Goes through the bins once, from the last to that of the present idle time.
    ///
    /// - Returns: the chance of a call in the next second.
    private static func find(
        _ resident: inout Windows,
        _ packed: inout Windows,
        in forecast: borrowing GapForecast,
        idle: UInt64
    ) -> Float {
        let start = GapBins.index(ofNanoseconds: idle)
        let chances = forecast.chances.span
        let widths = GapBins.widthSeconds.span
        // Those still without a call when a bin begins.
        var surviving = forecast.never
        var index = GapBins.count - 1
        while index >= start {
            surviving += chances[index]
            let least = surviving * widths[index]
            resident.note(index, chance: chances[index], least)
            packed.note(index, chance: chances[index], least)
            index -= 1
        }
        return chances[start] / max(surviving * widths[start], .leastNormalMagnitude)
    }
}

/// Runs of bins in which a call is likely enough to hold the snapshot, from the present idle time on: the two next.
private struct Windows {
    let hazardMin: Float
    private var run = 0..<0
    private var next = 0..<0

    init(hazardMin: Float) {
        self.hazardMin = hazardMin
    }

    /// Bins come from the last to the first.
    mutating func note(_ index: Int, chance: Float, _ survivingSeconds: Float) {
        guard chance >= hazardMin * survivingSeconds else { return }
        if run.lowerBound == index + 1, !run.isEmpty {
            run = index..<run.upperBound
        } else if !run.isEmpty, Self.isBridged(from: index + 1, to: run.lowerBound) {
            run = index..<run.upperBound
        } else {
            next = run
            run = index..<index + 1
        }
    }

    /// Whether the first run has begun, or is so near that the snapshot is held until then.
    private func hasBegun(idle: UInt64) -> Bool {
        let begin = GapBins.edgeNanoseconds(run.lowerBound)
        return !run.isEmpty && begin - min(idle, begin) < Self.bridge
    }

    /// Nanoseconds after the last arrival to which the present run lasts; nil while outside of one.
    func present(idle: UInt64) -> UInt64? {
        hasBegun(idle: idle) ? GapBins.edgeNanoseconds(run.upperBound) : nil
    }

    /// The run after that.
    func following(idle: UInt64) -> Range<UInt64>? {
        let run = hasBegun(idle: idle) ? next : run
        if run.isEmpty { return nil }
        return GapBins.edgeNanoseconds(run.lowerBound)..<GapBins.edgeNanoseconds(run.upperBound)
    }

    /// Letting go for less than half a minute is not worth it: to restore takes a core for tens of milliseconds.
    private static let bridge: UInt64 = 30_000_000_000

    private static func isBridged(from end: Int, to begin: Int) -> Bool {
        GapBins.edgeNanoseconds(begin) - GapBins.edgeNanoseconds(end) < bridge
    }
}
