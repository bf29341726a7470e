import Graphs
import Testing

@testable import Models

/// Builds a graph of one body node by node.
private struct Network {
    var graph = Graph(valueCount: 0, constants: [], inputs: [], outputs: [], bodies: [])
    var sources: [TensorSource] = []
    var nodes: [Graph.Node] = []
    private var state: UInt64 = 3

    mutating func value() -> Int {
        defer { graph.valueCount += 1 }
        return graph.valueCount
    }

    /// Small numbers, the same in every run.
    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int(state >> 40) % 2000 - 1000) / 1000
        }
    }

    mutating func constant(_ floats: [Float], _ shape: [Int]) -> Int {
        let value = value()
        graph.constants.append(.init(value, name: "c\(value)", element: .f32, shape: shape))
        sources.append(TensorSource(Tensor(floats, shape: shape)))
        return value
    }

    mutating func node(_ name: String, _ inputs: [Int?], _ attributes: [String: Attribute] = [:]) -> Int {
        let output = value()
        nodes.append(
            Graph.Node(
                name,
                version: 17,
                title: "\(name) \(output)",
                inputs: inputs,
                outputs: [output],
                attributes: attributes
            )
        )
        return output
    }

    mutating func convolution(
        _ x: Int,
        _ channels: (Int, Int),
        _ kernel: Int,
        stride: Int = 1,
        groups: Int = 1,
        pad: Int? = nil,
        hasBias: Bool = true
    ) -> Int {
        let shape = [channels.1, channels.0 / groups, kernel, kernel]
        let weights = constant(floats(shape.reduce(1, *)), shape)
        let bias = hasBias ? constant(floats(channels.1), [channels.1]) : nil
        return node(
            "Conv",
            [x, weights, bias],
            [
                "strides": .integers([stride, stride]), "group": .integer(groups),
                "pads": .integers([Int](repeating: pad ?? kernel / 2, count: 4)),
            ]
        )
    }

    /// Both answers, of the graph as it is and with its images blocked, and the names of the latter's nodes.
    mutating func answers(_ input: Int, _ size: [Int], to output: Int) throws -> (
        plain: Tensor, blocked: Tensor, [String]
    ) {
        graph.inputs = [.init("x", input, element: .f32, shape: nil)]
        graph.outputs = [.init("y", output, element: nil, shape: nil)]
        graph.bodies = [.init(inputs: [input], outputs: [output], nodes: nodes)]
        let imported = ImportedGraph(graph: graph, sources: sources)
        let none: [UInt8] = []
        let blocked = imported.blockingImages(in: none.span.bytes)
        let image = Tensor(floats(size.reduce(1, *)), shape: size)
        func run(_ graph: ImportedGraph) throws -> Tensor {
            guard case .tensor(let tensor) = try graph.runner(in: none.span.bytes).run([.tensor(image)])[0] else {
                throw ModelError.invalid("no tensor")
            }
            return tensor
        }
        let names = blocked.graph.bodies[0].nodes.map { "\($0.domain.isEmpty ? "" : "\($0.domain).")\($0.name)" }
        return (try run(imported), try run(blocked), names)
    }
}

private func difference(_ a: Tensor, _ b: Tensor) -> Float {
    guard a.shape == b.shape else { return .infinity }
    let largest = a.array(of: Float.self).reduce(1e-6) { max($0, abs($1)) }
    return zip(a.array(of: Float.self), b.array(of: Float.self)).reduce(0) {
        ($1.0 - $1.1).isNaN ? .infinity : max($0, abs($1.0 - $1.1))
    } / largest
}

@Suite struct `Images lie in blocks between convolutions` {
    @Test func `and a residual block becomes three convolutions`() throws {
        var network = Network()
        let input = network.value()
        let stem = network.node("Relu", [network.convolution(input, (3, 32), 3, stride: 2)])
        let inner = network.node("Relu", [network.convolution(stem, (32, 16), 1)])
        let outer = network.convolution(inner, (16, 32), 3)
        let sum = network.node("Relu", [network.node("Add", [outer, stem])])
        let (plain, blocked, names) = try network.answers(input, [2, 3, 17, 15], to: sum)
        #expect(difference(plain, blocked) < 1e-5)
        #expect(names == ["thaw.Conv", "thaw.Conv", "thaw.Conv", "thaw.Unblock"])
    }

    @Test func `and a shortcut of another path is added all the same`() throws {
        var network = Network()
        let input = network.value()
        let first = network.convolution(input, (20, 40), 3, stride: 2)
        let short = network.convolution(input, (20, 40), 1, stride: 2, hasBias: false)
        let sum = network.node("Relu", [network.node("Add", [short, first])])
        let (plain, blocked, names) = try network.answers(input, [1, 20, 9, 12], to: sum)
        #expect(difference(plain, blocked) < 1e-5)
        #expect(names == ["thaw.Block", "thaw.Conv", "thaw.Conv", "thaw.Unblock"])
    }

    @Test func `and sums of images that may differ in size are left to the sum`() throws {
        var network = Network()
        let input = network.value()
        let large = network.convolution(input, (16, 16), 3)
        let one = network.convolution(network.node("GlobalAveragePool", [large]), (16, 16), 1)
        let sum = network.node("HardSwish", [network.node("Add", [one, large])])
        let (plain, blocked, names) = try network.answers(input, [1, 16, 6, 7], to: sum)
        #expect(difference(plain, blocked) < 1e-5)
        #expect(names.contains("Add"))
    }

    @Test func `through gates, pools, depthwise convolutions, joins and sizes`() throws {
        var network = Network()
        let input = network.value()
        let x = network.convolution(input, (16, 48), 1)
        let silu = network.node("Mul", [x, network.node("Sigmoid", [x])])
        let deep = network.convolution(silu, (48, 48), 5, stride: 2, groups: 48)
        let gate = network.node(
            "HardSigmoid",
            [network.convolution(network.node("GlobalAveragePool", [deep]), (48, 48), 1)]
        )
        let gated = network.node("Mul", [deep, gate])
        let window: [String: Attribute] = ["kernel_shape": .integers([3, 3]), "pads": .integers([1, 1, 1, 1])]
        let pooled = network.node("MaxPool", [gated], window)
        let mean = network.node("AveragePool", [gated], window)
        let joined = network.node("Concat", [pooled, mean, gated], ["axis": .integer(1)])
        let scales = network.constant([1, 1, 2, 2], [4])
        let resized = network.node("Resize", [joined, nil, scales], ["mode": .string("nearest")])
        let slopes = network.constant(network.floats(144), [144, 1, 1])
        let sloped = network.node("PRelu", [resized, slopes])
        let output = network.convolution(sloped, (144, 10), 1)
        let (plain, blocked, names) = try network.answers(input, [1, 16, 9, 9], to: output)
        #expect(difference(plain, blocked) < 1e-5)
        // One block in, one out: nothing between them was planar.
        #expect(names.filter { $0 == "thaw.Block" || $0 == "thaw.Unblock" } == ["thaw.Block", "thaw.Unblock"])
        #expect(!names.contains("Sigmoid"))
    }

    @Test(arguments: [(2, 40, 24), (3, 48, 96), (8, 32, 16)])
    func `and groups that are no whole blocks are blocked each by itself`(_ groups: Int, _ channels: Int, _ out: Int)
        throws
    {
        var network = Network()
        let input = network.value()
        let first = network.node("Relu", [network.convolution(input, (channels, channels), 3, groups: groups)])
        let output = network.convolution(network.convolution(first, (channels, out), 1, groups: groups), (out, 7), 3)
        let (plain, blocked, _) = try network.answers(input, [1, channels, 7, 8], to: output)
        #expect(difference(plain, blocked) < 1e-5)
    }

    @Test func `and what others read is planar`() throws {
        var network = Network()
        let input = network.value()
        let x = network.convolution(input, (16, 20), 3)
        let sum = network.node("ReduceMean", [x], ["axes": .integers([1]), "keepdims": .integer(1)])
        let output = network.node("Mul", [network.node("Relu", [x]), sum])
        let (plain, blocked, names) = try network.answers(input, [1, 16, 5, 5], to: output)
        #expect(difference(plain, blocked) < 1e-5)
        #expect(names.filter { $0 == "thaw.Unblock" }.count == 2)
    }
}
