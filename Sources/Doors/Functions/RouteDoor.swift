import HTTPTypes
import Hummingbird
import Registry

/// A path of a function's own choice, `route` in its manifest: asked last, after every path of ours.
///
/// Its calls were taken before they came here, by the ``InvocationLane``; this says what else the path does not take.
struct RouteDoor: RouterMiddleware {
    typealias Context = DoorContext

    let registry: Registry

    @concurrent
    func handle(
        _ request: Request,
        context: DoorContext,
        next: @concurrent (Request, DoorContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard request.method != .post, registry.route(path: path) != nil else { throw Refusal.notFound(path: path) }
        throw Refusal.methodNotAllowed(request.method.rawValue, path: path, allowed: HTTPRequest.Method.post.rawValue)
    }
}
