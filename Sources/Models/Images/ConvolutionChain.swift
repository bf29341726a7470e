import Graphs
import Kernels

/// A convolution with constant weights and the nodes after it that it can do on its way.
struct ConvolutionChain {
    let convolution: Graph.Node
    /// What is added, and the node that adds it.
    var sum: (node: Graph.Node, residual: Graph.ValueIndex)?
    /// The activation, and its nodes in their order.
    var finish: (nodes: [Graph.Node], name: String, low: Float, high: Float)?

    /// What the convolution alone would write.
    var sums: Graph.ValueIndex? { convolution.outputs[0] }
    /// What the chain writes.
    var output: Graph.ValueIndex? { finish?.nodes.last?.outputs[0] ?? sum?.node.outputs[0] ?? sums }
}

// How chains are found.
extension ImageBlocking {
    mutating func findChains(in body: Graph.Body) {
        for (place, node) in body.nodes.enumerated() where node.name == "Conv" && node.domain.isEmpty {
            guard let weights = source(of: input(node, 1)), weights.element == .f32,
                (3...4).contains(weights.shape.count),
                weights.count > 0, weights.shape.allSatisfy({ $0 <= 1 << 20 }), isFloats(input(node, 2)),
                packing(node, isBlocked: true) != nil,
                input(node, 2) == nil || source(of: input(node, 2))?.shape == [weights.shape[0]]
            else { continue }
            var places = [place]
            var chain = ConvolutionChain(convolution: node)
            addSum(&chain, &places)
            addFinish(&chain, &places)
            inChain.formUnion(places)
            chains[places.max() ?? place] = chain
        }
    }

    func input(_ node: Graph.Node, _ index: Int) -> Graph.ValueIndex? {
        index < node.inputs.count ? node.inputs[index] : nil
    }

    /// Whether an input is left out or a constant of floats.
    private func isFloats(_ value: Graph.ValueIndex?) -> Bool {
        value == nil || source(of: value)?.element == .f32
    }

    /// The only node that reads `value`.
    private func onlyReader(of value: Graph.ValueIndex?) -> (place: Int, node: Graph.Node)? {
        guard let value, let places = readers[value], places.count == 1, places[0] >= 0, !inChain.contains(places[0])
        else { return nil }
        let node = original.nodes[places[0]]
        return node.domain.isEmpty && node.outputs.dropFirst().allSatisfy({ $0 == nil }) && node.outputs.first != nil
            ? (places[0], node) : nil
    }

    private func addSum(_ chain: inout ConvolutionChain, _ places: inout [Int]) {
        guard let sums = chain.sums, let (place, node) = onlyReader(of: sums), node.name == "Add",
            node.inputs.count == 2, let other = node.inputs.compactMap(\.self).first(where: { $0 != sums }),
            constants[other] == nil
        else { return }
        chain.sum = (node, other)
        places.append(place)
    }

    private func addFinish(_ chain: inout ConvolutionChain, _ places: inout [Int]) {
        guard let output = chain.output else { return }
        if let (place, node) = onlyReader(of: output), let (name, low, high) = finish(node) {
            chain.finish = ([node], name, low, high)
            places.append(place)
            return
        }
        // x · gate(x), as exporters write SiLU and older ones HardSwish.
        guard let pair = readers[output], pair.count == 2, pair.allSatisfy({ $0 >= 0 && !inChain.contains($0) }) else {
            return
        }
        let (gate, product) = (original.nodes[pair[0]], original.nodes[pair[1]])
        guard product.name == "Mul", product.domain.isEmpty, let gated = gate.outputs.first.flatMap({ $0 }),
            readers[gated] == [pair[1]], Set(product.inputs) == [output, gated], let (name, low, high) = finish(gate)
        else { return }
        let isHard = name == "hard_sigmoid" && low == Float(1.0 / 6) && high == 0.5
        guard name == "sigmoid" || isHard else { return }
        chain.finish = ([gate, product], isHard ? "hard_swish" : "silu", 0, 0)
        places += pair
    }

    /// The finish that a node of one input is.
    private func finish(_ node: Graph.Node) -> (String, Float, Float)? {
        guard node.domain.isEmpty else { return nil }
        switch node.name {
        case "Relu": return ("clip", 0, .infinity)
        case "Sigmoid": return ("sigmoid", 0, 0)
        case "Tanh": return ("tanh", 0, 0)
        case "HardSwish": return ("hard_swish", 0, 0)
        case "LeakyRelu": return ("leaky_relu", node.float("alpha") ?? 0.01, 0)
        case "HardSigmoid":
            return ("hard_sigmoid", node.float("alpha") ?? 0.2, node.float("beta") ?? 0.5)
        case "Gelu":
            if case .string("tanh") = node.attributes["approximate"] { return nil }
            return ("gelu", 0, 0)
        case "Clip":
            guard node.version >= 11 else {
                return ("clip", node.float("min") ?? -.infinity, node.float("max") ?? .infinity)
            }
            guard let low = bound(input(node, 1), or: -.infinity), let high = bound(input(node, 2), or: .infinity)
            else {
                return nil
            }
            return ("clip", low, high)
        default: return nil
        }
    }

    /// A bound that is at hand; `standard` where it is left out.
    private func bound(_ value: Graph.ValueIndex?, or standard: Float) -> Float? {
        guard let value else { return standard }
        return bounds[value]
    }
}
