import HTTPTypes
import Hummingbird
import NIOCore
import Secrets

/// `/functions/{name}/secrets[/{secret}]`: names come out, values only go in.
struct SecretDoors: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        router.path(
            "/functions/:name/secrets",
            [.get: { _, context in try list(context.functionName()) }]
        )
        router.path(
            "/functions/:name/secrets/:secret",
            [
                .put: { request, context in try await set(request, context) },
                .delete: { _, context in try await remove(context) },
            ]
        )
    }

    private func list(_ function: String) throws -> Response {
        do {
            return Response(Secrets(function: function, secrets: try services.secrets.list(function)))
        } catch {
            throw Replies.refusal(for: error)
        }
    }

    /// The body is the value, as it is.
    private func set(_ request: Request, _ context: DoorContext) async throws -> Response {
        let function = try context.functionName()
        let body = try await AdmittedBody(of: request, context, bytesMax: SecretStore.valueBytesMax).collect()
        guard let value = String(validating: body.readableBytesView, as: UTF8.self) else {
            throw Refusal.badInput("a secret is UTF-8 text")
        }
        do {
            try await services.secrets.set(function, context.secret, to: value)
            services.refresh(function)
            return Response(Secrets(function: function, secrets: try services.secrets.list(function)))
        } catch {
            throw Replies.refusal(for: error)
        }
    }

    private func remove(_ context: DoorContext) async throws -> Response {
        let function = try context.functionName()
        let wasThere: Bool
        do {
            wasThere = try await services.secrets.remove(function, context.secret)
        } catch {
            throw Replies.refusal(for: error)
        }
        guard wasThere else { throw Refusal.notFound(path: "/functions/\(function)/secrets/\(context.secret)") }
        services.refresh(function)
        return try list(function)
    }

    private struct Secrets: Encodable {
        var function: String
        var secrets: [SecretEntry]
    }
}

extension DoorContext {
    /// The secret that the path names; the store says which names there can be.
    fileprivate var secret: String {
        parameters.get("secret") ?? ""
    }
}
