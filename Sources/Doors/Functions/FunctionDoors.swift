import HTTPTypes
import Hummingbird
import Invoking
import Manifests
import Registry

/// Functions as things: `GET /functions`, `PUT`, `GET`, `DELETE /functions/{name}`, and `GET /functions/{name}/deploy`.
struct FunctionDoors: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        router.path("/functions", [.get: { _, _ in Response(Functions(functions: services.registry.list())) }])
        router.path(
            "/functions/:name",
            [
                .get: { _, context in try describe(context.functionName()) },
                .put: { request, context in try await deploy(request, context) },
                .delete: { _, context in try await delete(context.functionName()) },
            ]
        )
        router.path("/functions/:name/deploy", [.get: { _, context in try progress(context.functionName()) }])
    }

    /// How far a deploy is that another request waits for.
    private func progress(_ name: String) throws(Refusal) -> Response {
        guard let progress = services.deployProgress(name) else {
            throw Refusal(status: .notFound, code: "noDeploy", message: "no deploy of \"\(name)\" is under way")
        }
        return Response(progress)
    }

    private func describe(_ name: String) throws -> Response {
        do {
            return Response(try services.registry.describe(name))
        } catch {
            throw Replies.refusal(for: error)
        }
    }

    /// A bundle, as a tar archive, becomes the next version; it passes through and is never held in memory.
    private func deploy(_ request: Request, _ context: DoorContext) async throws -> Response {
        let name = context.parameters.get("name") ?? ""
        guard Manifest.isName(name) else {
            throw Refusal.badInput(
                "\"\(name)\" cannot be a function: a name is up to 63 lower-case letters, digits and inner hyphens"
            )
        }
        try checkMediaType(request)
        guard request.hasBody else {
            throw Refusal.badInput("the body is empty: send the bundle as a tar archive, or use `thaw deploy`")
        }
        let bundle = try AdmittedBody(of: request, context, bytesMax: Deployer.uploadBytesMax)
        do {
            let version = try await services.deploy(name, bundle)
            return Response(version, status: .created, headers: [.location: "/functions/\(name)"])
        } catch {
            // A body that we gave up looks to the deployer like a client that went away.
            throw context.progress.refusal ?? Replies.refusal(for: error)
        }
    }

    private func checkMediaType(_ request: Request) throws(Refusal) {
        guard let contentType = request.headers[.contentType] else { return }
        let mediaType = contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard ["application/x-tar", "application/octet-stream"].contains(mediaType) else {
            throw Refusal(
                status: .unsupportedMediaType,
                code: "unsupportedMediaType",
                message: "a bundle is a tar archive (Content-Type: application/x-tar), not \(mediaType)"
            )
        }
    }

    private func delete(_ name: String) async throws -> Response {
        do {
            try await services.delete(name)
        } catch let error as RegistryError {
            throw Replies.refusal(for: error)
        } catch {
            throw Refusal.storage("\(error)")
        }
        return Response(status: .noContent)
    }

    private struct Functions: Encodable {
        var functions: [FunctionRecord]
    }
}

extension DoorContext {
    /// The function that the path names; 404 for a name that no function can have.
    func functionName() throws(Refusal) -> String {
        let name = parameters.get("name") ?? ""
        guard Manifest.isName(name) else { throw .unknownFunction(name) }
        return name
    }
}
