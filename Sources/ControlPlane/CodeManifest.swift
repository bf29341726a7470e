import Digests
import Manifests

/// The `function.yaml` of code that came through the API, which never wrote one.
enum CodeManifest {
    /// JSON, which YAML contains.
    static func bytes(name: String, _ settings: FunctionSettings) -> [UInt8] {
        var members: [String: JSONValue] = [
            "name": .text(name),
            "code": .text(CodePackage.archiveName),
            "limits": [
                "timeout": .text("\(settings.timeoutSeconds)s"),
                "memory": .text("\(settings.memoryMebibytes)MiB"),
                "tmp": .text("\(settings.temporaryMebibytes)MiB"),
            ],
            // One call an environment, as authors for Lambda expect, and waiting calls wait for no core.
            "scaling": ["max": .integer(workersMax)],
        ]
        if let network = settings.network { members["network"] = .text(network.rawValue) }
        let layers = settings.layerCode ?? []
        if !layers.isEmpty {
            members["layers"] = .array(layers.indices.map { .text(CodePackage.layerName($0)) })
        }
        if !settings.description.isEmpty { members["description"] = .text(settings.description) }
        let environment = environment(settings)
        if !environment.isEmpty { members["environment"] = .texts(environment) }
        switch CodeRuntime.named(settings.runtime) {
        case .python:
            members["runtime"] = "python3"
            // Lambda's own way: folders may be written with slashes.
            members["handler"] = settings.handler.map { .text($0.replacing("/", with: ".")) }
        case .provided, .bundle, nil:
            members["runtime"] = "provided"
        }
        return JSONValue.object(members).bytes
    }

    /// What the program finds: a runtime that is an executable of the author's learns its handler there, as from Lambda.
    static func environment(_ settings: FunctionSettings) -> [String: String] {
        var environment = settings.environment ?? [:]
        if CodeRuntime.named(settings.runtime) == .provided, let handler = settings.handler {
            environment[handlerVariable] = handler
        }
        return environment
    }

    static let handlerVariable = "_HANDLER"

    /// Environments of one function that live at once; the node's own limit is below it on small machines.
    private static let workersMax = 64

    /// The registry's name of a function: its own where that is a DNS label, otherwise one made of it that no other has.
    static func registryName(_ name: String) throws(LambdaError) -> String {
        if Manifest.isName(name) { return name }
        let digest: [UInt8]
        do throws(DigestError) {
            digest = try SHA256.digest(of: Array(name.utf8))
        } catch {
            throw .storage(error)
        }
        let readable = name.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }.prefix(50)
        let trimmed = readable.drop { $0 == UInt8(ascii: "-") }
        return String(decoding: trimmed, as: UTF8.self) + (trimmed.isEmpty ? "" : "-")
            + Hexadecimal.text(Array(digest.prefix(4)))
    }
}
