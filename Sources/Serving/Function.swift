package import Linux
package import Wire

/// A function as a template holds it: loaded, and ready to be forked.
package struct LoadedFunction {
    /// Answers one call; runs in a fork, one call at a time.
    package typealias Handler = (_ request: CallRequest) throws(CallFailure) -> CallReply

    /// Answers several calls as one run, each with a result of its own, in their order.
    package typealias BatchHandler = (_ requests: [CallRequest]) -> [Result<CallReply, CallFailure>]

    /// Answers one call, and may call other functions meanwhile.
    package typealias CallingHandler = (
        _ request: CallRequest, _ caller: (_ call: OutgoingCall) -> OutgoingReply
    ) throws(CallFailure) -> CallReply

    package var residency: TemplateReport.Residency
    package var handler: Handler
    /// Takes the place of `handler` for a function that may call others; nil for all others.
    package var callingHandler: CallingHandler?
    /// nil where calls that come together are answered one after the other.
    package var batchHandler: BatchHandler?
    /// A short piece of work that makes later forks better, done while a template has no order; answers whether there is more.
    package var idleStep: (() -> Bool)?
    /// What a fork does that no call waits for yet: touches the memory that calls touch.
    package var warmUp: (() -> Void)?
    /// What takes part in a fork's calls on a thread of its own; nil where one thread does everything.
    package var secondThread: SecondThread?

    /// A second thread, started in each fork before it serves.
    package struct SecondThread {
        /// The thread's life; it runs in the same sandbox as the worker.
        let help: @Sendable () -> Void
        /// Waits until `help` has begun.
        let awaitHelp: () -> Void

        package init(help: @escaping @Sendable () -> Void, awaitHelp: @escaping () -> Void) {
            self.help = help
            self.awaitHelp = awaitHelp
        }
    }

    /// What a fork does before its filter closes: starts the program that answers its calls.
    ///
    /// Such a fork keeps the descriptors that it has opened meanwhile, and has no ``handler`` but the one that comes of it.
    package var beginWorker: ((WorkerPlace) throws(LoadFailure) -> BegunWorker)?

    package init(
        residency: TemplateReport.Residency,
        idleStep: (() -> Bool)? = nil,
        warmUp: (() -> Void)? = nil,
        secondThread: SecondThread? = nil,
        beginWorker: ((WorkerPlace) throws(LoadFailure) -> BegunWorker)? = nil,
        batchHandler: BatchHandler? = nil,
        handler: @escaping Handler
    ) {
        self.residency = residency
        self.idleStep = idleStep
        self.warmUp = warmUp
        self.secondThread = secondThread
        self.beginWorker = beginWorker
        self.batchHandler = batchHandler
        self.handler = handler
    }
}

/// What a fork begins with.
package struct WorkerPlace {
    /// Where it says why it ends.
    package let lastWords: LastWords
    /// The `tasks` files of the control groups that it has joined, for its program to join too.
    package let groups: [Int32]
}

/// A worker whose calls a program of the author's answers.
package struct BegunWorker {
    package var handler: LoadedFunction.CallingHandler
    /// Waits until the program can take a call; before the worker says that it is ready.
    package var awaitProgram: () throws(LoadFailure) -> Void
    /// Done when an answer is on its way.
    package var afterCall: () -> Void

    package init(
        awaitProgram: @escaping () throws(LoadFailure) -> Void,
        afterCall: @escaping () -> Void,
        handler: @escaping LoadedFunction.CallingHandler
    ) {
        self.awaitProgram = awaitProgram
        self.afterCall = afterCall
        self.handler = handler
    }
}

/// What a call brings.
package struct CallRequest: Equatable, Sendable {
    package var form: CallForm
    package var contentType: String
    package var body: [UInt8]
}

/// A call of another function.
package struct OutgoingCall: Equatable, Sendable {
    package var function: String
    package var contentType: String
    package var body: [UInt8]

    package init(function: String, contentType: String, body: [UInt8]) {
        self.function = function
        self.contentType = contentType
        self.body = body
    }
}

/// What came of it.
package enum OutgoingReply: Equatable, Sendable {
    case reply(contentType: String, body: [UInt8])
    case failure(NestedFailure, message: String)
    /// The scheduler has ended the channel: the worker has nobody to answer any more.
    case ended
}

/// What a call answers.
package struct CallReply {
    /// Brings the next piece of a stream, nil after its last one; waits for it.
    package typealias Stream = () throws(CallFailure) -> [UInt8]?

    package var contentType: String
    package var body: [UInt8]
    /// What follows the body over time; nil where that is all.
    package var stream: Stream?

    package init(contentType: String, body: [UInt8], stream: Stream? = nil) {
        self.contentType = contentType
        self.body = body
        self.stream = stream
    }
}

/// Why a call has no answer; the worker lives on.
package struct CallFailure: Error, Equatable, Sendable {
    package var code: WorkerFailureCode
    package var message: String

    package init(code: WorkerFailureCode, message: String) {
        self.code = code
        self.message = message
    }
}

/// Why a snapshot cannot be served, as a sentence.
package struct LoadFailure: Error, Equatable, Sendable {
    package var message: String

    package init(message: String) {
        self.message = message
    }
}
