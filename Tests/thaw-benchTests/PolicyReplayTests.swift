import Testing

@testable import thaw_bench

/// Answers the same for every call.
private struct Always: ReplayedPolicy {
    var windows: [Residency]

    func residency(of function: Int, calledAt minute: Int) -> [Residency] { windows }
}

@Suite struct PolicyReplayTests {
    private func outcome(of functions: [[Int]], minutes: Int = 100, under windows: [Residency]) -> ReplayOutcome {
        var policy = Always(windows: windows)
        let trace = ArrivalTrace(minutes: minutes, functions: functions, callCount: 0)
        return ReplayOutcome(of: trace, under: &policy)
    }

    @Test func `a first call is cold, and what is held to the end of the trace is wasted`() {
        let outcome = outcome(of: [[10], [90]], under: [Residency(from: 0, until: 20)])
        #expect(outcome.coldStarts == 2)
        #expect(outcome.wastedMinutes == 20 + 10)
    }

    @Test func `a call at either edge of a window is warm, one between two windows is not`() {
        let windows = [Residency(from: 0, until: 5), Residency(from: 10, until: 12)]
        #expect(outcome(of: [[0, 5]], under: windows).coldStarts == 1)
        #expect(outcome(of: [[0, 10]], under: windows).coldStarts == 1)
        #expect(outcome(of: [[0, 12]], under: windows).coldStarts == 1)
        #expect(outcome(of: [[0, 7]], under: windows).coldStarts == 2)
        #expect(outcome(of: [[0, 13]], under: windows).coldStarts == 2)
    }

    @Test func `a prewarm is a hit if a call ends it, and waste if none does`() {
        let windows = [Residency(from: 0, until: 1), Residency(from: 10, until: 20)]
        let hit = outcome(of: [[0, 15]], minutes: 16, under: windows)
        #expect(hit.prewarms == 1 && hit.prewarmHits == 1 && hit.prewarmWastedMinutes == 0)
        #expect(hit.wastedMinutes == 1 + 5 + 1)
        let missed = outcome(of: [[0, 40]], minutes: 41, under: windows)
        #expect(missed.prewarms == 1 && missed.prewarmHits == 0 && missed.prewarmWastedMinutes == 10)
    }

    @Test func `a longer keep-alive has no more cold starts and no less waste, and knowing the future beats all`() {
        let trace = TraceSynthesis.trace(seed: 3, functionCount: 60)
        var last: ReplayOutcome?
        for minutes in [1.0, 5, 20, 120] {
            var policy = FixedKeepAlive(minutes: minutes)
            let outcome = ReplayOutcome(of: trace, under: &policy)
            if let last {
                #expect(outcome.coldStarts <= last.coldStarts && outcome.wastedMinutes >= last.wastedMinutes)
            }
            last = outcome
        }
        var clairvoyant = Clairvoyant(trace)
        let best = ReplayOutcome(of: trace, under: &clairvoyant)
        #expect(best.coldStarts == trace.functions.count && best.wastedMinutes == 0)
    }

    @Test func `our policy has fewer cold starts than ten minutes of keep-alive, and wastes less`() {
        let trace = TraceSynthesis.trace(seed: 1, functionCount: 40)
        var (own, fixed) = (OwnPolicy(functionCount: 40), FixedKeepAlive(minutes: 10))
        let ours = ReplayOutcome(of: trace, under: &own)
        let theirs = ReplayOutcome(of: trace, under: &fixed)
        #expect(ours.coldStarts < theirs.coldStarts && ours.wastedMinutes < theirs.wastedMinutes)
    }
}
