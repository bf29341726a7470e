import HTTPTypes
import Invoking
import Manifests
import NIOCore
import Registry
import Wire

/// `POST /functions/{name}/invocations[?qualifier=]`, and the paths that functions have chosen: body in, body out.
///
/// What one connection's ``InvocationLane`` asks for; it keeps the order, this knows what a call is.
final class InvocationDoor: Sendable {
    private let policy: AccessPolicy
    private let services: DoorServices
    let date: ReplyDate

    init(policy: AccessPolicy, services: DoorServices, date: ReplyDate) {
        self.policy = policy
        self.services = services
        self.date = date
    }

    /// The function that has chosen this path.
    func route(_ path: String) -> String? {
        services.registry.route(path: path)
    }

    /// Refuses, before its body is read, what must not or cannot become a call.
    func admit(_ head: InvocationHead) throws(Refusal) -> PendingCall {
        if let refusal = policy.refusal(of: head.presented) { throw refusal }
        // Where the function stands in the body, the largest body of any holds until it is known.
        if let form = head.door.formOfNamelessPath {
            return try PendingCall(head, bytesMax: ManifestBounds.payloadBytesMax, form: form)
        }
        let bounds: CallBounds
        do throws(Failure) {
            bounds = try services.bounds(head.function, head.qualifier)
        } catch {
            throw Replies.refusal(for: error)
        }
        let form = try head.form(version: bounds.version)
        let pending = try PendingCall(head, bytesMax: bounds.payloadBytesMax, form: form)
        pending.mayStream = bounds.mayStream && form == .own && head.isChunkable
        return pending
    }

    /// What is still to come of a request that is refused at its head.
    func leftover(of head: InvocationHead) -> Leftover {
        // A client that waits for our word may send the body after a refusal, or not: nobody can tell where the next
        // request begins.
        if head.isChunked { return .long }
        guard let announced = try? BodyAllowance.announced(head.contentLength) else {
            return head.contentLength == nil ? .short : .long
        }
        if announced > 0, head.isContinueAwaited { return .long }
        return announced > DoorLimits.leftoverBytesMax ? .long : .short
    }

    enum Leftover {
        /// Less to read than to open the connection again.
        case short
        case long
    }

    func invoke(_ call: Call, _ loop: any EventLoop, completion: @escaping @Sendable (Completion) -> Void) {
        services.invoke(call, loop, completion)
    }
}

/// A call whose body is being read.
final class PendingCall {
    private(set) var call: Call
    let isLast: Bool
    /// The function's reply may come over time, and this client can take it so.
    fileprivate(set) var mayStream = false
    let dialect: ErrorDialect
    private var allowance: BodyAllowance

    init(_ head: InvocationHead, bytesMax: Int, form: CallForm) throws(Refusal) {
        allowance = try BodyAllowance(
            bytesAnnounced: try BodyAllowance.announced(head.contentLength),
            bytesMax: bytesMax
        )
        isLast = head.isLast
        dialect = head.door.dialect
        // A reply that names a version must be that version's, whatever is deployed meanwhile.
        let pinned = if case .openInference(let call) = form { String(call.version) } else { head.qualifier }
        call = Call(
            function: head.function,
            qualifier: pinned,
            contentType: head.contentType ?? "application/octet-stream",
            form: form,
            body: ByteBuffer()
        )
    }

    func take(_ piece: ByteBuffer) throws(Refusal) {
        try allowance.take(bytes: piece.readableBytes)
        // A body in one piece stays where the socket put it.
        guard call.body.readableBytes > 0 else {
            call.body = piece
            return
        }
        if call.body.writableBytes < piece.readableBytes, let announced = allowance.bytesAnnounced {
            call.body.reserveCapacity(announced)
        }
        call.body.writeImmutableBuffer(piece)
    }

    func end() throws(Refusal) {
        try allowance.end()
    }

    /// The call, once the body is whole.
    ///
    /// - Throws: 400 where the function stands in the body, and none does.
    func complete() throws(Refusal) -> Call {
        guard call.form == .openAIEmbeddings || call.form == .rerank else { return call }
        guard let text = ModelField.find(in: call.body.readableBytesUInt8Span), !text.isEmpty else {
            throw Refusal(
                status: .badRequest,
                code: Refusal.badInputCode,
                message: "\"model\" is missing: it names the function that answers; GET /v1/models lists them",
                fault: InputFault(.missing, path: "model")
            )
        }
        let model = ModelName(text)
        call.function = model.function
        call.qualifier = model.qualifier
        return call
    }
}

extension CallDoor {
    /// The form of a call whose function stands in its body; nil where the path names it.
    fileprivate var formOfNamelessPath: CallForm? {
        switch self {
        case .openAIEmbeddings: .openAIEmbeddings
        case .rerank: .rerank
        case .own, .openInference, .prediction: nil
        }
    }
}

extension InvocationHead {
    /// What door and headers say of the body.
    ///
    /// - Throws: 400 and 415 for headers of an inference request that cannot be followed.
    fileprivate func form(version: Int) throws(Refusal) -> CallForm {
        switch door {
        case .own: return .own
        case .openAIEmbeddings: return .openAIEmbeddings
        case .rerank: return .rerank
        case .prediction: return .prediction
        case .openInference(let model):
            let count = try inferenceHeaderLength.map { (text) throws(Refusal) in try Self.byteCount(text) }
            return .openInference(
                OpenInferenceCall(
                    model: String(decoding: model.utf8.prefix(WireLimits.modelNameBytesMax), as: UTF8.self),
                    version: UInt32(clamping: version),
                    encoding: try bodyEncoding(),
                    jsonByteCount: count
                )
            )
        }
    }

    private static func byteCount(_ text: String) throws(Refusal) -> UInt32 {
        guard let count = UInt32(text), count <= ManifestBounds.payloadBytesMax else {
            throw .badInput("Inference-Header-Content-Length is not a size of JSON: \(text)")
        }
        return count
    }

    private func bodyEncoding() throws(Refusal) -> BodyEncoding {
        switch contentEncoding?.lowercased() {
        case nil, "", "identity": return .identity
        case "gzip", "x-gzip": return .gzip
        case "deflate": return .deflate
        case let other?:
            throw Refusal(
                status: .unsupportedMediaType,
                code: "unsupportedEncoding",
                message: "a body is sent as it is, or with Content-Encoding gzip or deflate, not \(other)"
            )
        }
    }
}
