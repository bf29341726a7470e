/// Whether a worker looks at its ring for a moment before it sleeps: only where that has paid lately.
///
/// A worker that spins takes a core from its own caller, and its function pays for it. Sleeping and being woken costs
/// it some microseconds of the kernel's work too, so it never spins for longer than that.
struct SpinBudget: Equatable {
    /// About what a sleep in the kernel costs the sleeper's own clock: futex, switch, wake-up.
    static let nanosecondsMax: UInt64 = 5_000
    /// Looks at the ring between two looks at the clock; the clock costs as much as some of them.
    static let looksPerClock = 32
    /// A wait of this length would have been shorter spinning: what came, came in time, and a sleeper hears of it late.
    private static let paidNanosecondsMax: UInt64 = 15_000
    /// Of the last waits so many more were short than long, counted between 0 and this.
    private static let scoreMax = 8
    private var score = 0

    var isWorthwhile: Bool { score >= SpinBudget.scoreMax / 2 }

    mutating func note(waitedNanoseconds: UInt64) {
        let paid = waitedNanoseconds <= SpinBudget.paidNanosecondsMax
        score = paid ? min(score + 1, SpinBudget.scoreMax) : max(score - 1, 0)
    }
}
