import Foundation
import Testing
import Trials

/// Narrower weights, from the manifest to the reply of a sandboxed worker.
@Suite(.serialized)
struct PrecisionTests {
    private struct Example: Decodable {
        var image: [Int]
        var label: Int
    }

    private func digits(_ name: String, _ settings: String, golden: String? = nil) throws -> TrialBundle {
        let model = try Data(contentsOf: Tree.functions.appendingPathComponent("digits/digits.onnx"))
        var files = ["digits.onnx": model]
        if let golden { files["golden.json"] = Data(golden.utf8) }
        let manifest = "name: \(name)\nmodel: {source: digits.onnx, task: classify}\n\(settings)"
        return try TrialBundle(manifest, files: files)
    }

    @Test func `digits in bfloat16 and in integers reads what it reads in floats, and says what that costs`()
        async throws
    {
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        let url = Tree.functions.appendingPathComponent("digits/heldout.json")
        let examples = try JSONDecoder().decode([Example].self, from: Data(contentsOf: url))
        for precision in ["bf16", "int8"] {
            let name = "digits-\(precision)"
            let bundle = try digits(name, "precision: \(precision)\n")
            defer { bundle.remove() }
            let deployed = try await node.thaw("deploy", bundle.path)
            #expect(deployed.status == 0)
            #expect(deployed.output.contains("computes in \(precision): cosine ≥ "))
            #expect(try await node.thaw("describe", name).output.contains("against f32 on sample inputs (32)"))
            for example in examples.prefix(20) {
                let answer = try await node.invoke(name, #"{"image": \#(example.image)}"#)
                #expect(answer.text.contains(#""label":\#(example.label),"#), "\(answer.text)")
            }
        }
        #expect(await node.stop() == 0)
    }

    @Test func `a deploy whose golden results are not the model's is refused, and nothing is deployed`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        let pixels = [Int](repeating: 3, count: 64)
        let golden = #"{"inputs": [\#(pixels)], "outputs": [[1, 0, 0, 0, 0, 0, 0, 0, 0, 1]]}"#
        let bundle = try digits("digits", "golden: {file: golden.json, tolerance: 0.01}\n", golden: golden)
        defer { bundle.remove() }
        let refused = try await node.thaw("deploy", bundle.path)
        #expect(refused.status != 0)
        #expect(refused.errors.contains("the model's results differ from the golden outputs by "))
        #expect(try await node.thaw("describe", "digits").status != 0)
        #expect(await node.stop() == 0)
    }
}
