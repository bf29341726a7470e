import Linux
import Serving
import Wire

/// Lambda's Runtime API for one program, on one thread: everything happens while somebody waits for something.
///
/// Between calls nobody does: what the program sends then lies in the kernel until the next call.
final class RuntimeServer {
    /// How a call ended, as the program said.
    enum Outcome {
        case reply(contentType: String, body: [UInt8])
        /// The reply comes over time; its pieces are taken by ``nextPiece()``.
        case stream(contentType: String)
        case failed(ErrorDocument)
    }

    /// The program has ended, and nothing that it has sent is left.
    struct ProgramEnded: Error {}

    /// Lambda's limit on a reply that is not streamed.
    static let replyBytesMax = 6_291_556
    /// Of a call of another function.
    static let callBytesMax = CallFrame.callBytesMax
    private static let connectionsMax = 16
    private static let accepted = RuntimeConnection.response(
        202,
        contentTypeDefault,
        Array("{\"status\":\"OK\"}\n".utf8)
    )
    private static let readBytesMax = 256 * 1024
    private static let contentTypeDefault = "application/json"

    private let listener: FileDescriptor
    private let program: ProcessHandle
    private var connections: [RuntimeConnection] = []
    private var state = RuntimeState()
    private var outcome: Outcome?
    private(set) var initError: ErrorDocument?
    private var pieces: [[UInt8]] = []
    /// On which a reply has come that nobody has said anything of yet.
    private var unacknowledged: RuntimeConnection?
    private var streamEnd: StreamEnd?
    /// Calls of other functions that the program waits for.
    private var calls: [(connection: RuntimeConnection, call: OutgoingCall)] = []

    private enum StreamEnd {
        case whole
        case failed(ErrorDocument)
    }

    init(listener: consuming FileDescriptor, program: consuming ProcessHandle) {
        self.listener = listener
        self.program = program
    }

    /// Waits until the program asks for a call or says that it cannot; false where the time is over before.
    func awaitFirstRequest(milliseconds: Int) throws(ProgramEnded) -> Bool {
        let end = Clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        while waitingConnection == nil, initError == nil {
            let now = Clock.monotonicNanoseconds()
            guard now < end else { return false }
            try turn(milliseconds: Int((end - now) / 1_000_000) + 1)
        }
        return true
    }

    /// Gives the program a call, and waits for what it says of it.
    ///
    /// - Parameter caller: makes the calls of other functions that the program asks for meanwhile.
    func run(
        id: String,
        _ event: [UInt8],
        calling caller: (OutgoingCall) -> OutgoingReply
    ) throws(ProgramEnded) -> Outcome {
        outcome = nil
        pieces = []
        streamEnd = nil
        calls = []
        acknowledge()
        // A connection that was closed since it asked takes no call.
        if waitingConnection != nil { try turn(milliseconds: 0) }
        while true {
            guard let connection = waitingConnection else {
                try turn(milliseconds: nil)
                continue
            }
            connection.isWaiting = false
            state.begin(id: id)
            if connection.write(event) { break }
            drop(connection)
        }
        while true {
            while !calls.isEmpty { makeCall(caller) }
            if let outcome { return outcome }
            try turn(milliseconds: nil)
        }
    }

    /// Tells the program that its reply was taken; later than the caller has it, who waits for it.
    func acknowledge() {
        guard let connection = unacknowledged else { return }
        unacknowledged = nil
        if !connection.write(Self.accepted) { drop(connection) }
    }

    /// Makes the oldest call that the program asked for, and tells it what came of it.
    ///
    /// What else the program does meanwhile lies in the kernel.
    private func makeCall(_ caller: (OutgoingCall) -> OutgoingReply) {
        let (connection, call) = calls.removeFirst()
        let isTaken =
            switch caller(call) {
            case .reply(let contentType, let body):
                connection.answer(
                    200,
                    HeaderText.line(contentType.isEmpty ? Self.contentTypeDefault : contentType),
                    body
                )
            case .failure(.function, let document): connection.answer(502, document)
            case .failure(.refused, let message):
                connection.answer(503, ErrorDocument(message: message, type: "Thaw.CallRefused").json)
            // The worker is told to end, and its program with it.
            case .ended: true
            }
        if !isTaken { drop(connection) }
    }

    /// The next piece of a stream, nil after its last.
    func nextPiece() throws(ProgramEnded) -> Result<[UInt8]?, RuntimeFailure> {
        while true {
            if !pieces.isEmpty { return .success(pieces.removeFirst()) }
            switch streamEnd {
            case .whole: return .success(nil)
            case .failed(let document): return .failure(RuntimeFailure(document: document))
            case nil: try turn(milliseconds: nil)
            }
        }
    }

    private var waitingConnection: RuntimeConnection? {
        connections.first { $0.isWaiting }
    }

    // MARK: One look at what happened

    private func turn(milliseconds: Int?) throws(ProgramEnded) {
        let descriptors = [listener.rawValue, program.descriptor.rawValue] + connections.map { $0.descriptor.rawValue }
        let happened =
            (try? FileDescriptor.waitReadable(descriptors, timeoutMilliseconds: milliseconds)) ?? 0
        if happened & 1 != 0 { accept() }
        var hasRead = false
        for (index, connection) in connections.enumerated() where happened & (4 << UInt32(index)) != 0 {
            read(connection)
            hasRead = true
        }
        // Its last words may still lie in its connections.
        if happened & 2 != 0, !hasRead, happened & 1 == 0 { throw ProgramEnded() }
    }

    private func accept() {
        guard let descriptor = try? listener.acceptAvailable() else { return }
        take(descriptor)
    }

    /// Serves a connection that the program made.
    func take(_ descriptor: consuming FileDescriptor) {
        // A program that opens more than it can use loses the oldest that does nothing.
        if connections.count == Self.connectionsMax {
            guard let index = connections.firstIndex(where: { !$0.isWaiting && $0.purpose == .nothing }) else { return }
            connections.remove(at: index)
        }
        connections.append(RuntimeConnection(descriptor))
    }

    private func read(_ connection: RuntimeConnection) {
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try connection.descriptor.readAvailable(countMax: Self.readBytesMax)
        } catch {
            bytes = []
        }
        guard let bytes else { return }
        guard !bytes.isEmpty else { return lose(connection) }
        do throws(RequestError) {
            for event in try connection.reader.take(bytes) {
                guard take(event, connection) else { return drop(connection) }
            }
        } catch {
            _ = connection.answer(400, RuntimeState.error(error.problem, "TruncatedHTTPRequest"))
            lose(connection)
        }
    }

    /// A connection has ended; an answer that was under way on it will not be complete.
    private func lose(_ connection: RuntimeConnection) {
        drop(connection)
        let document = ErrorDocument(
            message: "the runtime ended its connection in the middle of its answer",
            type: "Runtime.TruncatedResponse"
        )
        switch connection.purpose {
        case .reply, .error:
            outcome = .failed(document)
            state.endAnswer()
        case .stream:
            streamEnd = .failed(document)
            state.endAnswer()
        case .initError:
            initError = document
        case .nothing, .call:
            break
        }
    }

    private func drop(_ connection: RuntimeConnection) {
        connections.removeAll { $0 === connection }
    }

    // MARK: One request

    /// False where the connection is of no more use.
    private func take(_ event: RequestReader.Event, _ connection: RuntimeConnection) -> Bool {
        switch event {
        case .head(let head): return begin(head, connection)
        case .body(let bytes):
            append(bytes, connection)
            return true
        case .end(let trailers): return end(connection, trailers)
        }
    }

    private func begin(_ head: RequestHead, _ connection: RuntimeConnection) -> Bool {
        // One that does not wait for an answer before it goes on.
        if connection === unacknowledged { acknowledge() }
        connection.head = head
        connection.body = []
        connection.isTooLarge = false
        connection.isAnswered = false
        connection.purpose = .nothing
        let request = RuntimeState.request(head.method, head.target)
        let mode = head.value("lambda-runtime-function-response-mode")
        switch state.decide(request, mode: mode) {
        case .hold:
            connection.isWaiting = true
        case .takeReply:
            connection.purpose = .reply
            if let length = head.value("content-length").flatMap({ Int($0) }) {
                connection.body.reserveCapacity(min(length, Self.replyBytesMax))
            }
        case .takeStream:
            connection.purpose = .stream
            outcome = .stream(contentType: contentType(head))
        case .takeError: connection.purpose = .error
        case .takeInitError: connection.purpose = .initError
        case .takeCall(let id, let function): connection.purpose = .call(id: id, function: function)
        case .answer(let status, let body):
            connection.isAnswered = true
            return connection.answer(status, body)
        }
        guard head.value("expect")?.lowercased() == "100-continue" else { return true }
        return connection.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
    }

    private func append(_ bytes: [UInt8], _ connection: RuntimeConnection) {
        switch connection.purpose {
        case .nothing: break
        case .stream: pieces.append(bytes)
        case .reply, .error, .initError, .call:
            let bytesMax = Self.bytesMax(connection.purpose)
            guard !connection.isTooLarge, connection.body.count + bytes.count <= bytesMax else {
                connection.isTooLarge = true
                connection.body = []
                return
            }
            if connection.body.isEmpty {
                connection.body = bytes
            } else {
                connection.body.append(contentsOf: bytes)
            }
        }
    }

    private static func bytesMax(_ purpose: RuntimeConnection.Purpose) -> Int {
        switch purpose {
        case .reply: replyBytesMax
        case .call: callBytesMax
        case .nothing, .stream, .error, .initError: ErrorDocument.bytesMax
        }
    }

    private func end(_ connection: RuntimeConnection, _ trailers: [String: String]) -> Bool {
        defer {
            connection.purpose = .nothing
            connection.body = []
        }
        guard !connection.isAnswered, !connection.isWaiting, let head = connection.head else { return true }
        let type = head.value("lambda-runtime-function-error-type")
        switch connection.purpose {
        case .nothing:
            return true
        case .reply where connection.isTooLarge:
            outcome = .failed(.tooLarge)
            state.endAnswer()
            return connection.answer(413, RuntimeState.error(ErrorDocument.tooLarge.message, "RequestEntityTooLarge"))
        case .reply:
            outcome = .reply(contentType: contentType(head), body: connection.body)
            unacknowledged = connection
            state.endAnswer()
            return true
        case .stream:
            let type = trailers["lambda-runtime-function-error-type"]
            let isFailed = type != nil || trailers["lambda-runtime-function-error-body"] != nil
            let body = trailers["lambda-runtime-function-error-body"].flatMap(Base64.decoded) ?? []
            streamEnd = isFailed ? .failed(ErrorDocument(body: body, type: type)) : .whole
        case .error:
            outcome = .failed(ErrorDocument(body: connection.body, type: type))
        case .initError:
            initError = ErrorDocument(body: connection.body, type: type)
        case .call where connection.isTooLarge:
            let words = "a call of another function brings at most \(Self.callBytesMax) bytes"
            return connection.answer(413, RuntimeState.error(words, "RequestEntityTooLarge"))
        case .call(let id, let function):
            if case .answer(let status, let body) = state.refusalOfCall(in: id) {
                return connection.answer(status, body)
            }
            let call = OutgoingCall(function: function, contentType: contentType(head), body: connection.body)
            calls.append((connection, call))
            return true
        }
        state.endAnswer()
        return connection.write(Self.accepted)
    }

    private func contentType(_ head: RequestHead) -> String {
        guard let type = head.value("content-type"), !type.isEmpty, type.utf8.count <= 256 else {
            return Self.contentTypeDefault
        }
        return type
    }
}

/// A call that failed by its program's own word.
struct RuntimeFailure: Error {
    let document: ErrorDocument
}
