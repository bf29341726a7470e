import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// A request that is answered with an error: what the client is told.
///
/// Its body is `{"error": {"code": …, "message": …, "invocation": …}}`.
struct Refusal: Error, Equatable {
    var status: HTTPResponse.Status
    /// A word that programs can compare; it stays when the sentence is improved.
    var code: String
    /// What was wrong and what to do.
    var message: String
    var invocation: String?
    var headers: HTTPFields = [:]
}

extension Refusal: HTTPResponseError {
    func response(from request: Request, context: some RequestContext) throws -> Response {
        response()
    }

    func response() -> Response {
        var fields = headers
        fields[.contentType] = "application/json"
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: document))
    }

    /// The body, with a line's end.
    var document: ByteBuffer {
        JSONDocument.buffer(Document(error: Document.Detail(code: code, message: message, invocation: invocation)))
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
