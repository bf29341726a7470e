import HTTPTypes
import Hummingbird
import Registry

/// A path of a function's own choice, `route` in its manifest: asked last, after every path of ours.
struct RouteDoor: RouterMiddleware {
    typealias Context = DoorContext

    let registry: Registry
    let invocations: InvocationDoor

    @concurrent
    func handle(
        _ request: Request,
        context: DoorContext,
        next: @concurrent (Request, DoorContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard let function = registry.route(path: path) else { throw Refusal.notFound(path: path) }
        guard request.method == .post else {
            throw Refusal.methodNotAllowed(
                request.method.rawValue,
                path: path,
                allowed: HTTPRequest.Method.post.rawValue
            )
        }
        return try await invocations.invoke(function, request, context)
    }
}
