import Inference
import Testing

@testable import Models

private func bundle(_ bytes: [UInt8]) -> ModelBundle {
    var bundle = ModelBundle()
    bundle.add("model.onnx", bytes)
    return bundle
}

/// The largest difference of two rows.
func difference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

@Suite struct `A graph of dense layers` {
    @Test func `becomes a plan that gives the numbers of the ONNX reference`() throws {
        let bundle = bundle(try ModelBundle.fixture("mlp.onnx"))
        let model = try bundle.importModel("model.onnx")
        #expect(model.plan.inputName == "pixels")
        #expect(model.plan.outputName == "scores")
        #expect(model.plan.steps.count == 3, "Flatten, both biases and the Relu are folded into two products")
        let input: [Float] = [
            0.07614023, 1.3588234, -1.5471447, 0.8593827, 0.119354025, -0.6414704, 2.0004165, 0.7622597,
        ]
        let expected: [Float] = [0.81741178, 0.12165814, 0.06093008, 0.91871285, 0.07583448, 0.00545261]
        #expect(difference(try bundle.runner(model).run(input: input, rows: 2), expected) < 1e-6)
    }

    @Test func `may use every supported operator`() throws {
        let bundle = bundle(try ModelBundle.fixture("operators.onnx"))
        let model = try bundle.importModel("model.onnx")
        let input: [Float] = [-1.1992888, 0.07451623, 0.5766896, -0.18878213, 0.68291026, -0.06651732]
        let expected: [Float] = [-0.16759723, -0.14933282, -0.06517249, 0.0772999, 0.01112127, -0.13005972]
        #expect(difference(try bundle.runner(model).run(input: input, rows: 2), expected) < 1e-6)
    }

    @Test func `keeps the numbers of a bias that two nodes share`() throws {
        // y = (x · w + b) + relu(x · w): the product is read twice, so neither may be folded into it.
        var graph = OnnxGraphWriter()
        graph.input("x", [nil, 2])
        graph.tensor("w", [2, 2], [1, 0, 0, 1])
        graph.tensor("b", [2], [10, 20])
        graph.node("MatMul", ["x", "w"], "p")
        graph.node("Add", ["p", "b"], "a")
        graph.node("Relu", ["p"], "r")
        graph.node("Add", ["a", "r"], "y")
        graph.output("y")
        let bundle = bundle(graph.model())
        let model = try bundle.importModel("model.onnx")
        #expect(try bundle.runner(model).run(input: [-1, 2], rows: 1) == [9, 24])
    }

    @Test func `may hold a tensor with the name of a snapshot entry`() throws {
        var graph = OnnxGraphWriter()
        graph.input("x", [nil, 1])
        graph.tensor("plan", [1], [3])
        graph.node("Mul", ["x", "plan"], "m")
        graph.node("Add", ["m", "plan"], "y")
        graph.output("y")
        let bundle = bundle(graph.model())
        let model = try bundle.importModel("model.onnx")
        #expect(model.plan.weights.map(\.name) == ["plan#2", "plan#3"])
        #expect(try bundle.runner(model).run(input: [2], rows: 1) == [9])
    }
}

@Suite struct `A graph that Thaw cannot run is refused with a sentence` {
    private func message(_ change: (inout OnnxGraphWriter) -> Void) -> String {
        var graph = OnnxGraphWriter()
        change(&graph)
        return bundle(graph.model()).refusal("model.onnx")?.description ?? "not refused"
    }

    @Test func `that names an unknown operator and its node`() {
        let message = message {
            $0.input("x", [nil, 2])
            $0.node("Conv", ["x"], "y", name: "/features/0")
            $0.output("y")
        }
        #expect(message.hasPrefix("model.onnx: Conv \"/features/0\" is not supported; supported are Add, Cast,"))
    }

    @Test func `that names a shape that does not fit`() {
        let message = message {
            $0.input("x", [nil, 3])
            $0.tensor("w", [2, 2], [1, 2, 3, 4])
            $0.node("MatMul", ["x", "w"], "y", name: "fc")
            $0.output("y")
        }
        #expect(message == "model.onnx: MatMul \"fc\" multiplies rows of 3 numbers by a matrix made for 2")
    }

    @Test func `when a node reads what no node wrote`() {
        let message = message {
            $0.input("x", [nil, 2])
            $0.node("Relu", ["z"], "y")
            $0.output("y")
        }
        #expect(message == "model.onnx: Relu (writing y) reads z, which no earlier node writes")
    }

    @Test func `when the input is open in more than the batch`() {
        let message = message {
            $0.input("x", [nil, nil])
            $0.output("x")
        }
        #expect(message.contains("shape [batch, n, …] with only the batch left open"))
    }

    @Test func `when a tensor has fewer numbers than its shape`() {
        let message = message {
            $0.input("x", [nil, 2])
            $0.tensor("w", [2, 2], [1, 2, 3])
            $0.node("MatMul", ["x", "w"], "y")
            $0.output("y")
        }
        #expect(message == "model.onnx: tensor w of shape [2, 2] should have 4 numbers, and has 3")
    }

    @Test(arguments: [[Int.max, Int.max], [-1], [1 << 40], Array(repeating: 1, count: 9)])
    func `when a tensor has an impossible shape`(shape: [Int]) {
        let message = message {
            $0.tensor("w", shape, [1])
        }
        #expect(message.contains("impossible shape") || message.contains("more than 8 numbers"))
    }

    @Test func `when a tensor lies in another file`() {
        let message = message { $0.externalTensor("w", location: "../../etc/passwd") }
        #expect(message.contains("tensor w keeps its numbers in another file; save the model with all data inside"))
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

@Suite struct `Any bytes at all` {
    @Test(arguments: ["mlp.onnx", "operators.onnx"])
    func `are a model or a sentence, never a trap`(fixture: String) throws {
        let original = try ModelBundle.fixture(fixture)
        var generator = SeededGenerator(state: 2026)
        var refusals = 0
        for _ in 0..<3000 {
            let bundle = bundle(generator.mutant(of: original))
            do throws(ModelError) {
                let model = try bundle.importModel("model.onnx")
                for source in model.sources { source.withBytes(in: bundle.bytes.span.bytes) { _ in } }
            } catch {
                refusals += 1
                #expect(!error.description.isEmpty)
            }
        }
        #expect(refusals > 500)
    }
}
