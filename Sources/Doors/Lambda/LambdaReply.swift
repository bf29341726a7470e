import ControlPlane
import HTTPTypes
import Hummingbird
import Metering
import NIOCore

/// How the Lambda API's replies are written.
enum LambdaReply {
    static let requestID = name("x-amzn-RequestId")
    static let errorType = name("x-amzn-ErrorType")
    static let functionError = name("X-Amz-Function-Error")
    static let executedVersion = name("X-Amz-Executed-Version")
    static let logResult = name("X-Amz-Log-Result")

    /// - Parameter document: nil for a reply without a body.
    static func success(_ document: JSONValue?, _ status: HTTPResponse.Status) -> Response {
        var fields = HTTPFields()
        fields[requestID] = InvocationID.generated().description
        guard let document else {
            return Response(status: status, headers: fields, body: ResponseBody())
        }
        fields[.contentType] = "application/json"
        return Response(
            status: status,
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.bytes))
        )
    }

    /// An event that will be run.
    static func accepted(_ id: InvocationID) -> Response {
        var fields = HTTPFields()
        fields[requestID] = id.description
        return Response(status: .accepted, headers: fields, body: ResponseBody())
    }

    static func failure(_ error: LambdaError, id: InvocationID = .generated()) -> Response {
        var fields = HTTPFields()
        fields[.contentType] = "application/json"
        fields[requestID] = id.description
        fields[errorType] = error.code.rawValue
        if error.code == .tooManyRequests { fields[.retryAfter] = "1" }
        return Response(
            status: HTTPResponse.Status(code: error.status),
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: error.document.bytes))
        )
    }

    /// - Parameter document: a string is sent as plain text, anything else as JSON.
    static func raw(_ status: HTTPResponse.Status, _ document: JSONValue, error: String?) -> Response {
        var fields = HTTPFields()
        fields[requestID] = InvocationID.generated().description
        if let error { fields[errorType] = error }
        fields[.contentType] = document.text == nil ? "application/json" : "text/plain"
        let bytes = document.text.map { Array($0.utf8) } ?? document.bytes
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is a field's name") }
        return name
    }
}
