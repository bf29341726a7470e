import JSON
import Serving
import Wire

/// What a program says of a failure, `{"errorMessage", "errorType", "stackTrace"}`, brought within the contract's bounds.
struct ErrorDocument: Equatable, Sendable {
    let message: String
    let type: String
    /// As it is handed on.
    let json: String

    private static let typeDefault = "Function.Unknown"
    private static let typeBytesMax = 256
    private static let messageBytesMax = 2048
    /// Documents are small; a program that sends a larger one is answered, and its error has no words.
    static let bytesMax = 256 * 1024

    /// Of a reply beyond Lambda's limit.
    static let tooLarge = ErrorDocument(
        message:
            "Response payload size exceeded maximum allowed payload size (\(RuntimeServer.replyBytesMax) bytes).",
        type: "Function.ResponseSizeTooLarge"
    )

    /// - Parameter type: the header that names the error, for a body that does not.
    init(body: [UInt8], type: String?) {
        let parsed = try? JSON.parse(body, bounds: JSONBounds(depthMax: 32, valuesMax: 16 * 1024))
        let ownType = parsed?["errorType"]?.stringValue
        self.type = Self.cut(ownType ?? type ?? Self.typeDefault, Self.typeBytesMax)
        message = Self.cut(parsed?["errorMessage"]?.stringValue ?? "", Self.messageBytesMax)
        let isWhole = parsed?.objectMembers != nil && ownType != nil && body.count <= WireLimits.failureMessageBytesMax
        if isWhole, let text = String(validating: body, as: UTF8.self) {
            json = text
        } else {
            let trace = parsed?["stackTrace"]?.arrayValue ?? []
            json = Self.document(message, self.type, trace: trace.compactMap(\.stringValue))
        }
    }

    init(message: String, type: String) {
        self.message = message
        self.type = type
        json = Self.document(message, type, trace: [])
    }

    var failure: CallFailure { CallFailure(code: .function, message: json) }

    /// For a log's line, and for last words.
    var sentence: String { message.isEmpty ? type : "\(type): \(message)" }

    /// As many entries of the trace as there is room for.
    private static func document(_ message: String, _ type: String, trace: [String]) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("errorMessage")
        writer.string(message)
        writer.key("errorType")
        writer.string(type)
        writer.key("stackTrace")
        writer.beginArray()
        for entry in trace {
            // A byte may become six.
            guard writer.bytes.count + 6 * entry.utf8.count + 8 <= WireLimits.failureMessageBytesMax else { break }
            writer.string(entry)
        }
        writer.endArray()
        writer.endObject()
        let bytes = writer.bytes
        guard bytes.count <= WireLimits.failureMessageBytesMax else {
            return "{\"errorMessage\":\"\",\"errorType\":\"\(typeDefault)\",\"stackTrace\":[]}"
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func cut(_ text: String, _ bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var count = 0
        return String(
            text.prefix { character in
                count += character.utf8.count
                return count <= bytesMax
            }
        )
    }
}
