import Graphs
import Testing

@testable import Models

/// A graph that is written node by node, with constants and inputs of floats.
private struct Sketch {
    private(set) var graph = Graph(
        valueCount: 0,
        constants: [],
        inputs: [],
        outputs: [],
        bodies: [Graph.Body(inputs: [], outputs: [], nodes: [])]
    )
    private var tensors: [Tensor] = []
    private var generator = SeededGenerator(state: 5)

    private mutating func value() -> Int {
        graph.valueCount += 1
        return graph.valueCount - 1
    }

    mutating func input(_ shape: [Graph.Dimension]) -> Int {
        let value = value()
        graph.inputs.append(Graph.Port("in\(value)", value, element: .f32, shape: shape))
        graph.bodies[0].inputs.append(value)
        return value
    }

    mutating func constant(_ tensor: Tensor) -> Int {
        let value = value()
        graph.constants.append(
            Graph.Constant(value, name: "c\(value)", element: tensor.element, shape: tensor.shape)
        )
        tensors.append(tensor)
        return value
    }

    mutating func integers(_ values: [Int64]) -> Int { constant(Tensor(values, shape: [values.count])) }

    mutating func scalar(_ value: Float) -> Int { constant(Tensor(scalar: value)) }

    /// Floats around 1, from the seed.
    mutating func random(_ shape: [Int]) -> Int {
        let count = shape.reduce(1, *)
        return constant(Tensor((0..<count).map { _ in Float.random(in: 0.2...1.5, using: &generator) }, shape: shape))
    }

    mutating func node(_ name: String, _ inputs: Int..., settings: [String: Attribute] = [:], version: Int = 17) -> Int
    {
        let output = value()
        graph.bodies[0].nodes.append(
            Graph.Node(name, version: version, inputs: inputs, outputs: [output], attributes: settings)
        )
        return output
    }

    mutating func output(_ value: Int) {
        graph.outputs.append(Graph.Port("out\(value)", value, element: .f32, shape: nil))
        graph.bodies[0].outputs.append(value)
    }

    /// Compiles, and holds what both graphs answer to random inputs against each other.
    mutating func compiled(_ shapes: [Int]...) throws -> Graph {
        let imported = ImportedGraph(graph: graph, sources: tensors.map { TensorSource($0) })
        let archive: [UInt8] = []
        let compiled = try imported.compiled(in: archive.span.bytes)
        let inputs = shapes.map { shape in
            let count = shape.reduce(1, *)
            let floats = (0..<count).map { _ in Float.random(in: -2...2, using: &generator) }
            return GraphValue.tensor(Tensor(floats, shape: shape))
        }
        let plain = try Self.floats(imported.runner(in: archive.span.bytes).run(inputs))
        let fused = try Self.floats(compiled.runner(in: archive.span.bytes).run(inputs))
        #expect(plain.count == fused.count)
        for (plain, fused) in zip(plain, fused) {
            #expect(plain.shape == fused.shape)
            #expect(difference(plain.array(of: Float.self), fused.array(of: Float.self)) < 1e-4)
        }
        return compiled.graph
    }

    func compileOrRefuse() {
        let imported = ImportedGraph(graph: graph, sources: tensors.map { TensorSource($0) })
        let archive: [UInt8] = []
        _ = try? imported.compiled(in: archive.span.bytes)
    }

    private static func floats(_ values: [GraphValue]) -> [Tensor] {
        values.compactMap { if case .tensor(let tensor) = $0 { tensor } else { nil } }
    }
}

extension Graph {
    fileprivate var names: [String] { bodies[0].nodes.map { $0.domain.isEmpty ? $0.name : "\($0.domain).\($0.name)" } }
}

@Suite struct `A compiled graph answers as the one it came from` {
    @Test func `with bias and activation in the product`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .open("steps"), .fixed(20)])
        let product = sketch.node("MatMul", x, sketch.random([20, 33]))
        let sum = sketch.node("Add", sketch.random([33]), product)
        sketch.output(sketch.node("Relu", sum))
        #expect(try sketch.compiled([2, 5, 20]).names == ["thaw.Linear"])
    }

    /// Whether it compiles or not: how many inputs a node has is its file's word, and no fusion may rely on it.
    @Test(arguments: [
        "MatMul", "Gemm", "Add", "Mul", "Div", "Sub", "Pow", "Sqrt", "Erf", "Sigmoid", "Softmax", "Transpose",
        "Reshape",
        "LayerNormalization", "BatchNormalization", "Conv", "ReduceMean", "Relu", "Tanh", "Dropout", "Attention",
    ])
    func `or is refused, where a node has fewer inputs than its operator`(name: String) throws {
        for inputCount in 0...2 {
            for follower in ["Add", "Mul", "MatMul", "Relu", "BatchNormalization", "LayerNormalization"] {
                var sketch = Sketch()
                let x = sketch.input([.open("n"), .fixed(4), .fixed(4)])
                let weight = sketch.random([4, 4])
                let node =
                    switch inputCount {
                    case 0: sketch.node(name)
                    case 1: sketch.node(name, x)
                    default: sketch.node(name, weight, x)
                    }
                sketch.output(sketch.node(follower, node))
                sketch.compileOrRefuse()
            }
        }
    }

    @Test func `with a Gemm of either order as a product`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .fixed(4)])
        let first = sketch.node(
            "Gemm",
            x,
            sketch.random([7, 4]),
            sketch.random([7]),
            settings: ["transB": .integer(1)]
        )
        let second = sketch.node("Gemm", sketch.node("Tanh", first), sketch.random([7, 3]), sketch.random([1, 3]))
        sketch.output(second)
        #expect(try sketch.compiled([3, 4]).names == ["thaw.Linear", "thaw.Linear"])
    }

    @Test func `and keeps a product that is read twice apart`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .fixed(4)])
        let product = sketch.node("MatMul", x, sketch.random([4, 4]))
        let sum = sketch.node("Add", product, sketch.random([4]))
        sketch.output(sketch.node("Mul", sum, sketch.node("Relu", product)))
        #expect(try sketch.compiled([3, 4]).names == ["thaw.Linear", "Add", "Relu", "Mul"])
    }

    @Test(arguments: [false, true])
    func `with a normalization of nine nodes as one`(usesPower: Bool) throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .open("steps"), .fixed(12)])
        let axes: [String: Attribute] = ["axes": .integers([-1])]
        let centred = sketch.node("Sub", x, sketch.node("ReduceMean", x, settings: axes))
        let squares =
            usesPower ? sketch.node("Pow", centred, sketch.scalar(2)) : sketch.node("Mul", centred, centred)
        let variance = sketch.node("ReduceMean", squares, settings: axes)
        let root = sketch.node("Sqrt", sketch.node("Add", variance, sketch.scalar(1e-5)))
        let scaled = sketch.node("Mul", sketch.node("Div", centred, root), sketch.random([12]))
        sketch.output(sketch.node("Add", scaled, sketch.random([12])))
        #expect(try sketch.compiled([2, 3, 12]).names == ["LayerNormalization"])
    }

    @Test(arguments: [0, 1, 2])
    func `with a Gelu of five nodes as one, in any order`(order: Int) throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .fixed(9)])
        let root = Float(2).squareRoot()
        let ratio =
            order == 0
            ? sketch.node("Div", x, sketch.scalar(root)) : sketch.node("Mul", sketch.scalar(1 / root), x)
        let gate = sketch.node("Add", sketch.node("Erf", ratio), sketch.scalar(1))
        switch order {
        case 0: sketch.output(sketch.node("Mul", sketch.node("Mul", x, gate), sketch.scalar(0.5)))
        case 1: sketch.output(sketch.node("Mul", sketch.node("Mul", x, sketch.scalar(0.5)), gate))
        default: sketch.output(sketch.node("Mul", x, sketch.node("Mul", gate, sketch.scalar(0.5))))
        }
        #expect(try sketch.compiled([4, 9]).names == ["Gelu"])
    }

    @Test func `with a gated sigmoid as one`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .fixed(9)])
        sketch.output(sketch.node("Mul", x, sketch.node("Sigmoid", x)))
        #expect(try sketch.compiled([4, 9]).names == ["Swish"])
    }

    @Test(arguments: [false, true])
    func `with a normalization by channel in the convolution`(hasBias: Bool) throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .fixed(3), .fixed(8), .fixed(8)])
        let weight = sketch.random([5, 3, 3, 3])
        let convolution =
            hasBias ? sketch.node("Conv", x, weight, sketch.random([5])) : sketch.node("Conv", x, weight)
        let (scale, shift) = (sketch.random([5]), sketch.random([5]))
        let (mean, variance) = (sketch.random([5]), sketch.random([5]))
        sketch.output(sketch.node("BatchNormalization", convolution, scale, shift, mean, variance))
        let names = try sketch.compiled([2, 3, 8, 8]).names
        #expect(!names.contains("BatchNormalization"))
    }

    @Test(arguments: [false, true])
    func `with an attention as one operator`(hasMask: Bool) throws {
        var sketch = Sketch()
        let shape: [Graph.Dimension] = [.open("n"), .open("steps"), .fixed(2), .fixed(8)]
        let (q, k, v) = (sketch.input(shape), sketch.input(shape), sketch.input(shape))
        func turned(_ value: Int, _ order: [Int]) -> Int {
            sketch.node("Transpose", value, settings: ["perm": .integers(order)])
        }
        let queries = turned(q, [0, 2, 1, 3])
        let product = sketch.node("MatMul", queries, turned(k, [0, 2, 3, 1]))
        var scores = sketch.node("Div", product, sketch.scalar(Float(8).squareRoot()))
        if hasMask {
            let mask = sketch.input([.open("n"), .fixed(1), .fixed(1), .open("steps")])
            scores = sketch.node("Add", scores, mask)
        }
        let probabilities = sketch.node("Softmax", scores, settings: ["axis": .integer(-1)])
        sketch.output(sketch.node("MatMul", probabilities, turned(v, [0, 2, 1, 3])))
        let parts = [[2, 5, 2, 8], [2, 5, 2, 8], [2, 5, 2, 8]]
        let graph =
            hasMask
            ? try sketch.compiled(parts[0], parts[1], parts[2], [2, 1, 1, 5])
            : try sketch.compiled(parts[0], parts[1], parts[2])
        #expect(graph.names.contains("Attention"))
        #expect(!graph.names.contains("Softmax"))
    }

    /// As BERT's exporters write it: three products of one input, heads turned outwards and back.
    private enum Mask: CaseIterable { case none, any, zeros }

    @Test(arguments: Mask.allCases, [false, true])
    private func `with the attention of an encoder on one product, and residuals in the normalization`(
        _ mask: Mask,
        scalesOperands: Bool
    ) throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .open("steps"), .fixed(24)])
        func operand(_ order: [Int]) -> Int {
            var value = sketch.node("MatMul", x, sketch.random([24, 24]))
            value = sketch.node("Add", value, sketch.random([24]))
            let heads = sketch.node("Reshape", value, sketch.integers([0, 0, 3, 8]))
            return sketch.node("Transpose", heads, settings: ["perm": .integers(order)])
        }
        var (q, k, v) = (operand([0, 2, 1, 3]), operand([0, 2, 3, 1]), operand([0, 2, 1, 3]))
        let root = Float(8).squareRoot()
        if scalesOperands {
            let factor = sketch.scalar(1 / root.squareRoot())
            (q, k) = (sketch.node("Mul", q, factor), sketch.node("Mul", k, factor))
        }
        var scores = sketch.node("MatMul", q, k)
        if !scalesOperands { scores = sketch.node("Div", scores, sketch.scalar(root)) }
        if mask != .none {
            var added = sketch.input([.open("n"), .fixed(1), .fixed(1), .open("steps")])
            if mask == .zeros { added = sketch.node("Mul", added, sketch.scalar(0)) }
            scores = sketch.node("Add", scores, added)
        }
        let shares = sketch.node("Softmax", scores, settings: ["axis": .integer(-1)])
        v = sketch.node("Transpose", sketch.node("MatMul", shares, v), settings: ["perm": .integers([0, 2, 1, 3])])
        let flat = sketch.node("Reshape", v, sketch.integers([0, 0, 24]))
        let dense = sketch.node("Add", sketch.node("MatMul", flat, sketch.random([24, 24])), sketch.random([24]))
        let sum = sketch.node("Add", dense, x)
        sketch.output(sketch.node("LayerNormalization", sum, sketch.random([24]), sketch.random([24])))
        let graph =
            mask == .none ? try sketch.compiled([2, 5, 24]) : try sketch.compiled([2, 5, 24], [2, 1, 1, 5])
        let names = ["thaw.Linear", "thaw.Attention", "thaw.Linear", "thaw.LayerNorm"]
        #expect(graph.names.filter { $0 != "Mul" } == names)
    }

    @Test func `and keeps a sum that is read beside its normalization`() throws {
        var sketch = Sketch()
        let (x, y) = (sketch.input([.open("n"), .fixed(12)]), sketch.input([.open("n"), .fixed(12)]))
        let sum = sketch.node("Add", x, y)
        let normal = sketch.node("LayerNormalization", sum, sketch.random([12]), sketch.random([12]))
        sketch.output(sketch.node("Mul", normal, sum))
        #expect(try sketch.compiled([3, 12], [3, 12]).names == ["Add", "LayerNormalization", "Mul"])
    }

    @Test func `and keeps a sum that broadcasts before a normalization`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .fixed(12)])
        let sum = sketch.node("Add", x, sketch.random([12]))
        sketch.output(sketch.node("LayerNormalization", sum, sketch.random([12]), sketch.random([12])))
        #expect(try sketch.compiled([3, 12]).names == ["Add", "LayerNormalization"])
    }

    @Test func `with transpositions that undo each other gone`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .fixed(3), .fixed(4)])
        let first = sketch.node("Transpose", x, settings: ["perm": .integers([2, 0, 1])])
        let second = sketch.node("Transpose", first, settings: ["perm": .integers([1, 2, 0])])
        sketch.output(sketch.node("Relu", second))
        #expect(try sketch.compiled([2, 3, 4]).names == ["Relu"])
    }

    @Test func `with the arithmetic on shapes gone where all but the batch is known`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("batch"), .open("steps"), .fixed(6)])
        let shape = sketch.node("Shape", x, version: 13)
        func size(_ place: Int64) -> Int {
            let picked = sketch.node("Gather", shape, sketch.constant(Tensor(scalar: place)), version: 13)
            return sketch.node("Unsqueeze", picked, sketch.integers([0]), version: 13)
        }
        let wanted = [size(0), size(1), sketch.integers([2, 3])]
        let joined = sketch.node("Concat", wanted[0], wanted[1], wanted[2], settings: ["axis": .integer(0)])
        let reshaped = sketch.node("Reshape", x, joined, settings: ["allowzero": .integer(0)])
        sketch.output(sketch.node("Relu", reshaped))
        let graph = try sketch.compiled([2, 5, 6])
        #expect(graph.names == ["Reshape", "Relu"])
        #expect(graph.outputs[0].shape == [.open(""), .open(""), .fixed(2), .fixed(3)])
    }

    @Test func `with an expansion to sizes that are kept, as torch writes it`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("batch"), .fixed(1), .fixed(6)])
        let tokens = sketch.random([1, 1, 6])
        let batch = sketch.node("Slice", sketch.node("Shape", x), sketch.integers([0]), sketch.integers([1]))
        let wanted = sketch.node("Concat", batch, sketch.integers([-1, -1]), settings: ["axis": .integer(0)])
        let same = sketch.node("Equal", wanted, sketch.integers([-1, -1, -1]))
        let chosen = sketch.node("Where", same, sketch.integers([1, 1, 1]), wanted)
        let expanded = sketch.node("Expand", tokens, chosen)
        sketch.output(sketch.node("Concat", expanded, x, settings: ["axis": .integer(1)]))
        #expect(try sketch.compiled([3, 1, 6]).outputs[0].shape == [.open(""), .fixed(2), .fixed(6)])
    }

    @Test func `with what depends on no call worked out`() throws {
        var sketch = Sketch()
        let x = sketch.input([.open("n"), .fixed(3)])
        let root = sketch.node("Sqrt", sketch.random([3]))
        sketch.output(sketch.node("Mul", x, sketch.node("Identity", root)))
        #expect(try sketch.compiled([2, 3]).names == ["Mul"])
    }

    @Test func `and a constant that would be huge is left to the call`() throws {
        var sketch = Sketch()
        let wide = sketch.node("Expand", sketch.random([1]), sketch.integers([1 << 30]))
        sketch.output(wide)
        let imported = ImportedGraph(
            graph: sketch.graph,
            sources: sketch.graph.constants.map { constant in
                TensorSource(
                    constant.element == .i64
                        ? Tensor([1 << 30] as [Int64], shape: [1]) : Tensor([1] as [Float], shape: [1])
                )
            }
        )
        let archive: [UInt8] = []
        #expect(try imported.compiled(in: archive.span.bytes).graph.names == ["Expand"])
    }
}
