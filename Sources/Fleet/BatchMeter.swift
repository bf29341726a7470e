/// Divides a batch's processor time among its calls, by the bytes that they brought.
///
/// The worker answers them one after the other when all are done: what the first reply finds used is nearly all of it.
/// Each call takes its part of what nobody has taken yet, and the last takes the rest, so that the parts add up to what
/// the kernel counted.
struct BatchMeter {
    /// The worker's processor time when its last call was measured, in nanoseconds.
    private var mark: UInt64
    private var untaken: UInt64 = 0
    private var weightLeft: UInt64

    /// - Parameters:
    ///   - mark: the worker's processor time before the batch.
    ///   - weight: the sum of the calls' weights.
    init(mark: UInt64, weight: UInt64) {
        self.mark = mark
        weightLeft = weight
    }

    /// A body's weight: an empty one is a call too.
    static func weight(bytes: Int) -> UInt64 {
        UInt64(bytes) + 1
    }

    /// The part of a call that ends now, when the worker has used `used` nanoseconds in all.
    mutating func take(weight: UInt64, used: UInt64) -> UInt64 {
        if used > mark {
            untaken += used - mark
            mark = used
        }
        guard weight < weightLeft else {
            weightLeft = 0
            defer { untaken = 0 }
            return untaken
        }
        // A worker lives for less than the 584 years that would be needed to overflow.
        let part = weightLeft.dividingFullWidth(untaken.multipliedFullWidth(by: weight)).quotient
        weightLeft -= weight
        untaken -= part
        return part
    }
}
