import HTTPTypes
import Invoking
import Registry
import Scheduling
import Secrets

/// The one table from what can go wrong to what a client is told.
enum Replies {
    /// | failure | status | retry |
    /// |---|---|---|
    /// | unknown function, unknown qualifier | 404 | – |
    /// | bad input | 400 | – |
    /// | body over the limit | 413 | – |
    /// | queue full | 429 | after the pool's estimate |
    /// | model failed | 500 | – |
    /// | the function's program failed | 502 | – |
    /// | worker died, worker broke the contract | 502 | at once, on another worker |
    /// | draining, unavailable | 503 | after a restart, after a while |
    /// | timed out | 504 | – |
    /// | the caller went away | 499 | – |
    static func refusal(for failure: Failure) -> Refusal {
        switch failure {
        case .unknownFunction(let name):
            .unknownFunction(name)
        case .unknownQualifier(let function, let qualifier):
            .unknownQualifier(function: function, qualifier: qualifier)
        case .tooLarge(let bytesMax):
            .tooLarge(bytesMax: bytesMax)
        case .badInput(let message, let fault):
            Refusal(status: .badRequest, code: Refusal.badInputCode, message: message, fault: fault)
        case .overloaded(let seconds):
            Refusal(
                status: .tooManyRequests,
                code: "overloaded",
                message: "the queue of this function is full; try again in \(seconds) s",
                headers: [.retryAfter: String(seconds)]
            )
        case .draining:
            .draining
        case .timedOut(let milliseconds):
            Refusal(
                status: .gatewayTimeout,
                code: "timedOut",
                message: "the function did not answer within its timeout of \(milliseconds) ms; its worker was ended"
            )
        case .cancelled:
            // Nobody reads it; the receipt's status is the one that proxies have for this.
            Refusal(
                status: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"),
                code: "cancelled",
                message: failure.reason
            )
        case .died(let reason):
            Refusal(status: .badGateway, code: "workerDied", message: "the worker died: \(reason)")
        case .model(let message):
            Refusal(status: .internalServerError, code: "modelFailed", message: message)
        case .function(let message):
            Refusal(status: .badGateway, code: "functionFailed", message: message)
        case .contractBroken(let message):
            Refusal(
                status: .badGateway,
                code: "contractBroken",
                message: "the worker broke its contract and was ended: \(message)"
            )
        case .unavailable(let message):
            .unavailable(message)
        }
    }

    /// A deploy that came to nothing; the version that served before still serves.
    static func refusal(for failure: DeployFailure) -> Refusal {
        switch failure {
        case .invalid(let message):
            Refusal(status: .badRequest, code: "invalidBundle", message: message)
        case .tooLarge(let bytesMax):
            .tooLarge(bytesMax: bytesMax)
        case .storage(let message):
            Refusal(
                status: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"),
                code: "storage",
                message: message
            )
        case .packerDied(let reason):
            Refusal(
                status: .unprocessableContent,
                code: "packerDied",
                message: "the packer died on this bundle: \(reason)"
            )
        }
    }

    /// What the store of secrets refused.
    static func refusal(for error: SecretError) -> Refusal {
        error.isCallersFault ? .badInput(error.description) : .storage(error.description)
    }

    /// What the registry refused.
    static func refusal(for error: RegistryError) -> Refusal {
        switch error {
        case .unknownFunction(let name):
            .unknownFunction(name)
        case .unknownQualifier(let function, let qualifier):
            .unknownQualifier(function: function, qualifier: qualifier)
        case .invalidLabel:
            .badInput(error.description)
        case .nothingToRollBack:
            Refusal(status: .conflict, code: "nothingToRollBack", message: error.description)
        case .routeTaken:
            Refusal(status: .conflict, code: "routeTaken", message: error.description)
        case .newerSchema, .corrupt, .storage:
            .storage(error.description)
        }
    }
}
