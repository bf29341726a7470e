import Testing

@testable import Fleet

struct PollBudgetTests {
    @Test func `a new worker is not looked at, one that answers in microseconds is, one slow call changes nothing`() {
        var budget = PollBudget()
        #expect(budget.nanoseconds == 0)
        for _ in 0..<40 { budget.note(holdNanoseconds: 3000) }
        #expect((5000...20_000).contains(budget.nanoseconds), "\(budget.nanoseconds)")
        budget.note(holdNanoseconds: 1_000_000_000)
        #expect(budget.nanoseconds > 0)
        for _ in 0..<20 { budget.note(holdNanoseconds: 2_000_000) }
        #expect(budget.nanoseconds == 0)
    }

    /// Two wake-ups make 240 µs of 180: what is never looked for would stay slow for ever.
    @Test func `a worker that is slow because nobody looks is tried now and then, one that is slow by itself is not`() {
        var budget = PollBudget()
        func call(_ budget: inout PollBudget, looked: UInt64, unseen: UInt64) -> Bool {
            let isLooked = budget.next() >= looked
            budget.note(holdNanoseconds: isLooked ? looked : unseen)
            return isLooked
        }
        let quick = (0..<100).count { _ in call(&budget, looked: 180_000, unseen: 240_000) }
        #expect(quick > 60, "\(quick)")
        var slow = PollBudget()
        for _ in 0..<40 { slow.note(holdNanoseconds: 2_000_000) }
        #expect((0..<100).count { _ in slow.next() > 0 } == 0)
        var between = PollBudget()
        for _ in 0..<40 { between.note(holdNanoseconds: 240_000) }
        let trials = (0..<320).count { _ in
            let isLooked = between.next() > 0
            between.note(holdNanoseconds: 240_000)
            return isLooked
        }
        #expect(trials == 10)
    }
}
