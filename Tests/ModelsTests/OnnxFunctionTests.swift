import Graphs
import Testing

@testable import Models

private typealias Node = OnnxGraphWriter.Node

/// A file whose one output `y` is made of `x`, four floats.
private func bundle(_ build: (inout OnnxGraphWriter) -> Void) -> ModelBundle {
    var graph = OnnxGraphWriter()
    graph.input("x", [nil, 2])
    build(&graph)
    graph.output("y")
    var bundle = ModelBundle()
    bundle.add("net.onnx", graph.model())
    return bundle
}

private let input: [Float] = [-1, 2, 3, -4]

@Suite struct `A function of an ONNX model` {
    @Test func `is written out where it is called, each time with names of its own`() throws {
        let bundle = bundle { graph in
            // m is a name inside the function and outside of it.
            graph.function(
                "Double",
                ["a"],
                ["b"],
                [
                    Node(type: "Add", inputs: ["a", "a"], output: "m"),
                    Node(type: "Identity", inputs: ["m"], output: "b"),
                ]
            )
            graph.add(Node(type: "Double", inputs: ["x"], output: "m", domain: "own"))
            graph.add(Node(type: "Double", inputs: ["m"], output: "n", domain: "own"))
            graph.node("Sub", ["n", "m"], "y")
        }
        #expect(try bundle.run("net.onnx", input, shape: [2, 2]) == [-2, 4, 6, -8])
        #expect(try bundle.importGraph("net.onnx").graph.bodies[0].nodes.allSatisfy { $0.name != "Double" })
    }

    @Test(arguments: [Int?.none, 1])
    func `takes settings from the call, and its own where the call gives none`(_ axis: Int?) throws {
        let bundle = bundle { graph in
            graph.function(
                "Glue",
                ["a"],
                ["b"],
                [Node(type: "Concat", inputs: ["a", "a"], output: "b", attributes: [.reference("axis", to: "along")])],
                defaults: [.integer("along", 0)]
            )
            let settings = axis.map { [OnnxGraphWriter.Attribute.integer("along", $0)] } ?? []
            graph.add(Node(type: "Glue", inputs: ["x"], output: "y", domain: "own", attributes: settings))
        }
        let expected: [Float] = axis == 1 ? [-1, 2, -1, 2, 3, -4, 3, -4] : input + input
        #expect(try bundle.run("net.onnx", input, shape: [2, 2]) == expected)
    }

    @Test func `may call another`() throws {
        let bundle = bundle { graph in
            graph.function("Inner", ["a"], ["b"], [Node(type: "Relu", inputs: ["a"], output: "b")])
            graph.function("Outer", ["a"], ["b"], [Node(type: "Inner", inputs: ["a"], output: "b", domain: "own")])
            graph.add(Node(type: "Outer", inputs: ["x"], output: "y", domain: "own"))
        }
        #expect(try bundle.run("net.onnx", input, shape: [2, 2]) == [0, 2, 3, 0])
    }

    @Test func `that calls itself is refused`() {
        let bundle = bundle { graph in
            graph.function("A", ["a"], ["b"], [Node(type: "B", inputs: ["a"], output: "b", domain: "own")])
            graph.function("B", ["a"], ["b"], [Node(type: "A", inputs: ["a"], output: "b", domain: "own")])
            graph.add(Node(type: "A", inputs: ["x"], output: "y", domain: "own"))
        }
        #expect { _ = try bundle.importGraph("net.onnx") } throws: { "\($0)".contains("calls itself") }
    }

    @Test func `that grows beyond all bounds when it is written out is refused`() {
        let bundle = bundle { graph in
            graph.function("F0", ["a"], ["b"], [Node(type: "Relu", inputs: ["a"], output: "b")])
            // Each calls the one before it sixteen times: 16^6 nodes in a file of a few kilobytes.
            for level in 1...6 {
                let nodes = (0..<16).map { place in
                    Node(
                        type: "F\(level - 1)",
                        inputs: [place == 0 ? "a" : "v\(place - 1)"],
                        output: place == 15 ? "b" : "v\(place)",
                        domain: "own"
                    )
                }
                graph.function("F\(level)", ["a"], ["b"], nodes)
            }
            graph.add(Node(type: "F6", inputs: ["x"], output: "y", domain: "own"))
        }
        #expect { _ = try bundle.importGraph("net.onnx") } throws: { "\($0)".contains("once its functions are") }
    }

    @Test func `called with more than it takes is refused`() {
        let bundle = bundle { graph in
            graph.function("One", ["a"], ["b"], [Node(type: "Relu", inputs: ["a"], output: "b")])
            graph.add(Node(type: "One", inputs: ["x", "x"], output: "y", domain: "own"))
        }
        #expect { _ = try bundle.importGraph("net.onnx") } throws: { "\($0)".contains("more inputs or outputs") }
    }
}

@Suite struct `ZipMap at the end of a classifier` {
    @Test func `hands the scores on, a column for each label`() throws {
        let bundle = bundle { graph in
            graph.add(
                Node(
                    type: "ZipMap",
                    inputs: ["x"],
                    output: "y",
                    domain: "ai.onnx.ml",
                    attributes: [.integers("classlabels_int64s", [7, 9])]
                )
            )
        }
        #expect(try bundle.run("net.onnx", input, shape: [2, 2]) == input)
        let port = try #require(bundle.importGraph("net.onnx").graph.outputs.first)
        #expect(port.element == .f32)
        #expect(port.shape == [.open(""), .fixed(2)])
    }

    @Test func `is gone once the graph is compiled`() throws {
        let bundle = bundle { graph in
            graph.node("Relu", ["x"], "scores")
            graph.add(Node(type: "ZipMap", inputs: ["scores"], output: "y", domain: "ai.onnx.ml"))
        }
        let compiled = try bundle.importGraph("net.onnx").compiled(in: bundle.bytes.span.bytes)
        #expect(compiled.graph.bodies[0].nodes.map(\.name) == ["Relu"])
    }
}
