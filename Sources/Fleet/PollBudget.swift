/// How long the scheduler's event loop looks at a worker's ring before it relies on the doorbell, learned per worker.
///
/// A doorbell costs a system call on either side and a wake-up of the loop: worth a few looks where replies come in
/// microseconds, and never where a model runs for milliseconds.
struct PollBudget: Equatable {
    /// Four times what a loop that slept takes to be awake again after its doorbell.
    ///
    /// Enough for a program behind its worker, which is two wake-ups away. Measured: a Python call takes 111 instead of 149 µs, one in Swift 126 instead of 199.
    static let nanosecondsMax: UInt64 = 120_000
    /// The moving average takes an eighth of each new time: ten calls are enough to learn what a function is like.
    private static let weightShift: UInt64 = 3
    /// Time from sending a call to its reply; begins as a long one, so that nothing is assumed of a new worker.
    private var holdNanoseconds = nanosecondsMax * 2

    /// How long to look for replies after a call was sent; 0: not at all.
    var nanoseconds: UInt64 {
        holdNanoseconds > PollBudget.nanosecondsMax ? 0 : min(holdNanoseconds * 2 + 2000, PollBudget.nanosecondsMax)
    }

    mutating func note(holdNanoseconds held: UInt64) {
        // One slow call does not make a function slow.
        let bounded = min(held, PollBudget.nanosecondsMax * 4)
        holdNanoseconds =
            holdNanoseconds - holdNanoseconds >> PollBudget.weightShift + bounded >> PollBudget.weightShift
    }
}
