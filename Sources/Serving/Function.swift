package import Wire

/// A function as a template holds it: loaded, and ready to be forked.
package struct LoadedFunction {
    /// Answers one call; runs in a fork, one call at a time.
    package typealias Handler = (_ request: CallRequest) throws(CallFailure) -> CallReply

    /// Answers several calls as one run, each with a result of its own, in their order.
    package typealias BatchHandler = (_ requests: [CallRequest]) -> [Result<CallReply, CallFailure>]

    package var residency: TemplateReport.Residency
    package var handler: Handler
    /// nil where calls that come together are answered one after the other.
    package var batchHandler: BatchHandler?
    /// A short piece of work that makes later forks better, done while a template has no order; answers whether there is more.
    package var idleStep: (() -> Bool)?
    /// What a fork does that no call waits for yet: touches the memory that calls touch.
    package var warmUp: (() -> Void)?
    /// What takes part in a fork's calls on a thread of its own; nil where one thread does everything.
    package var helper: Helper?

    /// A second thread, started in each fork before it serves.
    package struct Helper {
        /// The thread's life; it runs in the same sandbox as the worker.
        let help: @Sendable () -> Void
        /// Waits until `help` has begun.
        let awaitHelp: () -> Void

        package init(help: @escaping @Sendable () -> Void, awaitHelp: @escaping () -> Void) {
            self.help = help
            self.awaitHelp = awaitHelp
        }
    }

    package init(
        residency: TemplateReport.Residency,
        idleStep: (() -> Bool)? = nil,
        warmUp: (() -> Void)? = nil,
        helper: Helper? = nil,
        batchHandler: BatchHandler? = nil,
        handler: @escaping Handler
    ) {
        self.residency = residency
        self.idleStep = idleStep
        self.warmUp = warmUp
        self.helper = helper
        self.batchHandler = batchHandler
        self.handler = handler
    }
}

/// What a call brings.
package struct CallRequest: Equatable, Sendable {
    package var form: CallForm
    package var contentType: String
    package var body: [UInt8]
}

/// What a call answers.
package struct CallReply: Equatable, Sendable {
    package var contentType: String
    package var body: [UInt8]

    package init(contentType: String, body: [UInt8]) {
        self.contentType = contentType
        self.body = body
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
