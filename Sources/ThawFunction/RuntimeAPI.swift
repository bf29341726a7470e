import Synchronization

/// The Runtime API of Lambda, version 2018-06-01: calls are asked for, and answered.
final class RuntimeAPI: Sendable {
    private let address: String
    private let connection: Mutex<RuntimeConnection>
    /// The body of a reply is on its way, piece by piece: nothing else can be asked on the connection.
    private let isInReply = Atomic<Bool>(false)

    /// - Parameter address: host and port, as in `AWS_LAMBDA_RUNTIME_API`.
    init(address: String) throws(RuntimeAPIError) {
        self.address = address
        connection = Mutex(try RuntimeConnection(address: address))
    }

    /// Waits for a call: what is known of it, and its body.
    func next() throws(RuntimeAPIError) -> (context: Context, body: [UInt8]) {
        try begin("invocation/next", [], method: "GET")
        let (head, body) = try connection.withLock { connection throws(RuntimeAPIError) in try connection.receive() }
        guard head.status == 200 else {
            throw RuntimeAPIError("asked for a call, the Runtime API answered \(head.status)")
        }
        return (try Context(head, self), body)
    }

    /// Posts a body and waits until it is taken.
    func post(_ path: String, _ headers: [String], _ body: [UInt8]) throws(RuntimeAPIError) {
        try begin(path, headers + ["Content-Length: \(body.count)"], body: body)
        try expectAccepted()
    }

    /// Sends the head of a request, and the body with it where it is known.
    func begin(
        _ path: String,
        _ headers: [String],
        method: String = "POST",
        body: [UInt8] = []
    ) throws(RuntimeAPIError) {
        let lines = ["\(method) /2018-06-01/runtime/\(path) HTTP/1.1", "Host: \(address)"] + headers
        try send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
    }

    /// Sends the head of a reply whose body comes piece by piece.
    func beginReply(_ path: String, _ headers: [String]) throws(RuntimeAPIError) {
        isInReply.store(true, ordering: .sequentiallyConsistent)
        try begin(path, headers)
    }

    /// Posts a body and waits for what comes of it; nil in the middle of a reply.
    func ask(
        _ path: String,
        _ headers: [String],
        _ body: [UInt8]
    ) throws(RuntimeAPIError) -> (head: ResponseHead, body: [UInt8])? {
        guard !isInReply.load(ordering: .sequentiallyConsistent) else { return nil }
        try begin(path, headers + ["Content-Length: \(body.count)"], body: body)
        return try connection.withLock { connection throws(RuntimeAPIError) in try connection.receive() }
    }

    /// Sends bytes of a request that has begun.
    func send(_ bytes: [UInt8]) throws(RuntimeAPIError) {
        try connection.withLock { connection throws(RuntimeAPIError) in try connection.send(bytes) }
    }

    /// Waits for the response to what was posted.
    ///
    /// A refusal is told in the log and no more: the call has had its answer, this was too long or too late.
    func expectAccepted() throws(RuntimeAPIError) {
        isInReply.store(false, ordering: .sequentiallyConsistent)
        let (head, body) = try connection.withLock { connection throws(RuntimeAPIError) in try connection.receive() }
        if head.status != 202 {
            let reason = String(decoding: body.prefix(1024), as: UTF8.self)
            print("the Runtime API refused a reply with \(head.status): \(reason)")
        }
    }
}
