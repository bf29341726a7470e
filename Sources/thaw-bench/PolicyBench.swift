import ArgumentParser
import Linux
import Scheduling

/// What the keep-alive policy costs and saves on a trace, beside the published ones in the same replay.
struct PolicyBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Replay a trace of calls under our keep-alive policy and its rivals.",
        discussion: """
            Rows, a pair a policy: cold starts (count) and wasted memory (minutes), both against fixed-10. Minute \
            resolution, every function alike, nothing known at the start, first calls count. A cold start is a call \
            that finds no resident snapshot; wasted is the time that one stays resident between uses. The trace is \
            a directory with the in-vitro sample of Azure Functions 2019 (github.com/vhive-serverless/invitro, \
            data/traces); our policy's constants were chosen on every second function of its 500, the rows \
            "held-out" are the other half. Without --trace a seeded synthetic trace is replayed.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Directory with *invocations.csv or *invocations.csv.zst.")
    var trace: String?

    @Option(help: "Seed of the synthetic trace.")
    var seed: UInt64 = 1

    @Option(help: "Functions of the synthetic trace.")
    var functions = 500

    func validate() throws {
        guard functions >= 2 else { throw ValidationError("--functions must be at least 2") }
    }

    func run() throws {
        let arrivals =
            try trace.map { try ArrivalTrace(directory: $0) }
            ?? TraceSynthesis.trace(seed: seed, functionCount: functions)
        let source = trace.map { "the trace in \($0)" } ?? "a synthetic trace, seed \(seed)"
        note("\(source): \(arrivals.functions.count) functions, \(arrivals.callCount) calls")
        if trace == nil { try showShape() }
        try compare(on: arrivals)
        try compareOwn(on: arrivals.half(1), name: "thaw held-out")
        try showCost(on: arrivals)
    }

    private func compare(on trace: ArrivalTrace) throws {
        let count = trace.functions.count
        let fixed = replay(FixedKeepAlive(minutes: 10), on: trace)
        let own = replay(OwnPolicy(functionCount: count), on: trace)
        try show("thaw", own, against: fixed)
        try Figure(
            name: "thaw prewarm hits",
            value: Double(own.prewarmHits),
            unit: "count",
            against: "prewarms",
            againstValue: Double(own.prewarms)
        ).show(json: json)
        try Figure(
            name: "thaw prewarm waste",
            value: own.prewarmWastedMinutes,
            unit: "min",
            against: "all that is wasted",
            againstValue: own.wastedMinutes
        ).show(json: json)
        for minutes in [1.0, 5, 10, 20, 60] {
            try show("fixed-\(Int(minutes))", replay(FixedKeepAlive(minutes: minutes), on: trace), against: fixed)
        }
        try show("never unload", replay(FixedKeepAlive(minutes: nil), on: trace), against: fixed)
        try show("hybrid histogram", replay(HybridHistogram(functionCount: count), on: trace), against: fixed)
        let greedy = GreedyDual.outcome(of: trace, wastedMinutesMax: fixed.wastedMinutes)
        try show("greedy-dual", greedy, against: fixed)
        try show("clairvoyant", replay(Clairvoyant(trace), on: trace), against: fixed)
    }

    private func compareOwn(on trace: ArrivalTrace, name: String) throws {
        let own = replay(OwnPolicy(functionCount: trace.functions.count), on: trace)
        try show(name, own, against: replay(FixedKeepAlive(minutes: 10), on: trace))
    }

    /// How far the draws of the synthetic trace are from the published curves: the largest difference of two shares.
    private func showShape() throws {
        let distances = TraceSynthesis.distances(seed: seed)
        for (name, distance) in [("rates", distances.rates), ("variations", distances.variations)] {
            try Figure(
                name: "synthetic " + name,
                value: distance * 100,
                unit: "%",
                against: "the most that passes",
                againstValue: TraceSynthesis.distanceMax * 100
            ).show(json: json)
        }
    }

    private func replay(_ policy: some ReplayedPolicy, on trace: ArrivalTrace) -> ReplayOutcome {
        var policy = policy
        return ReplayOutcome(of: trace, under: &policy)
    }

    private func show(_ name: String, _ outcome: ReplayOutcome, against fixed: ReplayOutcome) throws {
        try Figure(
            name: name + " cold starts",
            value: Double(outcome.coldStarts),
            unit: "count",
            against: "fixed-10",
            againstValue: Double(fixed.coldStarts)
        ).show(json: json)
        try Figure(
            name: name + " wasted memory",
            value: outcome.wastedMinutes,
            unit: "min",
            against: "fixed-10",
            againstValue: fixed.wastedMinutes
        ).show(json: json)
    }

    /// What deciding costs the scheduler: time an arrival, bytes a function.
    private func showCost(on trace: ArrivalTrace) throws {
        let events = trace.events
        var policy = OwnPolicy(functionCount: trace.functions.count)
        let begin = Clock.monotonicNanoseconds()
        var held = 0
        for (minute, function) in events { held &+= policy.decide(function, calledAt: minute) ? 1 : 0 }
        let elapsed = Clock.monotonicNanoseconds() - begin
        note("let go at once after \(events.count - held) of \(events.count) arrivals")
        try Figure(
            name: "thaw decision",
            value: Double(elapsed) / Double(events.count),
            unit: "ns",
            against: "a microsecond",
            againstValue: 1000
        ).show(json: json)
        try Figure(
            name: "thaw history",
            value: Double(MemoryLayout<ArrivalHistory>.size),
            unit: "B",
            against: "the most a function may take",
            againstValue: 512
        ).show(json: json)
    }

    /// For people; whoever reads JSON counts lines.
    private func note(_ text: String) {
        if !json { print(text) }
    }
}
