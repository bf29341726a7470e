import Scheduling

/// Functions and the minutes in which each was called, ascending.
struct ArrivalTrace {
    var minutes: Int
    var functions: [[Int]]
    /// Calls in all; several may fall into one minute.
    var callCount: Int

    /// Every second function, beginning with `first`.
    func half(_ first: Int) -> ArrivalTrace {
        let chosen = functions.indices.filter { $0 % 2 == first }.map { functions[$0] }
        return ArrivalTrace(minutes: minutes, functions: chosen, callCount: chosen.reduce(0) { $0 + $1.count })
    }

    /// All arrivals in the order of time; in one minute in the order of the file.
    var events: [(minute: Int, function: Int)] {
        var byMinute = [[Int]](repeating: [], count: minutes)
        for (function, arrivals) in functions.enumerated() {
            for minute in arrivals { byMinute[minute].append(function) }
        }
        return byMinute.enumerated().flatMap { minute, functions in functions.map { (minute, $0) } }
    }
}

/// A time in which a snapshot is resident, in minutes after the last use; a call at either edge finds it.
struct Residency {
    var from: Double
    var until: Double
}

/// What a policy cost on a trace.
struct ReplayOutcome {
    var coldStarts = 0
    /// Minutes that snapshots were resident between uses.
    var wastedMinutes = 0.0
    var prewarms = 0
    var prewarmHits = 0
    /// Minutes of those in prewarmed time that no call ended.
    var prewarmWastedMinutes = 0.0
}

/// Answers, after each use of a function, when its snapshot will be resident until the next one.
protocol ReplayedPolicy {
    /// In ascending order, without overlap.
    mutating func residency(of function: Int, calledAt minute: Int) -> [Residency]
}

extension ReplayOutcome {
    /// Minute resolution, every function alike, nothing known at the start, first touches cold.
    init(of trace: ArrivalTrace, under policy: inout some ReplayedPolicy) {
        var plans = [[Residency]?](repeating: nil, count: trace.functions.count)
        var last = [Int](repeating: 0, count: trace.functions.count)
        for (minute, function) in trace.events {
            if let plan = plans[function] {
                count(plan, gap: Double(minute - last[function]), endsWithCall: true)
            } else {
                coldStarts += 1
            }
            plans[function] = policy.residency(of: function, calledAt: minute)
            last[function] = minute
        }
        for (function, plan) in plans.enumerated() {
            guard let plan else { continue }
            count(plan, gap: Double(trace.minutes - last[function]), endsWithCall: false)
        }
    }

    private mutating func count(_ plan: [Residency], gap: Double, endsWithCall: Bool) {
        var isWarm = false
        for window in plan where window.from <= gap {
            let held = max(0, min(gap, window.until) - window.from)
            wastedMinutes += held
            let hits = endsWithCall && gap <= window.until
            isWarm = isWarm || hits
            guard window.from > 0 else { continue }
            prewarms += 1
            if hits { prewarmHits += 1 } else { prewarmWastedMinutes += held }
        }
        if endsWithCall, !isWarm { coldStarts += 1 }
    }
}

/// The node's own policy, as the pool asks it.
struct OwnPolicy: ReplayedPolicy {
    private var policy: KeepAlivePolicy
    private var histories: [ArrivalHistory]
    /// The same for every function, as every rival here is told: a sentence embedder's, measured.
    private let costs = TierCosts(
        residentFromPackedNanoseconds: 25_000_000,
        packedFromDiskNanoseconds: 40_000_000,
        residentBytes: 90 << 20,
        packedBytes: 75 << 20
    )
    /// Nanoseconds from the start of the trace to its minute 0: the clock of a node does not begin at 0.
    private static let start: UInt64 = 1 << 40
    private static let minute: UInt64 = 60_000_000_000

    init(functionCount: Int, tuning: KeepAlivePolicy.Tuning = .init()) {
        policy = KeepAlivePolicy(tuning: tuning)
        histories = Array(repeating: ArrivalHistory(), count: functionCount)
    }

    mutating func residency(of function: Int, calledAt minute: Int) -> [Residency] {
        let called = Instant(nanoseconds: Self.start + UInt64(minute) * Self.minute)
        policy.noteArrival(&histories[function], at: called)
        return windows(of: function, calledAt: called)
    }

    /// One arrival and one plan, as the pool makes them on a call's way.
    ///
    /// - Returns: whether the snapshot stays resident now.
    mutating func decide(_ function: Int, calledAt minute: Int) -> Bool {
        let called = Instant(nanoseconds: Self.start + UInt64(minute) * Self.minute)
        policy.noteArrival(&histories[function], at: called)
        return policy.plan(histories[function], costs, at: called).residentUntil > called
    }

    private func windows(of function: Int, calledAt called: Instant) -> [Residency] {
        var windows: [Residency] = []
        func hold(_ from: Instant, _ until: Instant) {
            // Outwards to whole minutes: within one nobody knows when the call came.
            let begin = (Double(from.nanoseconds(since: called)) / Double(Self.minute)).rounded(.down)
            let end = (Double(until.nanoseconds(since: called)) / Double(Self.minute)).rounded(.up)
            if let previous = windows.last, begin <= previous.until {
                windows[windows.count - 1].until = max(previous.until, end)
            } else {
                windows.append(Residency(from: begin, until: end))
            }
        }
        var now = called
        // As often as the pool would ask; no forecast has more runs than bins.
        for _ in 0..<GapBins.count {
            let plan = policy.plan(histories[function], costs, at: now)
            if plan.residentUntil > now { hold(now, plan.residentUntil) }
            guard let prewarmAt = plan.prewarmAt, let until = plan.prewarmedUntil else { break }
            hold(prewarmAt, until)
            now = until
        }
        return windows
    }
}
