import HTTPTypes
import Hummingbird
import Metering
import NIOCore
import Wire

/// The words in which a protocol is told that something went wrong; one for each family of paths.
enum ErrorDialect: Sendable {
    /// `{"error": {"code", "message", "invocation"}}`.
    case own
    /// `{"error": {"message", "type", "param", "code"}}`: what the client of `/v1` makes its exceptions of.
    case openAI
    /// `{"error": "…"}`: the client of `/v2` reads nothing else.
    case openInference
    /// `{"detail": …}`, a list of faults where the input is one, as FastAPI answers.
    case fastAPI

    init(path: String) {
        func begins(_ prefix: StaticString) -> Bool {
            unsafe path.utf8.starts(
                with: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
            )
        }
        if begins("/v1/") || path == "/v2/rerank" {
            self = .openAI
        } else if begins("/v2/") || path == "/v2" {
            self = .openInference
        } else if begins("/predict/") {
            self = .fastAPI
        } else {
            self = .own
        }
    }

    init(_ form: CallForm) {
        self =
            switch form {
            case .own, .lambda: .own
            case .openAIEmbeddings, .rerank: .openAI
            case .openInference: .openInference
            case .prediction: .fastAPI
            }
    }

    /// The refusal as this dialect has it: its status and headers.
    func translated(_ refusal: Refusal) -> Refusal {
        var refusal = refusal
        switch self {
        case .own, .openInference:
            break
        case .openAI:
            refusal.headers[Self.requestID] = refusal.invocation ?? InvocationID.generated().description
            addRetryHints(to: &refusal)
        case .fastAPI where refusal.code == Refusal.badInputCode && refusal.status == .badRequest:
            refusal.status = .unprocessableContent
        case .fastAPI:
            break
        }
        return refusal
    }

    /// The status of a failure that is known by the status of ``Replies``.
    func status(_ refusal: Refusal) -> Int {
        translated(refusal).status.code
    }

    /// The client tries 408, 409, 429 and everything from 500 again by itself; what cannot go better, it should not.
    private func addRetryHints(to refusal: inout Refusal) {
        if let seconds = refusal.headers[.retryAfter].flatMap({ Int($0) }) {
            refusal.headers[Self.retryAfterMilliseconds] = String(seconds * 1000)
            refusal.headers[Self.shouldRetry] = "true"
        } else if refusal.status.code >= 500 {
            refusal.headers[Self.shouldRetry] = refusal.status == .badGateway ? "true" : "false"
        }
    }

    func document(_ refusal: Refusal) -> ByteBuffer {
        switch self {
        case .own: JSONDocument.buffer(refusal.ownDocument)
        case .openAI: JSONDocument.buffer(OpenAIError(refusal))
        case .openInference: JSONDocument.buffer(OpenInferenceError(error: refusal.message))
        case .fastAPI: JSONDocument.buffer(FastAPIError(refusal))
        }
    }

    func response(_ refusal: Refusal) -> Response {
        let refusal = translated(refusal)
        var fields = refusal.headers
        fields[.contentType] = "application/json"
        return Response(status: refusal.status, headers: fields, body: ResponseBody(byteBuffer: document(refusal)))
    }

    private static let requestID = name("x-request-id")
    private static let retryAfterMilliseconds = name("retry-after-ms")
    private static let shouldRetry = name("x-should-retry")

    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is a field's name") }
        return name
    }
}

private struct OpenAIError: Encodable {
    struct Detail: Encodable {
        var message: String
        var type: String
        /// Encoded as null where there is none: clients ask for the key.
        var param: String?
        var code: String?

        private enum CodingKeys: CodingKey {
            case message, type, param, code
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(message, forKey: .message)
            try container.encode(type, forKey: .type)
            try container.encode(param, forKey: .param)
            try container.encode(code, forKey: .code)
        }
    }

    var error: Detail

    init(_ refusal: Refusal) {
        let type =
            switch refusal.status.code {
            case 401: "authentication_error"
            case 403: "permission_error"
            case 429: "rate_limit_error"
            case 500...: "server_error"
            default: "invalid_request_error"
            }
        let code =
            switch refusal.code {
            case "unknownFunction", "unknownQualifier": "model_not_found"
            case "tokenMissing", "tokenWrong": "invalid_api_key"
            case "overloaded": "rate_limit_exceeded"
            default: refusal.code
            }
        let param = refusal.fault.flatMap { $0.path.isEmpty ? nil : $0.path }
        error = Detail(message: refusal.message, type: type, param: param, code: code)
    }
}

private struct OpenInferenceError: Encodable {
    var error: String
}

private struct FastAPIError: Encodable {
    struct Fault: Encodable {
        var loc: [Place]
        var msg: String
        var type: String
    }

    /// A name, or an index.
    enum Place: Encodable {
        case name(String)
        case index(Int)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .name(let name): try container.encode(name)
            case .index(let index): try container.encode(index)
            }
        }
    }

    enum Detail: Encodable {
        case faults([Fault])
        case sentence(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .faults(let faults): try container.encode(faults)
            case .sentence(let sentence): try container.encode(sentence)
            }
        }
    }

    var detail: Detail

    init(_ refusal: Refusal) {
        guard refusal.code == Refusal.badInputCode else {
            detail = .sentence(refusal.message)
            return
        }
        let parts = (refusal.fault?.path ?? "").split(separator: ".")
        let places = parts.map { part in Int(part).map { Place.index($0) } ?? .name(String(part)) }
        let type =
            switch refusal.fault?.kind {
            case .malformed: "json_invalid"
            case .missing: "missing"
            case .invalid, nil: "value_error"
            }
        detail = .faults([Fault(loc: [.name("body")] + places, msg: refusal.message, type: type)])
    }
}
