/// In which protocol a call's body is written, and its reply is expected.
///
/// Doors tell them apart by their paths; the worker reads and writes them. The scheduler looks into no body beyond what
/// it needs to find the function.
package enum CallForm: Equatable, Sendable {
    /// The function's own JSON, or whatever its author chose.
    case own
    /// `POST /v1/embeddings` of OpenAI.
    case openAIEmbeddings
    /// `POST /v2/models/{model}/infer` of the Open Inference Protocol.
    case openInference(OpenInferenceCall)
    /// `POST /v1/rerank` of Jina and Cohere.
    case rerank
    /// `POST /predict/{name}`: named inputs in, named outputs out, as JSON.
    case prediction
    /// A call of a code function, whatever the door: the body as it came, and what its program is told beside.
    case lambda(LambdaCall)

    func write(to writer: inout ByteWriter) {
        switch self {
        case .own: writer.append(UInt8(0))
        case .openAIEmbeddings: writer.append(UInt8(1))
        case .openInference(let call):
            writer.append(UInt8(2))
            writer.append(text: call.model)
            writer.append(call.version)
            writer.append(call.encoding.rawValue)
            writer.append(call.jsonByteCount.map { $0 + 1 } ?? 0)
        case .prediction: writer.append(UInt8(3))
        case .rerank: writer.append(UInt8(4))
        case .lambda(let call):
            writer.append(UInt8(5))
            call.write(to: &writer)
        }
    }

    init(reading reader: inout ByteReader) throws(WireError) {
        let kind = try reader.read(UInt8.self)
        switch kind {
        case 0: self = .own
        case 1: self = .openAIEmbeddings
        case 2:
            let model = try reader.readText(countMax: WireLimits.modelNameBytesMax)
            let version = try reader.read(UInt32.self)
            let number = try reader.read(UInt8.self)
            guard let encoding = BodyEncoding(rawValue: number) else { throw .unknownKind(number) }
            let count = try reader.read(UInt32.self)
            self = .openInference(
                OpenInferenceCall(
                    model: model,
                    version: version,
                    encoding: encoding,
                    jsonByteCount: count == 0 ? nil : count - 1
                )
            )
        case 3: self = .prediction
        case 4: self = .rerank
        case 5: self = .lambda(try LambdaCall(reading: &reader))
        default: throw .unknownKind(kind)
        }
    }
}

/// What path and headers say of an inference request.
package struct OpenInferenceCall: Equatable, Sendable {
    /// As the caller named it, for the reply.
    package var model: String
    /// The version that serves the call.
    package var version: UInt32
    package var encoding: BodyEncoding
    /// Bytes of JSON in front of the tensors, once decompressed; nil where all of the body is JSON.
    ///
    /// At most `UInt32.max - 1`.
    package var jsonByteCount: UInt32?

    package init(model: String, version: UInt32, encoding: BodyEncoding = .identity, jsonByteCount: UInt32? = nil) {
        precondition(jsonByteCount != .max, "a count of a body within the limits")
        self.model = model
        self.version = version
        self.encoding = encoding
        self.jsonByteCount = jsonByteCount
    }
}

/// How a body was compressed on its way.
package enum BodyEncoding: UInt8, Sendable, CaseIterable {
    case identity
    case gzip
    /// A zlib stream, which is what HTTP calls `deflate`.
    case deflate
}

/// What is wrong with a caller's input, beside the sentence: which part of it, and in which way.
///
/// It travels in front of the sentence, on a line of its own.
package struct InputFault: Equatable, Sendable {
    package enum Kind: String, Sendable {
        /// The body, or a part of it, cannot be read at all.
        case malformed
        /// A part that must be there is not.
        case missing
        /// A part is not what it should be.
        case invalid
    }

    package var kind: Kind
    /// Names and indices from the outside in, joined by dots: `inputs.0.data`; empty for the whole body.
    package var path: String

    package init(_ kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }

    /// The fault and its sentence as a failure's message.
    package func message(_ sentence: String) -> String {
        "\(kind.rawValue) \(path.split(separator: "\n").joined(separator: " "))\n\(sentence)"
    }

    /// Takes a message apart; nil where it carries no fault.
    package static func parse(_ message: String) -> (fault: InputFault, sentence: String)? {
        guard let end = message.firstIndex(of: "\n"), let blank = message[..<end].firstIndex(of: " "),
            let kind = Kind(rawValue: String(message[..<blank]))
        else { return nil }
        let fault = InputFault(kind, path: String(message[message.index(after: blank)..<end]))
        return (fault, String(message[message.index(after: end)...]))
    }
}

/// The content type of an inference reply that has binary data behind its JSON.
///
/// The door takes the count out again and gives it to the caller as a header.
package enum InferenceReplyType {
    private static let prefix = "application/octet-stream; json="

    package static func text(jsonByteCount: Int) -> String {
        prefix + "\(jsonByteCount)"
    }

    /// nil where the type is another.
    package static func jsonByteCount(of contentType: String) -> Int? {
        guard contentType.hasPrefix(prefix) else { return nil }
        return Int(contentType.dropFirst(prefix.count)).flatMap { $0 >= 0 ? $0 : nil }
    }
}
