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
    @Test func `that gives the numbers of the ONNX reference`() throws {
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

    @Test(arguments: ["Add", "MatMul", "Gemm", "Conv", "BatchNormalization", "Softmax", "Transpose", "ReduceMean"])
    func `or is refused when a node has fewer inputs than it needs`(_ type: String) {
        for inputs in [[], ["x"]]
        where type != "Softmax" && type != "Transpose" && type != "ReduceMean" || inputs.isEmpty {
            var graph = OnnxGraphWriter()
            graph.input("x", [1])
            graph.node(type, inputs, "y", name: "/bare")
            graph.output("y")
            var bundle = ModelBundle()
            bundle.add("net.onnx", graph.model())
            #expect {
                _ = try ModelImporter.importModel(source: "net.onnx", of: bundle.files, in: bundle.bytes.span.bytes)
            } throws: {
                "\($0)".hasPrefix("net.onnx: \(type) \"/bare\" has \(inputs.count) inputs and 1 outputs; it needs ")
            }
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

/// The largest difference of two rows.
func difference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

@Suite struct `An ONNX file that Thaw cannot run is refused with a sentence` {
    private func bundle(_ bytes: [UInt8]) -> ModelBundle {
        var bundle = ModelBundle()
        bundle.add("model.onnx", bytes)
        return bundle
    }

    private func message(_ change: (inout OnnxGraphWriter) -> Void) -> String {
        var graph = OnnxGraphWriter()
        change(&graph)
        return bundle(graph.model()).refusal("model.onnx")?.description ?? "not refused"
    }

    @Test func `when a node reads what no node wrote`() {
        let message = message {
            $0.input("x", [nil, 2])
            $0.node("Relu", ["z"], "y")
            $0.output("y")
        }
        #expect(message.hasPrefix("model.onnx: Relu (writing y) reads z, which nothing before it writes"))
    }

    @Test func `when a tensor has fewer numbers than its shape`() {
        let message = message {
            $0.input("x", [nil, 2])
            $0.tensor("w", [2, 2], [1, 2, 3])
            $0.node("MatMul", ["x", "w"], "y")
            $0.output("y")
        }
        #expect(message == "model.onnx: tensor w of shape [2, 2] should have 16 bytes, and has 12")
    }

    @Test(arguments: [[Int.max, Int.max], [-1], [1 << 40], Array(repeating: 1, count: 9)])
    func `when a tensor has an impossible shape`(shape: [Int]) {
        let message = message { $0.tensor("w", shape, [1]) }
        #expect(message.contains("impossible shape") || message.contains("more than 8 numbers"))
    }

    @Test func `when two tensors have one name`() {
        let message = message {
            $0.tensor("w", [1], [1])
            $0.tensor("w", [1], [2])
        }
        #expect(message == "model.onnx: w is written twice, the second time by an initializer")
    }

    @Test func `when the file is something else`() {
        #expect(bundle([]).refusal("model.onnx")?.description == "model.onnx is not an ONNX file: it holds no graph")
        let text = bundle(Array("import torch\n".utf8)).refusal("model.onnx")?.description ?? ""
        #expect(text.hasPrefix("model.onnx is not an intact ONNX file: at byte "))
    }

    @Test func `when it is a pickle`() {
        var bundle = ModelBundle()
        bundle.add("model.pt", [0x80, 2])
        #expect(bundle.refusal("model.pt")?.description.contains("is a Python pickle, which can run code") == true)
    }
}
