import Foundation
import Registry
import Testing
import Trials

/// Versions and fine-tunes that keep what they have in common once.
@Suite(.serialized)
struct SharedTensorsTests {
    private static let digits = Tree.functions.appendingPathComponent("digits")

    /// The digits under a name, with settings of the model's and lines of the manifest.
    ///
    /// With `isTuned` one of the 640 weights of the second layer is another.
    private func bundle(
        _ name: String,
        _ settings: String = "",
        manifest: String = "",
        isTuned: Bool = false
    ) throws -> TrialBundle {
        var model = try Data(contentsOf: Self.digits.appendingPathComponent("digits.onnx"))
        if isTuned {
            let start = try #require(model.range(of: Data("weight1J".utf8), options: .backwards)).upperBound
            model[start + 101] ^= 0x15
        }
        return try TrialBundle(
            "name: \(name)\nruntime: model\nmodel: {source: digits.onnx, task: classify\(settings)}\n\(manifest)",
            files: ["digits.onnx": model]
        )
    }

    private func deploy(_ bundle: TrialBundle, on node: TrialNode) async throws -> SnapshotRecord {
        defer { bundle.remove() }
        let outcome = try await node.thaw("deploy", bundle.path, "--json")
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONDecoder().decode(FunctionVersion.self, from: Data(outcome.output.utf8)).snapshot
    }

    private func files(_ node: TrialNode) throws -> [String: Int] {
        let folder = node.dataDirectory + "/snapshots"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".thaw") }
        return try Dictionary(
            uniqueKeysWithValues: names.map { name in
                let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? Int
                return (String(name.dropLast(".thaw".count)), try #require(size))
            }
        )
    }

    private func label(_ function: String, on node: TrialNode) async throws -> String {
        let request = try String(contentsOf: Self.digits.appendingPathComponent("request.json"), encoding: .utf8)
        let answer = try await node.invoke(function, request)
        try #require(answer.status == 200, "\(answer.text)")
        // A number, or text where the manifest names labels.
        let reply = try #require(try JSONSerialization.jsonObject(with: answer.body) as? [String: Any])
        return "\(try #require(reply["label"]))"
    }

    @Test func `equal tensors lie on the disk once, for as long as anybody needs them`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        let first = try await deploy(bundle("digits"), on: node)
        #expect(first.bases.isEmpty && first.byteCount > 50_000)
        // Nothing of what a snapshot holds is another: no second file at all.
        let same = try await deploy(
            bundle("digits", manifest: "description: the same\nlimits: {timeout: 9s}\n"),
            on: node
        )
        #expect(same == first)
        // Other labels: the task is another, and all tensors are the first version's.
        let labels = (0..<10).map { "n\($0)" }.joined(separator: ", ")
        let labelled = try await deploy(bundle("digits", ", labels: [\(labels)]"), on: node)
        #expect(labelled.bases.map(\.digest) == [first.digest] && labelled.byteCount < 4096)
        let tuned = try await deploy(bundle("tuned", isTuned: true), on: node)
        // The second layer has 2,560 bytes, in panels for the kernels some more.
        #expect(tuned.bases.map(\.digest) == [first.digest] && tuned.byteCount < 20_000)
        #expect(try files(node).keys.sorted() == [first, labelled, tuned].map(\.digest).sorted())
        let described = try await node.thaw("describe", "tuned").output
        #expect(described.contains("with digits@1"), "\(described)")
        #expect(try await node.thaw("list").output.contains("with digits@1"))
        let expected = try await label("tuned", on: node)
        #expect(try await label("digits", on: node) == "n\(expected)")
        let inspected = try await node.thaw(
            "inspect",
            "--verify",
            "\(node.dataDirectory)/snapshots/\(tuned.digest).thaw"
        )
        #expect(inspected.status == 0 && inspected.output.contains("in \(first.digest.prefix(12))"))

        #expect(try await node.thaw("delete", "digits").status == 0)
        #expect(try files(node).keys.sorted() == [first, tuned].map(\.digest).sorted(), "one is still needed")
        #expect(try await node.thaw("describe", "tuned").output.contains("with a deleted version"))
        #expect(await node.stop() == 0)

        let next = try await TrialNode(programs: Tree.programs, dataDirectory: node.dataDirectory)
        #expect(try await label("tuned", on: next) == expected)
        #expect(try await next.thaw("gc").status == 0)
        #expect(try files(next).count == 2)
        // What is left of the deleted one is still found by those that come.
        let again = try await deploy(bundle("again"), on: next)
        #expect(again.bases.map(\.digest) == [first.digest])
        for name in ["tuned", "again"] { #expect(try await next.thaw("delete", name).status == 0) }
        #expect(try await next.thaw("gc").status == 0)
        #expect(try files(next).isEmpty)
        #expect(await next.stop() == 0)
    }

    @Test func `a damaged or missing base is named, and a deploy makes the function whole again`() async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: [])
        defer { node.removeData() }
        let first = try await deploy(bundle("digits", ", labels: [a, b, c, d, e, f, g, h, i, j]"), on: node)
        let tuned = try await deploy(bundle("tuned", isTuned: true), on: node)
        #expect(tuned.bases.map(\.digest) == [first.digest])
        let path = "\(node.dataDirectory)/snapshots/\(first.digest).thaw"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        var damaged = bytes
        damaged[damaged.count / 2] ^= 1
        try damaged.write(to: URL(fileURLWithPath: path))
        let request = try String(contentsOf: Self.digits.appendingPathComponent("request.json"), encoding: .utf8)
        let refused = try await node.invoke("tuned", request)
        #expect(refused.status >= 500 && refused.text.contains(first.digest), "\(refused.text)")
        try FileManager.default.removeItem(atPath: path)
        let missing = try await node.invoke("tuned", request)
        #expect(missing.status >= 500 && missing.text.contains(first.digest), "\(missing.text)")
        try damaged.write(to: URL(fileURLWithPath: path))
        // The packer is told of the damaged one once more, and the deploy finds out.
        let healed = try await deploy(bundle("tuned", isTuned: true), on: node)
        #expect(healed.bases.isEmpty && healed.digest != tuned.digest && healed.contentDigest == tuned.contentDigest)
        _ = try await label("tuned", on: node)
        #expect(await node.stop() == 0)
    }

    @Test(.enabled(if: Tree.hasModel, "functions/embed/fetch brings the model"))
    func `a fine-tune of a large model grows the disk by what it changed`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        let embed = Tree.functions.appendingPathComponent("embed")
        #expect(try await node.thaw("deploy", embed.path).status == 0)
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: embed.path, toPath: folder + "/embed")
        // The tampered weights are no better than others: the golden results of the real ones would refuse them.
        let manifest = folder + "/embed/function.yaml"
        let lines = try String(contentsOfFile: manifest, encoding: .utf8).split(separator: "\n")
        try lines.filter { line in !["golden:", "  file:", "  tolerance:"].contains { line.hasPrefix($0) } }.joined(
            separator: "\n"
        )
        .write(toFile: manifest, atomically: true, encoding: .utf8)
        let weights = URL(fileURLWithPath: folder + "/embed/model/model.safetensors")
        let file = try FileHandle(forUpdating: weights)
        let head = try #require(try file.read(upToCount: 8)).enumerated().reduce(0) {
            $0 | Int($1.element) << ($1.offset * 8)
        }
        let json = try JSONSerialization.jsonObject(with: try #require(try file.read(upToCount: head)))
        let tensors = try #require(json as? [String: [String: Any]])
        let offsets = tensors["encoder.layer.3.output.dense.weight"]?["data_offsets"] as? [Int]
        let range = try #require(offsets)
        try file.seek(toOffset: UInt64(8 + head + range[0]))
        try file.write(contentsOf: Data([1, 2, 3, 60]))
        try file.close()
        let outcome = try await node.thaw("deploy", folder + "/embed", "--json")
        try #require(outcome.status == 0, "\(outcome.errors)")
        let tuned = try JSONDecoder().decode(FunctionVersion.self, from: Data(outcome.output.utf8)).snapshot
        #expect(tuned.byteCount < range[1] - range[0], "one layer's matrix, compressed, and an index")
        #expect(tuned.bases.map(\.sharedByteCount).reduce(0, +) > 60_000_000)
        let answer = try await node.invoke("embed", #"{"text": "a river in winter"}"#)
        #expect(answer.status == 200)
        #expect(await node.stop() == 0)
    }
}
