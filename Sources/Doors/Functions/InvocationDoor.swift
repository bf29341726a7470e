import HTTPTypes
import Hummingbird
import Invoking

/// `POST /functions/{name}/invocations[?qualifier=]`: body in, body out.
struct InvocationDoor: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        router.path(
            "/functions/:name/invocations",
            [.post: { request, context in try await invoke(context.functionName(), request, context) }]
        )
    }

    /// One call; refused before its body is read where the function or the size of the body is wrong.
    func invoke(_ function: String, _ request: Request, _ context: DoorContext) async throws -> Response {
        let qualifier = request.query("qualifier")
        let bytesMax: Int
        do {
            bytesMax = try services.payloadBytesMax(function, qualifier)
        } catch {
            throw Replies.refusal(for: error)
        }
        let body = try await AdmittedBody(of: request, context, bytesMax: bytesMax).collect()
        let call = Call(
            function: function,
            qualifier: qualifier,
            contentType: request.headers[.contentType] ?? "application/octet-stream",
            body: body
        )
        return Replies.response(to: await services.invoke(call))
    }
}
