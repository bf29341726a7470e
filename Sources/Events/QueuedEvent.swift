import FoundationEssentials
package import Metering
import Queues

/// A call that nobody waits for, as it lies in the queue of its function.
package struct QueuedEvent: Equatable, Sendable {
    /// The same for all attempts, and the id of their receipts.
    package var id: InvocationID
    /// The function's name in the Lambda API.
    package var function: String
    package var body: [UInt8]
    package var content: Content
    package var acceptedUnixMilliseconds: Int64
    /// Attempts that were begun.
    package var attempts: Int
    /// Times that it was sent back without an attempt.
    package var throttles: Int

    /// What is kept of an event beside its body.
    package struct Content: Codable, Equatable, Sendable {
        package var qualifier: String?
        package var contentType: String
        /// JSON of the caller's; empty where there is none.
        package var clientContext: String
        /// What brought it: `schedule NAME`, `destination of ID`; nil for a client's call.
        package var trigger: String?
        /// How many events led to this one, each the result of the one before.
        package var hops: Int?

        package init(
            qualifier: String? = nil,
            contentType: String = "application/json",
            clientContext: String = "",
            trigger: String? = nil,
            hops: Int? = nil
        ) {
            self.qualifier = qualifier
            self.contentType = contentType
            self.clientContext = clientContext
            self.trigger = trigger
            self.hops = hops
        }

        /// As the store keeps it.
        var text: String {
            // Texts and numbers only: there is nothing that JSON could not hold.
            (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }
    }

    /// Of the receipt that the attempt now begun may leave: a throttled one can leave one too, and no two have one number.
    package var receiptNumber: Int { attempts + throttles }

    package init(
        id: InvocationID,
        function: String,
        body: [UInt8],
        content: Content = Content(),
        acceptedUnixMilliseconds: Int64,
        attempts: Int = 0,
        throttles: Int = 0
    ) {
        self.id = id
        self.function = function
        self.body = body
        self.content = content
        self.acceptedUnixMilliseconds = acceptedUnixMilliseconds
        self.attempts = attempts
        self.throttles = throttles
    }

    init(_ message: Message, function: String) {
        self.init(
            id: message.id,
            function: function,
            body: message.body,
            content: (try? JSONDecoder().decode(Content.self, from: Data(message.attributes.utf8))) ?? Content(),
            acceptedUnixMilliseconds: message.acceptedUnixMilliseconds,
            attempts: message.attempts,
            throttles: message.throttles
        )
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

    /// What came of it, as JSON; nil where nothing ran.
    var body: [UInt8]? {
        switch self {
        case .succeeded(let body), .failed(let body): body
        case .throttled, .stopped, .gone: nil
        }
    }
}
