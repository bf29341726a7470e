/// How long the scheduler's event loop looks at a worker's ring before it relies on the doorbell, learned per worker.
///
/// A doorbell costs a system call on either side and a wake-up of the loop: worth a few looks where replies come in
/// microseconds, and never where a model runs for milliseconds.
struct PollBudget: Equatable {
    /// Six times what a loop that slept takes to be awake again after its doorbell: enough for a program behind its worker, which is
    /// two wake-ups away.
    ///
    /// Measured on two cores: a Python call takes 112 instead of 149 µs. One in Swift takes 128, or 175 where the kernel has put worker
    /// and program badly; with 120 µs here that was one run of four, and stayed so for all of it.
    static let nanosecondsMax: UInt64 = 200_000
    /// The moving average takes an eighth of each new time: ten calls are enough to learn what a function is like.
    private static let weightShift: UInt64 = 3
    /// Time from sending a call to its reply; begins as a long one, so that nothing is assumed of a new worker.
    private var holdNanoseconds = nanosecondsMax * 2

    /// A call that is not looked for takes longer by two wake-ups, and so would never again seem worth a look: one of so many
    /// calls is looked for all the same.
    private static let callsBetweenTrials = 32
    private var callsUntilTrial = callsBetweenTrials
    private var isTrial = false

    /// How long to look for replies after a call was sent; 0: not at all.
    var nanoseconds: UInt64 {
        holdNanoseconds > PollBudget.nanosecondsMax ? 0 : min(holdNanoseconds * 2 + 2000, PollBudget.nanosecondsMax)
    }

    /// As ``nanoseconds``, for the call that is sent now.
    mutating func next() -> UInt64 {
        // Where replies take twice as long as it looks at the most, no wake-ups explain it.
        guard nanoseconds == 0, holdNanoseconds <= PollBudget.nanosecondsMax * 2 else { return nanoseconds }
        callsUntilTrial -= 1
        guard callsUntilTrial <= 0 else { return 0 }
        callsUntilTrial = PollBudget.callsBetweenTrials
        isTrial = true
        return PollBudget.nanosecondsMax
    }

    mutating func note(holdNanoseconds held: UInt64) {
        if isTrial {
            isTrial = false
            if held <= PollBudget.nanosecondsMax {
                holdNanoseconds = held
                return
            }
        }
        // One slow call does not make a function slow.
        let bounded = min(held, PollBudget.nanosecondsMax * 4)
        holdNanoseconds =
            holdNanoseconds - holdNanoseconds >> PollBudget.weightShift + bounded >> PollBudget.weightShift
    }
}
