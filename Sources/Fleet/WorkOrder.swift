package import NIOCore
package import Scheduling
package import Wire

/// One call, as the fleet runs it.
package struct WorkOrder: Sendable {
    package var key: PoolKey
    package var contentType: String
    package var form: CallForm
    package var body: ByteBuffer
    /// Where the caller is told how it ended.
    package var loop: any EventLoop
    /// Takes a streamed reply as it comes; nil where the caller wants it whole.
    package var stream: ReplyStream?
    package var cancellation: WorkCancellation?
    /// Runs what the function calls in the middle of this; nil where it may call nobody.
    package var nested: NestedRunner?

    package init(
        key: PoolKey,
        contentType: String,
        form: CallForm = .own,
        body: ByteBuffer,
        loop: any EventLoop,
        stream: ReplyStream? = nil,
        cancellation: WorkCancellation? = nil,
        nested: NestedRunner? = nil
    ) {
        self.key = key
        self.contentType = contentType
        self.form = form
        self.body = body
        self.loop = loop
        self.stream = stream
        self.cancellation = cancellation
        self.nested = nested
    }
}

/// Who is told how a call ended: once, on the loop that its order names.
package typealias WorkCompletion = @Sendable (WorkResult) -> Void

/// What became of a call, and what it cost.
///
/// Times are nanoseconds of the monotonic clock.
///
/// ```
/// accepted ──queue──► a worker is ordered or free ──bind──► it is ready ──run──► answered
/// ```
package struct WorkResult: Sendable {
    package var result: Result<WorkReply, WorkFailure>
    /// nil where no worker was ever given the call.
    package var start: StartKind?
    package var queueNanoseconds: UInt64 = 0
    /// Building the template and forking the worker, as far as this call waited for it.
    package var bindNanoseconds: UInt64 = 0
    package var runNanoseconds: UInt64 = 0
    /// Processor time of the worker for this call, read from the kernel by the scheduler.
    ///
    /// A fresh worker's own start counts. Of a batch it is this call's part; the parts add up to the whole.
    package var cpuNanoseconds: UInt64 = 0
    /// Largest private memory of the worker so far; where the kernel has no memory groups for us, its largest resident.
    package var memoryBytesPeak: UInt64 = 0

    /// Its place in the batch that it was run in, and how many calls that had.
    package var batchIndex = 0
    package var batchSize = 1

    /// The scheduler ended before the call did.
    package var isInterrupted: Bool {
        if case .failure(.interrupted) = result { return true }
        return false
    }

    init(result: Result<WorkReply, WorkFailure>) {
        self.result = result
    }
}
