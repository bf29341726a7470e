package import Metering

/// A call that nobody waits for, as it lies in the queue.
package struct QueuedEvent: Equatable, Sendable {
    /// The same for all attempts, and the id of their receipts.
    package var id: InvocationID
    /// The function's name in the Lambda API.
    package var function: String
    package var qualifier: String?
    package var contentType: String
    package var body: [UInt8]
    /// JSON of the caller's; empty where there is none.
    package var clientContext: String
    package var acceptedUnixMilliseconds: Int64
    /// Attempts that were begun.
    package var attempts: Int
    /// Times that it was sent back without an attempt.
    package var throttles: Int

    /// Of the receipt that the attempt now begun may leave: a throttled one can leave one too, and no two have one number.
    package var receiptNumber: Int { attempts + throttles }

    package init(
        id: InvocationID,
        function: String,
        qualifier: String?,
        contentType: String = "application/json",
        body: [UInt8],
        clientContext: String = "",
        acceptedUnixMilliseconds: Int64,
        attempts: Int = 0,
        throttles: Int = 0
    ) {
        self.id = id
        self.function = function
        self.qualifier = qualifier
        self.contentType = contentType
        self.body = body
        self.clientContext = clientContext
        self.acceptedUnixMilliseconds = acceptedUnixMilliseconds
        self.attempts = attempts
        self.throttles = throttles
    }
}

/// How an attempt ended.
package enum EventOutcome: Equatable, Sendable {
    case succeeded(body: [UInt8])
    /// The function's own error, as JSON.
    case failed(body: [UInt8])
    /// No worker was given it: too many ran, or the node could not.
    case throttled
    /// Nothing of this function may run.
    case stopped
    /// There is no such function any more.
    case gone(reason: String)
}
