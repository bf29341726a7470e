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

    package init(
        function: String,
        qualifier: String? = nil,
        contentType: String,
        form: CallForm = .own,
        body: ByteBuffer
    ) {
        self.function = function
        self.qualifier = qualifier
        self.contentType = contentType
        self.form = form
        self.body = body
    }
}

/// What a function and qualifier mean to a door, before a call is made.
package struct CallBounds: Sendable, Equatable {
    package var version: Int
    /// The largest body that it takes, so that a longer one is refused before it is read.
    package var payloadBytesMax: Int

    package init(version: Int, payloadBytesMax: Int) {
        self.version = version
        self.payloadBytesMax = payloadBytesMax
    }
}

/// What a function answered.
package struct Reply: Sendable, Equatable {
    package var contentType: String
    package var body: ByteBuffer

    package init(contentType: String, body: ByteBuffer) {
        self.contentType = contentType
        self.body = body
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
    package var result: Result<Reply, Failure>

    package init(
        id: InvocationID,
        start: StartKind?,
        queueNanoseconds: UInt64,
        bindNanoseconds: UInt64,
        runNanoseconds: UInt64,
        result: Result<Reply, Failure>
    ) {
        self.id = id
        self.start = start
        self.queueNanoseconds = queueNanoseconds
        self.bindNanoseconds = bindNanoseconds
        self.runNanoseconds = runNanoseconds
        self.result = result
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
    /// The worker died; the reason by name.
    case died(reason: String)
    /// The model could not be run on well-formed input.
    case model(String)
    /// The worker broke its contract with the scheduler.
    case contractBroken(String)
    /// The node cannot take calls, for instance because no receipt could be written.
    case unavailable(String)
}
