import Foundation
import Testing
import Yams

@testable import Manifests

/// `functions/` of the repository.
private let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("functions")

private func schema() throws -> [String: Any] {
    let data = try Data(contentsOf: folder.appendingPathComponent("function.schema.json"))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
}

private func properties(_ schema: [String: Any], _ section: String? = nil) throws -> [String: [String: Any]] {
    let all = try #require(schema["properties"] as? [String: [String: Any]])
    guard let section else { return all }
    return try properties(try #require(all[section]))
}

@Suite struct `The published schema, the example and the parser` {
    @Test func `know the same keys`() throws {
        let schema = try schema()
        let examples = try ["function.example.yaml", "function.example-code.yaml"].map { name in
            let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            return try #require(try Yams.load(yaml: text) as? [String: Any])
        }
        let sections: [(String?, [String])] = [
            (nil, ManifestReader.rootKeys), ("model", ManifestReader.modelKeys), ("limits", ManifestReader.limitsKeys),
            ("batching", ManifestReader.batchingKeys), ("scaling", ManifestReader.scalingKeys),
            ("golden", ManifestReader.goldenKeys), ("events", ManifestReader.eventsKeys),
        ]
        for (section, keys) in sections {
            #expect(Set(try properties(schema, section).keys) == Set(keys))
            let shown = examples.flatMap { example in
                (section.map { example[$0] as? [String: Any] ?? [:] } ?? example).keys
            }
            #expect(Set(shown) == Set(keys), "the examples should show every key")
        }
    }

    @Test func `know the same keys of a source`() throws {
        let schema = try schema()
        let items = try #require(try properties(schema)["sources"]?["items"] as? [String: Any])
        #expect(Set(try properties(items).keys) == Set(ManifestReader.sourceKeys))
        let text = try String(contentsOf: folder.appendingPathComponent("function.example-code.yaml"), encoding: .utf8)
        let example = try #require(try Yams.load(yaml: text) as? [String: Any])
        let sources = try #require(example["sources"] as? [[String: Any]])
        #expect(Set(sources.flatMap(\.keys)) == Set(ManifestReader.sourceKeys), "the example should show every key")
    }

    @Test func `know the same choices`() throws {
        let schema = try schema()
        #expect(try properties(schema)["runtime"]?["enum"] as? [String] == FunctionRuntime.allCases.map(\.rawValue))
        #expect(try properties(schema)["network"]?["enum"] as? [String] == NetworkAccess.allCases.map(\.rawValue))
        #expect(try properties(schema)["precision"]?["enum"] as? [String] == Precision.allCases.map(\.rawValue))
        #expect(try properties(schema, "model")["task"]?["enum"] as? [String] == TaskKind.ofModels.map(\.rawValue))
    }

    @Test func `know the same defaults`() throws {
        let schema = try schema()
        let limits = FunctionLimits()
        let timeout = try #require(try properties(schema, "limits")["timeout"]?["default"] as? String)
        let payload = try #require(try properties(schema, "limits")["payload"]?["default"] as? String)
        let idle = try #require(try properties(schema, "scaling")["idle"]?["default"] as? String)
        #expect(Quantity.milliseconds(timeout) == limits.timeoutMilliseconds)
        #expect(Quantity.bytes(payload) == UInt64(limits.payloadBytes))
        let tmp = try #require(try properties(schema, "limits")["tmp"]?["default"] as? String)
        let initialization = try #require(try properties(schema, "limits")["init"]?["default"] as? String)
        #expect(Quantity.bytes(tmp) == limits.tmpBytes)
        #expect(Quantity.milliseconds(initialization) == limits.initMilliseconds)
        #expect(Quantity.milliseconds(idle) == Scaling().idleMilliseconds)
        let batching = try properties(schema, "batching")
        #expect(batching["max"]?["default"] as? Int == Batching().max)
        let delay = try #require(batching["delay"]?["default"] as? String)
        #expect(Quantity.milliseconds(delay) == Batching().delayMilliseconds)
    }

    @Test func `agree that the example is right`() throws {
        let text = try String(contentsOf: folder.appendingPathComponent("function.example.yaml"), encoding: .utf8)
        let manifest = try Manifest.parse(yaml: text, file: "function.example.yaml")
        #expect(manifest.name == "digits")
        #expect(manifest.model?.labels?.count == 10)
        #expect(manifest.limits == FunctionLimits(memoryBytes: 512 << 20))
        #expect(manifest.scaling == Scaling(max: 4))
        #expect(manifest.batching == Batching())
        let codeText = try String(
            contentsOf: folder.appendingPathComponent("function.example-code.yaml"),
            encoding: .utf8
        )
        let code = try Manifest.parse(yaml: codeText, file: "function.example-code.yaml")
        #expect(code.runtime == .python3)
        #expect(code.handler == "app.handler")
        #expect(code.limits == FunctionLimits(memoryBytes: 256 << 20))
    }
}
