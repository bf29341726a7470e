import FoundationEssentials
import Synchronization

/// The reply of one call, written piece by piece.
public final class ReplyWriter: Sendable {
    private enum State {
        case fresh(contentType: String)
        case streaming
        case ended
    }

    private let api: RuntimeAPI
    private let requestID: String
    private let state = Mutex(State.fresh(contentType: "application/octet-stream"))

    init(_ api: RuntimeAPI, requestID: String) {
        self.api = api
        self.requestID = requestID
    }

    /// Chooses what the reply is, such as `text/event-stream`; before the first piece, later it changes nothing.
    public func setContentType(_ contentType: String) {
        state.withLock { state in
            guard case .fresh = state else { return }
            state = .fresh(contentType: contentType.filter { $0.isASCII && !$0.isNewline })
        }
    }

    /// Sends a piece of the reply, and waits while its reader is slow.
    ///
    /// A piece of nothing is none.
    public func write(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        try state.withLock { state in
            switch state {
            case .fresh(let contentType):
                try begin(contentType)
                state = .streaming
            case .streaming: break
            case .ended:
                throw RuntimeFailure(
                    errorType: "Runtime.ReplyEnded",
                    message: "the reply of \(requestID) has ended, nothing can be added to it"
                )
            }
            try api.send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8))
        }
    }

    /// Sends text as a piece of the reply, in UTF-8.
    public func write(_ text: String) throws {
        try write(Array(text.utf8))
    }

    /// All of a reply at once.
    func send(_ bytes: [UInt8], contentType: String) throws(RuntimeAPIError) {
        try state.withLock { state throws(RuntimeAPIError) in
            state = .ended
            try api.post("invocation/\(requestID)/response", ["Content-Type: \(contentType)"], bytes)
        }
    }

    /// The end of what was written.
    func end() throws(RuntimeAPIError) {
        try state.withLock { state throws(RuntimeAPIError) in
            if case .fresh(let contentType) = state { try begin(contentType) }
            state = .ended
            try api.send(Array("0\r\n\r\n".utf8))
            try api.expectAccepted()
        }
    }

    /// The end of a call whose handler threw: an error where nothing was written yet, else the end of the stream with the
    /// error behind it.
    func fail(_ error: any Error) throws(RuntimeAPIError) {
        let (document, errorType) = Body.encode(failure: error)
        try state.withLock { state throws(RuntimeAPIError) in
            defer { state = .ended }
            switch state {
            case .fresh:
                let headers = ["Content-Type: application/json", "Lambda-Runtime-Function-Error-Type: \(errorType)"]
                try api.post("invocation/\(requestID)/error", headers, document)
            case .streaming:
                let body = Data(document).base64EncodedString()
                let trailers =
                    "Lambda-Runtime-Function-Error-Type: \(errorType)\r\nLambda-Runtime-Function-Error-Body: \(body)\r\n"
                try api.send(Array("0\r\n\(trailers)\r\n".utf8))
                try api.expectAccepted()
            case .ended:
                break
            }
        }
    }

    private func begin(_ contentType: String) throws(RuntimeAPIError) {
        try api.beginReply(
            "invocation/\(requestID)/response",
            [
                "Content-Type: \(contentType)", "Transfer-Encoding: chunked",
                "Lambda-Runtime-Function-Response-Mode: streaming",
                "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
            ]
        )
    }
}
