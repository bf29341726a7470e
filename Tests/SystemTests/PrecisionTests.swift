import Foundation
import Testing
import Trials

/// Narrower weights, from the manifest to the reply of a sandboxed worker.
@Suite(.serialized)
struct PrecisionTests {
    /// The embed example in another precision, its golden file beside it.
    private func bundle(_ name: String, precision: String, tolerance: Double) throws -> TrialBundle {
        let embed = Tree.functions.appendingPathComponent("embed")
        let golden = try Data(contentsOf: embed.appendingPathComponent("golden/check.json"))
        let bundle = try TrialBundle(
            """
            name: \(name)
            model: {source: model, task: embed}
            precision: \(precision)
            golden: {file: check.json, tolerance: \(tolerance)}
            limits: {timeout: 5m}
            """,
            files: ["check.json": golden]
        )
        try FileManager.default.copyItem(
            atPath: embed.appendingPathComponent("model").path,
            toPath: bundle.path + "/model"
        )
        return bundle
    }

    @Test(.enabled(if: Tree.hasModel, "functions/embed/fetch brings the model"))
    func `an encoder of narrower weights answers nearly as in f32, says what that costs, and is refused beyond`()
        async throws
    {
        struct Reply: Decodable { var embeddings: [[Double]] }
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        var embeddings: [[Double]] = []
        for (precision, tolerance) in [("f32", 1e-4), ("bf16", 0.02), ("int8", 0.2)] {
            let bundle = try bundle("embed-\(precision)", precision: precision, tolerance: tolerance)
            defer { bundle.remove() }
            let deployed = try await node.thaw("deploy", bundle.path)
            #expect(deployed.status == 0, "\(deployed.errors)")
            #expect(deployed.output.contains("computes in \(precision): cosine ≥ "))
            let described = try await node.thaw("describe", "embed-\(precision)")
            #expect(described.output.contains("against golden (16)"))
            let answer = try await node.invoke("embed-\(precision)", #"{"text": "hello world"}"#)
            #expect(answer.status == 200, "\(answer.text)")
            embeddings += try JSONDecoder().decode(Reply.self, from: answer.body).embeddings
        }
        for (embedding, least) in zip(embeddings, [0.999999, 0.9998, 0.98]) {
            #expect(zip(embedding, embeddings[0]).reduce(0) { $0 + $1.0 * $1.1 } > least)
        }
        let strict = try bundle("strict", precision: "int8", tolerance: 0.001)
        defer { strict.remove() }
        let refused = try await node.thaw("deploy", strict.path)
        #expect(refused.status != 0)
        #expect(refused.errors.contains("the model's results differ from the golden outputs by "))
        #expect(try await node.thaw("describe", "strict").status != 0)
        #expect(await node.stop() == 0)
    }
}
