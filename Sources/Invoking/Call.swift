import Fleet
package import Metering
package import NIOCore
package import Scheduling
package import Wire

/// One call, from any door or event.
package struct Call: Sendable {
    package var function: String
    /// Version number or alias; nil for what serves now.
    package var qualifier: String?
    package var contentType: String
    package var form: CallForm
    package var body: ByteBuffer
    /// Takes a streamed reply as it comes; nil where the caller wants it whole.
    package var stream: CallStream?
    /// Ends the call before its reply; nil where it runs to its end whoever waits.
    package var cancellation: CallCancellation?
    /// Given where a call was accepted before it is made; nil for one that is named when it is made.
    package var identity: CallIdentity?
    /// The call in the middle of which this one is made; nil for one from outside.
    package var parent: CallParent?

    package init(
        function: String,
        qualifier: String? = nil,
        contentType: String,
        form: CallForm = .own,
        body: ByteBuffer,
        stream: CallStream? = nil,
        cancellation: CallCancellation? = nil
    ) {
        self.function = function
        self.qualifier = qualifier
        self.contentType = contentType
        self.form = form
        self.body = body
        self.stream = stream
        self.cancellation = cancellation
    }
}

/// The name of a call that is attempted more than once.
package struct CallIdentity: Sendable, Equatable {
    package var id: InvocationID
    /// Counted from 1.
    package var attempt: Int

    package init(id: InvocationID, attempt: Int) {
        self.id = id
        self.attempt = attempt
    }
}

/// The call that another one belongs to.
package struct CallParent: Sendable {
    package var id: InvocationID
    /// How many calls there are above it, itself included.
    package var depth: Int

    package init(id: InvocationID, depth: Int) {
        self.id = id
        self.depth = depth
    }
}

/// Takes a reply that comes over time, on the event loop of its call.
package struct CallStream: Sendable {
    /// Called once, before the first piece; never where the function's reply is no stream.
    package var begin: @Sendable (_ id: InvocationID, _ contentType: String) -> Void
    /// - Parameter taken: to be called once, when the piece has gone on: what the function may send ahead is bounded by that.
    package var take: @Sendable (_ piece: ByteBuffer, _ taken: @escaping @Sendable () -> Void) -> Void

    package init(
        begin: @escaping @Sendable (_ id: InvocationID, _ contentType: String) -> Void,
        take: @escaping @Sendable (_ piece: ByteBuffer, _ taken: @escaping @Sendable () -> Void) -> Void
    ) {
        self.begin = begin
        self.take = take
    }
}

/// The way to end a call before its reply: its caller has gone.
package struct CallCancellation: Sendable {
    let work = WorkCancellation()

    package init() {}

    /// Ends the worker that has the call; does nothing for a call that has ended or still waits for one.
    package func cancel() {
        work.cancel()
    }

    package var isCancelled: Bool {
        work.isCancelled
    }
}

/// What a function and qualifier mean to a door, before a call is made.
package struct CallBounds: Sendable, Equatable {
    package var version: Int
    /// The largest body that it takes, so that a longer one is refused before it is read.
    package var payloadBytesMax: Int
    /// Whether replies may come over time: a program of the author's answers.
    package var mayStream: Bool

    package init(version: Int, payloadBytesMax: Int, mayStream: Bool = false) {
        self.version = version
        self.payloadBytesMax = payloadBytesMax
        self.mayStream = mayStream
    }
}

/// What a function answered.
package struct Reply: Sendable, Equatable {
    package var contentType: String
    /// Empty where it was streamed.
    package var body: ByteBuffer
    /// Bytes that the call's stream took; nil where it was none.
    package var streamedByteCount: Int?

    package init(contentType: String, body: ByteBuffer, streamedByteCount: Int? = nil) {
        self.contentType = contentType
        self.body = body
        self.streamedByteCount = streamedByteCount
    }
}

/// How one call ended.
///
/// There is exactly one for each call, whatever died.
package struct Completion: Sendable {
    /// Also the id of the receipt, where the call was admitted.
    package var id: InvocationID
    /// nil where no worker was given the call.
    package var start: StartKind?
    package var queueNanoseconds: UInt64
    package var bindNanoseconds: UInt64
    package var runNanoseconds: UInt64
    /// The most private memory that the worker had; 0 where no worker was given the call.
    package var memoryBytesPeak: UInt64
    package var result: Result<Reply, Failure>

    package init(
        id: InvocationID,
        start: StartKind?,
        queueNanoseconds: UInt64,
        bindNanoseconds: UInt64,
        runNanoseconds: UInt64,
        memoryBytesPeak: UInt64 = 0,
        result: Result<Reply, Failure>
    ) {
        self.id = id
        self.start = start
        self.queueNanoseconds = queueNanoseconds
        self.bindNanoseconds = bindNanoseconds
        self.runNanoseconds = runNanoseconds
        self.memoryBytesPeak = memoryBytesPeak
        self.result = result
    }
}

extension Completion {
    /// A call that never met a worker.
    package static func refused(_ failure: Failure, id: InvocationID = .generated()) -> Completion {
        Completion(
            id: id,
            start: nil,
            queueNanoseconds: 0,
            bindNanoseconds: 0,
            runNanoseconds: 0,
            result: .failure(failure)
        )
    }
}

/// Why a call has no reply; each door has one table from these to its own protocol.
package enum Failure: Error, Sendable, Equatable {
    case unknownFunction(String)
    case unknownQualifier(function: String, qualifier: String)
    case tooLarge(bytesMax: Int)
    /// The function says what it expected, and where it can, which part of the input was not that.
    case badInput(String, InputFault? = nil)
    case overloaded(retryAfterSeconds: Int)
    case draining
    case timedOut(milliseconds: Int)
    /// The caller went away, and the call was ended.
    case cancelled
    /// The worker died; the reason by name.
    case died(reason: String)
    /// The model could not be run on well-formed input.
    case model(String)
    /// The function's own program failed; its JSON, with `errorMessage` and `errorType`.
    case function(String)
    /// The worker broke its contract with the scheduler.
    case contractBroken(String)
    /// The node cannot take calls, for instance because no receipt could be written.
    case unavailable(String)
}
