/// When to write of what may happen ten thousand times a second: at most once in a while, with the number of times since.
struct SparseLog {
    /// Long enough that the log stays readable, short enough that whoever looks finds it still going on.
    static let pauseNanoseconds: UInt64 = 5_000_000_000

    private var nextAt: UInt64 = 0
    private var passedOver = 0

    /// Notes that it happened.
    ///
    /// - Parameter now: monotonic time in nanoseconds.
    /// - Returns: how often it was passed over since it was last written of; nil where this time is passed over, too.
    mutating func note(at now: UInt64) -> Int? {
        guard now >= nextAt else {
            passedOver += 1
            return nil
        }
        nextAt = now + Self.pauseNanoseconds
        defer { passedOver = 0 }
        return passedOver
    }
}
