import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// A request that is answered with an error: what the client is told.
///
/// Its body is `{"error": {"code": …, "message": …, "invocation": …}}`, or what the ``ErrorDialect`` of its path makes of it.
struct Refusal: Error, Equatable {
    var status: HTTPResponse.Status
    /// A word that programs can compare; it stays when the sentence is improved.
    var code: String
    /// What was wrong and what to do.
    var message: String
    var invocation: String?
    var headers: HTTPFields = [:]
    /// Which part of the caller's input is at fault, where that is known.
    var fault: InputFault?
}

extension Refusal: HTTPResponseError {
    func response(from request: Request, context: some RequestContext) throws -> Response {
        ErrorDialect(path: request.uri.path).response(self)
    }

    func response() -> Response {
        ErrorDialect.own.response(self)
    }

    /// The body at the doors of our own.
    var ownDocument: some Encodable {
        Document(error: Document.Detail(code: code, message: message, invocation: invocation))
    }

    private struct Document: Encodable {
        struct Detail: Encodable {
            var code: String
            var message: String
            var invocation: String?
        }
        var error: Detail
    }
}

extension Response {
    /// A JSON document, with sorted keys so that two equal answers are equal bytes.
    init(_ document: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
        var headers = headers
        headers[.contentType] = "application/json"
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: JSONDocument.buffer(document)))
    }
}

/// How the doors write JSON.
enum JSONDocument {
    /// A document and a line's end.
    static func buffer(_ document: some Encodable) -> ByteBuffer {
        var buffer: ByteBuffer
        do {
            buffer = ByteBuffer(bytes: try encode(document))
        } catch {
            // Only a number that JSON cannot hold ends here; the client gets a valid document all the same.
            buffer = ByteBuffer(
                string: #"{"error":{"code":"internal","message":"the answer cannot be written as JSON"}}"#
            )
        }
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }

    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }
}
