import FoundationEssentials
import HTTPTypes
import Hummingbird
import Registry

/// Which version serves: `/functions/{name}/versions`, `…/aliases/{label}` and `…/rollback`.
struct VersionDoors: Sendable {
    let services: DoorServices

    private var registry: Registry { services.registry }

    func open(_ router: Router<DoorContext>) {
        router.path(
            "/functions/:name/versions",
            [.get: { _, context in try versions(context.functionName()) }]
        )
        router.path(
            "/functions/:name/aliases/:label",
            [
                .get: { _, context in try alias(context.functionName(), context.label()) },
                .put: { request, context in try await setAlias(request, context) },
            ]
        )
        router.path(
            "/functions/:name/rollback",
            [.post: { _, context in try await rollback(context.functionName()) }]
        )
    }

    private func versions(_ name: String) throws -> Response {
        do {
            let record = try registry.describe(name)
            let list = Versions(
                function: name,
                serving: record.serving.version,
                aliases: record.aliases,
                versions: try registry.versions(of: name)
            )
            return Response(list)
        } catch {
            throw Replies.refusal(for: error)
        }
    }

    private func alias(_ name: String, _ label: String) throws -> Response {
        let aliases: [String: Int]
        do {
            aliases = try registry.describe(name).aliases
        } catch {
            throw Replies.refusal(for: error)
        }
        guard let version = aliases[label] else { throw Refusal.unknownQualifier(function: name, qualifier: label) }
        return Response(Alias(function: name, label: label, version: version))
    }

    private func setAlias(_ request: Request, _ context: DoorContext) async throws -> Response {
        let name = try context.functionName()
        let label = try context.label()
        let body = try await AdmittedBody(of: request, context, bytesMax: DoorLimits.documentBytesMax).collect()
        guard let target = try? JSONDecoder().decode(AliasTarget.self, from: Data(body.readableBytesView)) else {
            throw Refusal.badInput(#"the body is the version that the alias means: {"version": 3}"#)
        }
        do {
            try await registry.setAlias(name, label: label, version: target.version)
        } catch {
            throw Replies.refusal(for: error)
        }
        return Response(Alias(function: name, label: label, version: target.version))
    }

    private func rollback(_ name: String) async throws -> Response {
        do {
            return Response(try await services.rollback(name))
        } catch {
            throw Replies.refusal(for: error)
        }
    }

    private struct Versions: Encodable {
        var function: String
        var serving: Int
        var aliases: [String: Int]
        var versions: [FunctionVersion]
    }

    private struct Alias: Encodable {
        var function: String
        var label: String
        var version: Int
    }

    private struct AliasTarget: Decodable {
        var version: Int
    }
}

extension DoorContext {
    /// The alias that the path names.
    fileprivate func label() throws(Refusal) -> String {
        let label = parameters.get("label") ?? ""
        guard Qualifier.isLabel(label) else {
            throw .badInput(
                "\"\(label.prefix(80))\" cannot be an alias: a label is a letter followed by letters, digits, - or _"
            )
        }
        return label
    }
}
