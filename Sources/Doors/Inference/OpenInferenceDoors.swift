import HTTPTypes
import Hummingbird
import Invoking
import Manifests
import Registry

/// The Open Inference Protocol besides calls: health, metadata, configuration, statistics and the repository.
///
/// What this node does not do (shared memory, tracing, log settings) is answered with 501 and a sentence.
struct OpenInferenceDoors: Sendable {
    let services: DoorServices

    private static let version = "0.1"
    /// What of the protocol's extensions is here.
    private static let extensions = [
        "classification", "model_repository", "model_configuration", "binary_tensor_data", "parameters", "statistics",
    ]

    func open(_ router: Router<DoorContext>) {
        router.path("/v2", [.get: { _, _ in Response(Server(version: Self.version, extensions: Self.extensions)) }])
        router.path("/v2/health/live", [.get: { _, _ in Response(["live": true]) }])
        router.path("/v2/health/ready", [.get: { _, _ in try ready() }])
        for prefix in ["/v2/models/:model", "/v2/models/:model/versions/:version"] {
            router.path(RouterPath(prefix), [.get: { _, context in Response(try metadata(context)) }])
            router.path(RouterPath(prefix + "/ready"), [.get: { _, context in Response(try modelReady(context)) }])
            router.path(RouterPath(prefix + "/config"), [.get: { _, context in Response(try configuration(context)) }])
            router.path(RouterPath(prefix + "/stats"), [.get: { _, context in Response(try statistics(context)) }])
            router.path(RouterPath(prefix + "/infer"), [:], before: [.post])
            for missing in ["/generate", "/generate_stream"] { refuse(prefix + missing, on: router) }
            refuse(prefix + "/trace/setting", on: router)
        }
        router.path("/v2/models/stats", [.get: { _, _ in Response(try allStatistics()) }])
        router.path("/v2/repository/index", [.post: { _, _ in Response(index()) }])
        router.path("/v2/repository/models/:model/load", [.post: { _, context in try await load(context) }])
        router.path("/v2/repository/models/:model/unload", [.post: { _, context in try await unload(context) }])
        for missing in ["/v2/logging", "/v2/trace/setting"] { refuse(missing, on: router) }
        for kind in ["systemsharedmemory", "cudasharedmemory"] {
            for rest in ["status", "register", "unregister"] {
                refuse("/v2/\(kind)/\(rest)", on: router)
                refuse("/v2/\(kind)/region/:region/\(rest)", on: router)
            }
        }
    }

    private func refuse(_ path: String, on router: Router<DoorContext>) {
        let handler: Router<DoorContext>.Handler = { request, _ in
            throw Refusal(
                status: .notImplemented,
                code: "notImplemented",
                message:
                    "this node has no \(request.uri.path); its extensions are \(Self.extensions.joined(separator: ", "))"
            )
        }
        router.path(RouterPath(path), [.get: handler, .post: handler])
    }

    private func ready() throws -> Response {
        switch services.readiness() {
        case .ready: return Response(["ready": true])
        case .starting: throw Refusal.unavailable("this node is starting")
        case .draining: throw Refusal.draining
        }
    }

    // MARK: A model

    private func version(_ context: DoorContext) throws -> FunctionVersion {
        let name = try context.modelName()
        do {
            return try services.registry.resolve(name.function, qualifier: name.qualifier)
        } catch {
            throw Replies.refusal(for: error)
        }
    }

    /// Ready is what would be answered now, from whatever tier: a model on the disk thaws with its first call.
    private func modelReady(_ context: DoorContext) throws -> ModelReady {
        _ = try version(context)
        guard case .ready = services.readiness() else { throw Refusal.draining }
        return ModelReady(name: context.modelText(), ready: true)
    }

    private func metadata(_ context: DoorContext) throws -> ModelMetadata {
        let version = try version(context)
        do {
            return ModelMetadata(
                version,
                name: context.modelText(),
                all: try services.registry.versions(of: version.function)
            )
        } catch {
            throw Replies.refusal(for: error)
        }
    }

    private func configuration(_ context: DoorContext) throws -> ModelConfiguration {
        ModelConfiguration(try version(context), name: context.modelText())
    }

    // MARK: Statistics

    private func statistics(_ context: DoorContext) throws -> ModelStatistics.List {
        let version = try version(context)
        return ModelStatistics.List(modelStats: [
            ModelStatistics(version, name: context.modelText(), services.statistics(version.function, version.version))
        ])
    }

    private func allStatistics() throws -> ModelStatistics.List {
        ModelStatistics.List(
            modelStats: services.registry.list().map { record in
                let version = record.serving
                return ModelStatistics(version, name: record.name, services.statistics(record.name, version.version))
            }
        )
    }

    // MARK: The repository

    /// Every function can be called whatever its tier is, so all are ready; the reason tells the tier.
    private func index() -> [IndexEntry] {
        let pools = Dictionary(services.pools().functions.map { ($0.name, $0.tier) }) { first, _ in first }
        return services.registry.list().map { record in
            let tier = pools[record.name] ?? .disk
            return IndexEntry(name: record.name, version: String(record.serving.version), reason: tier.rawValue)
        }
    }

    /// Makes the model resident, and answers when it is.
    private func load(_ context: DoorContext) async throws -> Response {
        let version = try version(context)
        do throws(Failure) {
            try await services.load(version)
        } catch {
            throw Replies.refusal(for: error)
        }
        return Response(status: .ok)
    }

    /// Lets the model rest on the disk; a call thaws it again.
    private func unload(_ context: DoorContext) async throws -> Response {
        let version = try version(context)
        do throws(Failure) {
            try await services.unload(version)
        } catch {
            throw Replies.refusal(for: error)
        }
        return Response(status: .ok)
    }

    private struct Server: Encodable {
        var name = "thaw"
        var version: String
        var extensions: [String]
    }

    private struct ModelReady: Encodable {
        var name: String
        var ready: Bool
    }

    private struct IndexEntry: Encodable {
        var name: String
        var version: String
        var state = "READY"
        var reason: String
    }
}
