import Graphs
import Testing

@testable import Models

extension ModelBundle {
    func importGraph(_ source: String) throws(ModelError) -> ImportedGraph {
        try ImportedGraph.onnx(source, of: files, in: bytes.span.bytes)
    }

    /// What the graph answers to floats of a shape.
    func run(_ source: String, _ input: [Float], shape: [Int]) throws -> [Float] {
        let runner = try importGraph(source).runner(in: bytes.span.bytes)
        guard case .tensor(let tensor)? = try runner.run([.tensor(Tensor(input, shape: shape))]).first else {
            return []
        }
        return tensor.array(of: Float.self)
    }
}

@Suite struct `An ONNX file becomes a graph` {
    @Test(.enabled(if: OperatorTable.find("Gemm", domain: "", version: 17) != nil))
    func `that gives the numbers of the ONNX reference`() throws {
        var bundle = ModelBundle()
        bundle.add("mlp.onnx", try ModelBundle.fixture("mlp.onnx"))
        let input: [Float] = [
            0.07614023, 1.3588234, -1.5471447, 0.8593827, 0.119354025, -0.6414704, 2.0004165, 0.7622597,
        ]
        let shape = try bundle.importGraph("mlp.onnx").graph.inputs[0].shape?.dropFirst().map { dimension in
            if case .fixed(let size) = dimension { size } else { 0 }
        }
        let expected: [Float] = [0.81741178, 0.12165814, 0.06093008, 0.91871285, 0.07583448, 0.00545261]
        #expect(difference(try bundle.run("mlp.onnx", input, shape: [2] + (shape ?? [])), expected) < 1e-6)
    }

    @Test func `with numbers that lie in a file beside it`() throws {
        var graph = OnnxGraphWriter()
        graph.input("x", [1])
        graph.externalTensor("w", location: "weights/w.bin", offset: 4)
        graph.node("Add", ["x", "w"], "y")
        graph.output("y")
        var bundle = ModelBundle()
        bundle.add("model/net.onnx", graph.model())
        bundle.add("model/weights/w.bin", [9, 9, 9, 9, 0, 0, 0x80, 0x3F])
        #expect(try bundle.run("model/net.onnx", [2], shape: [1]) == [3])
    }

    @Test(arguments: ["../w.bin", "/etc/passwd", "a/../../w.bin", "missing.bin", "", "short.bin"])
    func `but never with numbers from elsewhere`(_ location: String) {
        var graph = OnnxGraphWriter()
        graph.externalTensor("w", location: location)
        graph.node("Identity", ["w"], "y")
        graph.output("y")
        var bundle = ModelBundle()
        bundle.add("model/net.onnx", graph.model())
        bundle.add("w.bin", [0, 0, 0x80, 0x3F])
        bundle.add("model/short.bin", [0, 0, 0x80])
        #expect(throws: ModelError.self) { try bundle.importGraph("model/net.onnx") }
    }

    @Test func `or is refused by the name of an unknown operator's node`() {
        var graph = OnnxGraphWriter()
        graph.input("x", [1])
        graph.node("Abracadabra", ["x"], "y", name: "/magic")
        graph.output("y")
        var bundle = ModelBundle()
        bundle.add("net.onnx", graph.model())
        #expect {
            _ = try bundle.importGraph("net.onnx")
        } throws: {
            "\($0)".hasPrefix("net.onnx: Abracadabra \"/magic\" is not supported; supported are Abs, ")
        }
    }

    @Test func `or is refused when a node reads what comes after it`() {
        var graph = OnnxGraphWriter()
        graph.input("x", [1])
        graph.node("Relu", ["m"], "y")
        graph.node("Relu", ["x"], "m")
        graph.output("y")
        var bundle = ModelBundle()
        bundle.add("net.onnx", graph.model())
        #expect(throws: ModelError.self) { try bundle.importGraph("net.onnx") }
    }

    @Test func `or is refused with a sentence, whatever its bytes are`() throws {
        var generator = SeededGenerator(state: 2027)
        var refusals = 0
        for name in ["mlp.onnx", "operators.onnx"] {
            let bytes = try ModelBundle.fixture(name)
            for _ in 0..<1500 {
                var bundle = ModelBundle()
                bundle.add("net.onnx", generator.mutant(of: bytes))
                do throws(ModelError) {
                    let graph = try bundle.importGraph("net.onnx")
                    for source in graph.sources { _ = source.tensor(in: bundle.bytes.span.bytes) }
                } catch {
                    refusals += 1
                }
            }
        }
        #expect(refusals > 100)
    }
}
