import HTTPTypes
import Hummingbird
import Metering
import NIOCore

/// How S3 writes its replies: XML.
enum UploadReply {
    static let requestID = LambdaReply.name("x-amz-request-id")

    static func empty(_ status: HTTPResponse.Status = .ok, tag: String? = nil) -> Response {
        var fields = HTTPFields()
        fields[requestID] = InvocationID.generated().description
        if let tag { fields[.eTag] = "\"\(tag)\"" }
        return Response(status: status, headers: fields, body: ResponseBody())
    }

    /// - Parameter members: names and texts of the elements, in their order.
    static func document(_ name: String, _ members: [(String, String)], _ status: HTTPResponse.Status = .ok) -> Response
    {
        let inner = members.map { "<\($0.0)>\(escaped($0.1))</\($0.0)>" }.joined()
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(name)>\(inner)</\(name)>"
        var fields = HTTPFields()
        fields[requestID] = InvocationID.generated().description
        fields[.contentType] = "application/xml"
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    static func failure(_ error: UploadError) -> Response {
        document("Error", [("Code", error.code), ("Message", error.message)], HTTPResponse.Status(code: error.status))
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
