import FoundationEssentials

/// What is known of a call beside its body.
public struct Context: Sendable {
    /// The invocation's id, the same in the node's logs, headers and receipts.
    public let requestID: String
    /// When the call is ended, in milliseconds since 1970.
    public let deadlineMilliseconds: Int64
    /// The function as the caller named it.
    public let functionARN: String
    /// The trace that the call belongs to; empty where there is none.
    public let traceID: String
    /// JSON that the caller sent along; empty where it sent none.
    public let clientContext: String
    let api: RuntimeAPI?

    /// Time left until the call is ended, never negative.
    public var remaining: Duration {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        return .milliseconds(max(0, deadlineMilliseconds - now))
    }

    /// Reads the headers of a call.
    ///
    /// - Parameter api: what calls of other functions are asked of.
    init(_ head: ResponseHead, _ api: RuntimeAPI? = nil) throws(RuntimeAPIError) {
        self.api = api
        guard let id = head["lambda-runtime-aws-request-id"], !id.isEmpty, !id.contains("/") else {
            throw RuntimeAPIError("a call came without Lambda-Runtime-Aws-Request-Id")
        }
        requestID = id
        deadlineMilliseconds = head["lambda-runtime-deadline-ms"].flatMap { Int64($0) } ?? 0
        functionARN = head["lambda-runtime-invoked-function-arn"] ?? ""
        traceID = head["lambda-runtime-trace-id"] ?? ""
        clientContext = head["lambda-runtime-client-context"] ?? ""
    }
}
