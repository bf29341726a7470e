import ControlPlane
import Events
import HTTPTypes
import Hummingbird
import Metering
import NIOCore

/// The queue API as stock clients speak it: JSON, with the operation's name in a header.
struct QueueDoor: Sendable {
    let queues: ClientQueues

    /// Ten messages of a mebibyte, each byte escaped.
    static let bodyBytesMax = 16 << 20

    private static let target = LambdaReply.name("X-Amz-Target")
    private static let queryError = LambdaReply.name("x-amzn-query-error")
    private static let prefix = "AmazonSQS."

    /// Nil where the request is none of this API's.
    static func operation(_ request: Request) -> String? {
        guard request.method == .post, let target = request.headers[target], target.hasPrefix(prefix) else {
            return nil
        }
        return String(target.dropFirst(prefix.count))
    }

    func respond(to operation: String, _ body: ByteBuffer, origin: String) async -> Response {
        do throws(ClientQueueError) {
            let request = JSONValue(parsing: body.readableBytesView) ?? .object([:])
            return reply(.ok, try await queues.perform(operation, request, origin: origin) ?? .object([:]))
        } catch {
            var response = reply(
                HTTPResponse.Status(code: error.status),
                ["__type": .text("com.amazonaws.sqs#" + error.code), "message": .text(error.message)]
            )
            response.headers[Self.queryError] = error.queryCode + (error.status < 500 ? ";Sender" : ";Receiver")
            return response
        }
    }

    private func reply(_ status: HTTPResponse.Status, _ document: JSONValue) -> Response {
        var fields = HTTPFields()
        fields[LambdaReply.requestID] = InvocationID.generated().description
        fields[.contentType] = "application/x-amz-json-1.0"
        return Response(
            status: status,
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.bytes))
        )
    }
}
