import Scheduling
import Testing

/// Seeded arrivals at virtual times, and what the policy makes of them.
@Suite struct KeepAlivePolicyTests {
    private static let second: UInt64 = 1_000_000_000
    private static let minute = 60 * second
    private static let costs = TierCosts(
        residentFromPackedNanoseconds: 25_000_000,
        packedFromDiskNanoseconds: 40_000_000,
        residentBytes: 90 << 20,
        packedBytes: 75 << 20
    )

    /// A policy and a history after calls with these gaps, and the instant of the last.
    private func learnt(_ gaps: [UInt64]) -> (policy: KeepAlivePolicy, history: ArrivalHistory, last: Instant) {
        var policy = KeepAlivePolicy()
        var history = ArrivalHistory()
        var now = Instant(nanoseconds: 1 << 40)
        policy.noteArrival(&history, at: now)
        for gap in gaps {
            now = now.advanced(byNanoseconds: gap)
            policy.noteArrival(&history, at: now)
        }
        return (policy, history, now)
    }

    @Test func `what is known of a function fits in 512 bytes`() {
        #expect(MemoryLayout<ArrivalHistory>.size <= 512)
    }

    @Test func `bins cover 100 ms to a day without a hole`() {
        for index in 0..<GapBins.count {
            #expect(GapBins.edgeNanoseconds(index) < GapBins.edgeNanoseconds(index + 1))
            #expect(GapBins.index(ofNanoseconds: GapBins.edgeNanoseconds(index)) == index)
            #expect(GapBins.index(ofNanoseconds: GapBins.edgeNanoseconds(index + 1) - 1) == index)
        }
        #expect(GapBins.edgeNanoseconds(0) == 100_000_000)
        #expect(GapBins.edgeNanoseconds(GapBins.count) > 24 * 60 * Self.minute)
        #expect(GapBins.index(ofNanoseconds: 0) == 0)
        #expect(GapBins.index(ofNanoseconds: .max) == GapBins.count - 1)
    }

    @Test func `a function that is called each second is kept`() {
        let (policy, history, last) = learnt(Array(repeating: Self.second, count: 50))
        let plan = policy.plan(history, Self.costs, at: last)
        #expect(plan.residentUntil > last.advanced(byNanoseconds: Self.second))
        #expect(plan.value > 0)
    }

    @Test(arguments: [30, 60, 120] as [UInt64])
    func `a timer's snapshot is let go, and back just before the next call`(period: UInt64) throws {
        let (policy, history, last) = learnt(Array(repeating: period * Self.minute, count: 30))
        let plan = policy.plan(history, Self.costs, at: last)
        let next = last.advanced(byNanoseconds: period * Self.minute)
        let prewarmAt = try #require(plan.prewarmAt)
        #expect(plan.residentUntil <= last.advanced(byNanoseconds: Self.minute))
        #expect(prewarmAt <= next)
        #expect(prewarmAt >= last.advanced(byNanoseconds: (period - 2) * Self.minute))
        #expect(try #require(plan.prewarmedUntil) > next)
    }

    @Test func `two timers of one function are told apart by what came before`() throws {
        // Every 40 minutes, and 10 minutes after each of those.
        let gaps = Array(repeating: [10, 30] as [UInt64], count: 12).flatMap(\.self).map { $0 * Self.minute }
        // So dear that only the likely one is waited for.
        var dear = Self.costs
        dear.residentBytes *= 50
        let (policy, history, last) = learnt(gaps)
        let soon = policy.plan(history, dear, at: last)
        #expect(try #require(soon.prewarmAt) > last.advanced(byNanoseconds: 9 * Self.minute))
        #expect(try #require(soon.prewarmedUntil) < last.advanced(byNanoseconds: 13 * Self.minute))
        let (earlier, half, before) = learnt(Array(gaps.dropLast()))
        let late = earlier.plan(half, dear, at: before)
        #expect(try #require(late.prewarmAt) > before.advanced(byNanoseconds: 29 * Self.minute))
        #expect(try #require(late.prewarmedUntil) < before.advanced(byNanoseconds: 34 * Self.minute))
    }

    @Test func `bursts do not push out what is known of the time between them`() throws {
        var gaps: [UInt64] = []
        for _ in 0..<8 { gaps += Array(repeating: Self.second / 5, count: 1000) + [60 * Self.minute] }
        let (policy, history, last) = learnt(gaps + Array(repeating: Self.second / 5, count: 1000))
        let asked = last.advanced(byNanoseconds: 5 * Self.minute)
        let plan = policy.plan(history, Self.costs, at: asked)
        let prewarmAt = try #require(plan.prewarmAt)
        #expect(prewarmAt > last.advanced(byNanoseconds: 57 * Self.minute))
        #expect(prewarmAt <= last.advanced(byNanoseconds: 60 * Self.minute))
    }

    @Test func `the last long gaps are remembered in their order, and no more than there is room for`() {
        var history = ArrivalHistory()
        var now = Instant(nanoseconds: 1 << 40)
        history.noteArrival(at: now)
        for minutes in 1...100 as ClosedRange<UInt64> {
            now = now.advanced(byNanoseconds: minutes * Self.minute)
            history.noteArrival(at: now)
            now = now.advanced(byNanoseconds: Self.second)
            history.noteArrival(at: now)
        }
        #expect(history.longGapsKept == ArrivalHistory.longGapsMax)
        for age in 0..<history.longGapsKept {
            let minutes = UInt64(100 - age)
            #expect(history.longGap(age: age) == GapBins.index(ofNanoseconds: minutes * Self.minute))
        }
    }

    @Test func `a timer that changed its period is believed after a while`() throws {
        let (policy, history, last) = learnt(
            Array(repeating: 60 * Self.minute, count: 200) + Array(repeating: 30 * Self.minute, count: 600)
        )
        let plan = policy.plan(history, Self.costs, at: last)
        let prewarmAt = try #require(plan.prewarmAt)
        #expect(prewarmAt <= last.advanced(byNanoseconds: 30 * Self.minute))
        #expect(try #require(plan.prewarmedUntil) < last.advanced(byNanoseconds: 32 * Self.minute))
    }

    @Test func `dear bytes are held for a shorter time than cheap ones`() {
        let (policy, history, last) = learnt([3, 9, 2, 14, 5, 7, 30, 4].map { $0 * Self.minute })
        var dear = Self.costs
        dear.residentBytes *= 50
        let cheapUntil = policy.plan(history, Self.costs, at: last).residentUntil
        #expect(policy.plan(history, dear, at: last).residentUntil < cheapUntil)
    }

    @Test func `what the others do decides for a function that is new`() {
        var (policy, _, now) = learnt([])
        var stranger = ArrivalHistory()
        let before = policy.plan(stranger, Self.costs, at: now).residentUntil
        for _ in 0..<300 {
            var other = ArrivalHistory()
            policy.noteArrival(&other, at: now)
            now = now.advanced(byNanoseconds: 3 * Self.second)
            policy.noteArrival(&other, at: now)
        }
        policy.noteArrival(&stranger, at: now)
        let after = policy.plan(stranger, Self.costs, at: now).residentUntil
        #expect(now.nanoseconds(since: now) == 0 && after.nanoseconds(since: now) < 60 * Self.minute)
        #expect(before != after)
    }

    @Test(arguments: Array(1...12) as [UInt64])
    func `whatever came, plans are in order and end`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var policy = KeepAlivePolicy()
        var history = ArrivalHistory()
        var now = Instant(nanoseconds: UInt64.random(in: 0...(.max / 2), using: &generator))
        for _ in 0..<60 {
            // Also backwards, and across all magnitudes.
            let step = UInt64.random(in: 0...(.max), using: &generator) >> UInt64.random(in: 14...63, using: &generator)
            now =
                Bool.random(using: &generator) && seed % 4 == 0
                ? Instant(nanoseconds: now.nanoseconds - min(now.nanoseconds, step)) : now.advanced(byNanoseconds: step)
            policy.noteArrival(&history, at: now)
            var asked = now
            for round in 0...GapBins.count {
                let plan = policy.plan(history, Self.costs, at: asked)
                #expect(plan.residentUntil >= asked && plan.packedUntil >= plan.residentUntil)
                #expect(plan.value.isFinite && plan.value >= 0)
                guard let prewarmAt = plan.prewarmAt, let until = plan.prewarmedUntil, asked < until else { break }
                #expect(prewarmAt >= plan.residentUntil && until > prewarmAt)
                #expect(plan.nextInstant(after: asked).map { $0 > asked } ?? true)
                #expect(round < GapBins.count, "asking at each end comes to an end")
                asked = until
            }
        }
    }
}
