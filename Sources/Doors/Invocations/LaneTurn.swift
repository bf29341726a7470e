import NIOHTTP1

extension InvocationLane {
    /// Whose turn it is on a connection.
    enum Turn {
        case free
        case reading(PendingCall)
        case running(isLast: Bool, ErrorDialect)
        /// The reply's head is written, and its pieces follow; the call ends when nobody takes them.
        case streaming(isLast: Bool)
        /// Refused, and the rest of the body is short.
        case dropping
        case routed(RoutedRequest)
        /// The last reply is written; what still comes is counted and dropped until the client closes.
        case ending(bytesDropped: Int)
    }

    struct RoutedRequest {
        var isRead = false
        var isAnswered = false
        /// One of the two said `Connection: close`.
        var isLast: Bool
    }

    /// What came while a request had its turn.
    enum Arrival {
        case part(HTTPServerRequestPart)
        case failure(any Error)
        /// The client sends nothing more; it may still read.
        case inputClosed
    }
}
