/// Bounds of one pool, from the function's manifest.
package struct PoolLimits: Equatable, Sendable {
    /// Workers kept even when nothing is called.
    package var workersMin: Int
    /// As many, also of a version that does not serve: somebody asked for them by its number.
    package var workersProvisioned = 0
    package var workersMax: Int
    /// Calls that one worker runs at a time.
    package var concurrency: Int
    /// Calls that are run as one; 1 where every call is run by itself.
    package var batch = BatchLimits()
    /// Calls that may wait for a worker.
    package var queueDepthMax: Int
    /// How long a worker without a call is kept.
    package var idleNanoseconds: UInt64
    /// How long a call may run.
    package var timeoutNanoseconds: UInt64
    /// How long it may wait for a worker before that; a cold start must fit.
    package var waitNanosecondsMax: UInt64

    /// Calls that one worker may hold.
    package var callsPerWorkerMax: Int { max(concurrency, batch.callsMax) }

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
        queueDepthMax: Int? = nil,
        batch: BatchLimits = BatchLimits()
    ) {
        precondition(batch.callsMax == 1 || concurrency == 1, "a batch is a worker's only work")
        precondition(workersMin >= 0 && workersMax >= 1 && workersMin <= workersMax && concurrency >= 1)
        self.workersMin = workersMin
        self.workersMax = workersMax
        self.concurrency = concurrency
        self.batch = batch
        self.idleNanoseconds = idleNanoseconds
        self.timeoutNanoseconds = timeoutNanoseconds
        self.waitNanosecondsMax = waitNanosecondsMax ?? timeoutNanoseconds
        self.queueDepthMax = queueDepthMax ?? workersMax * Self.queueDepthPerWorker
    }
}

/// When and how calls of one pool are run as one.
package struct BatchLimits: Equatable, Sendable {
    package var callsMax: Int
    /// Bytes of their bodies together; one call is always taken.
    package var bytesMax: Int
    /// How long calls gather behind a busy worker before another one is ordered for them.
    package var delayNanoseconds: UInt64

    package init(callsMax: Int = 1, bytesMax: Int = .max, delayNanoseconds: UInt64 = 0) {
        precondition(callsMax >= 1)
        self.callsMax = callsMax
        self.bytesMax = bytesMax
        self.delayNanoseconds = delayNanoseconds
    }
}

/// Bounds of the node, from the scheduler's configuration.
package struct NodeLimits: Equatable, Sendable {
    /// Worker processes of all functions together; the reserve counts from its first call, before it is memory only.
    package var workersMax: Int
    /// Bytes of all that may stay when nobody calls: templates, their reserve, packed snapshots; with 0 nothing rests.
    package var restingBytesMax: UInt64
    /// Workers forked ahead of calls for each resident template, on resting memory that is free.
    package var reservePerTemplate: Int

    /// One is enough for a first call to find one; a burst forks the rest while it runs.
    package static let reservePerTemplateDefault = 1

    /// Nanoseconds from an answer to the look after the reserve: by then the reply has left, and a caller that goes on
    /// has sent its next call, so the fork takes nothing from either.
    package static let reserveDelayNanoseconds: UInt64 = 5_000_000

    package init(
        workersMax: Int,
        restingBytesMax: UInt64,
        reservePerTemplate: Int = NodeLimits.reservePerTemplateDefault
    ) {
        precondition(workersMax >= 1 && reservePerTemplate >= 0)
        self.workersMax = workersMax
        self.restingBytesMax = restingBytesMax
        self.reservePerTemplate = reservePerTemplate
    }
}
