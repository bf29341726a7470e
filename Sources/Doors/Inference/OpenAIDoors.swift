import FoundationEssentials
import HTTPTypes
import Hummingbird
import Manifests
import Metering
import Registry

/// What OpenAI's client asks besides calls: `GET /v1/models` and `GET /v1/models/{model}`.
struct OpenAIDoors: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        router.path("/v1/embeddings", [:], before: [.post])
        router.path("/v1/rerank", [:], before: [.post])
        router.path("/v2/rerank", [:], before: [.post])
        router.path("/v1/models", [.get: { _, _ in Self.response(models()) }])
        router.path("/v1/models/:model", [.get: { _, context in Self.response(try model(context)) }])
    }

    /// Functions with a model; what has none answers no protocol of models.
    private func models() -> ModelList {
        ModelList(
            data: services.registry.list().filter { $0.serving.snapshot.task != .echo }.map { Model($0, id: $0.name) }
        )
    }

    private func model(_ context: DoorContext) throws -> Model {
        let name = try context.modelName()
        do {
            _ = try services.registry.resolve(name.function, qualifier: name.qualifier)
            let record = try services.registry.describe(name.function)
            return Model(record, id: context.modelText())
        } catch {
            throw Replies.refusal(for: error)
        }
    }

    private static func response(_ document: some Encodable) -> Response {
        var response = Response(document)
        // The client shows it with every answer.
        if let name = HTTPField.Name("x-request-id") {
            response.headers[name] = InvocationID.generated().description
        }
        return response
    }

    private struct ModelList: Encodable {
        var object = "list"
        var data: [Model]
    }

    private struct Model: Encodable {
        var id: String
        var object = "model"
        /// Seconds since 1970.
        var created: Int
        var ownedBy = "thaw"

        private enum CodingKeys: String, CodingKey {
            case id, object, created
            case ownedBy = "owned_by"
        }

        init(_ record: FunctionRecord, id: String) {
            self.id = id
            let date = try? Date(record.createdAt, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            created = Int(date?.timeIntervalSince1970 ?? 0)
        }
    }
}

extension DoorContext {
    /// The model's name as the client has it.
    func modelText() -> String {
        let segment = parameters.get("model") ?? ""
        return ModelName.unescaped(Substring(segment).utf8) ?? segment
    }

    func modelName() throws(Refusal) -> ModelName {
        var name = ModelName(modelText())
        if let version = parameters.get("version") { name.qualifier = version }
        return name
    }
}
