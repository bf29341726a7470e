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
}
