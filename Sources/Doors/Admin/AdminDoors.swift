import HTTPTypes
import Hummingbird
import Invoking

/// The state of the node: `GET /healthz`, `GET /readyz`, `GET /pools`, `POST /gc`.
struct AdminDoors: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        // Alive: this process answers. A drain is not an illness.
        router.path("/healthz", [.get: { _, _ in Response(Status(status: "ok")) }])
        router.path("/readyz", [.get: { _, _ in try readiness() }])
        router.path("/pools", [.get: { _, _ in Response(services.pools()) }])
        router.path("/gc", [.post: { _, _ in try await collectGarbage() }])
    }

    private func readiness() throws -> Response {
        switch services.readiness() {
        case .ready: return Response(Status(status: "ready"))
        case .starting: throw Refusal.unavailable("this node is starting")
        case .draining: throw Refusal.draining
        }
    }

    private func collectGarbage() async throws -> Response {
        do {
            return Response(try await services.collectGarbage())
        } catch {
            throw Refusal.storage("\(error)")
        }
    }

    private struct Status: Encodable {
        var status: String
    }
}
