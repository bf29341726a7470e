/// Bounds of one pool, from the function's manifest.
package struct PoolLimits: Equatable, Sendable {
    /// Workers kept even when nothing is called.
    package var workersMin: Int
    package var workersMax: Int
    /// Calls that one worker runs at a time.
    package var concurrency: Int
    /// Calls that may wait for a worker.
    package var queueDepthMax: Int
    /// How long a worker without a call is kept.
    package var idleNanoseconds: UInt64
    /// How long a call may run.
    package var timeoutNanoseconds: UInt64
    /// How long it may wait for a worker before that; a cold start must fit.
    package var waitNanosecondsMax: UInt64

    /// 64 waiting calls for each worker: at a model's usual 4 ms a call that is a quarter of a second of waiting, past
    /// which a caller is better told to come back than kept.
    package static let queueDepthPerWorker = 64

    package init(
        workersMin: Int,
        workersMax: Int,
        concurrency: Int,
        idleNanoseconds: UInt64,
        timeoutNanoseconds: UInt64,
        waitNanosecondsMax: UInt64? = nil,
        queueDepthMax: Int? = nil
    ) {
        precondition(workersMin >= 0 && workersMax >= 1 && workersMin <= workersMax && concurrency >= 1)
        self.workersMin = workersMin
        self.workersMax = workersMax
        self.concurrency = concurrency
        self.idleNanoseconds = idleNanoseconds
        self.timeoutNanoseconds = timeoutNanoseconds
        self.waitNanosecondsMax = waitNanosecondsMax ?? timeoutNanoseconds
        self.queueDepthMax = queueDepthMax ?? workersMax * Self.queueDepthPerWorker
    }
}

/// Bounds of the node, from the scheduler's configuration.
package struct NodeLimits: Equatable, Sendable {
    /// Worker processes of all functions together.
    package var workersMax: Int
    /// Bytes of templates that may stay when none of their workers is left; with 0 nothing rests.
    package var restingBytesMax: UInt64

    package init(workersMax: Int, restingBytesMax: UInt64) {
        precondition(workersMax >= 1)
        self.workersMax = workersMax
        self.restingBytesMax = restingBytesMax
    }
}
