package import Scheduling
package import Wire

/// Why an admitted call has no reply.
package enum WorkFailure: Error, Equatable, Sendable {
    case refused(Refusal)
    /// The worker answered that it cannot: bad input, too large, or a defect of the model.
    case answered(WorkerFailureCode, message: String)
    /// The worker, or its template, died; the reason by name.
    case died(reason: String)
    case timedOut
    /// Its caller went away, and it was ended for that.
    case cancelled
    /// The worker sent what the contract does not allow, and was killed for it.
    case contractBroken(String)
    /// The scheduler ended before the call did.
    case interrupted
}
