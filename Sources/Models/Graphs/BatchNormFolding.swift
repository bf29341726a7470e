import Graphs

/// A normalization by channel behind a convolution is in the convolution's weights.
enum BatchNormFolding {
    static func run(_ editor: inout GraphEditor) {
        for place in editor.nodes.indices {
            guard let node = editor.node(at: place), node.name == "BatchNormalization", node.domain.isEmpty else {
                continue
            }
            fold(&editor, place, node)
        }
    }

    private static func fold(_ editor: inout GraphEditor, _ place: Int, _ node: Graph.Node) {
        guard node.inputs.count == 5, node.integer("training_mode") ?? 0 == 0, node.integer("spatial") ?? 1 == 1,
            node.outputs.dropFirst().allSatisfy({ $0 == nil }), let value = node.input(0), editor.isReadOnce(value),
            let (convolution, conv) = editor.node("Conv", writing: value), let weight = editor.constant(conv.input(1)),
            weight.element == .f32, weight.shape.count > 2, let channels = weight.shape.first
        else { return }
        var statistics: [TensorSource] = []
        for input in node.inputs.dropFirst() {
            guard let source = editor.constant(input), source.element == .f32, source.shape == [channels] else {
                return
            }
            statistics.append(source)
        }
        let hasBias = conv.inputs.count > 2 && conv.input(2) != nil
        let bias = hasBias ? editor.constant(conv.input(2)) : nil
        guard !hasBias || (bias?.element == .f32 && bias?.shape == [channels]) else { return }
        let epsilon = node.float("epsilon") ?? 1e-5
        let (shape, shiftSources) = (weight.shape, statistics + (bias.map { [$0] } ?? []))
        let scaled = TensorSource(
            .f32,
            shape: shape,
            .made([weight] + statistics) { parts in
                let factors = Self.factors(Array(parts.dropFirst()), epsilon)
                var floats = parts[0].array(of: Float.self)
                let size = floats.count / max(factors.count, 1)
                for index in floats.indices { floats[index] *= factors[index / size] }
                return Tensor(floats, shape: shape)
            }
        )
        let shift = TensorSource(
            .f32,
            shape: [channels],
            .made(shiftSources) { parts in
                let factors = Self.factors(parts, epsilon)
                let (shift, mean) = (parts[1].array(of: Float.self), parts[2].array(of: Float.self))
                let bias = parts.count > 4 ? parts[4].array(of: Float.self) : .init(repeating: 0, count: shift.count)
                return Tensor(
                    factors.indices.map { shift[$0] + (bias[$0] - mean[$0]) * factors[$0] },
                    shape: [channels]
                )
            }
        )
        var fused = conv
        fused.inputs = [
            conv.input(0), editor.addConstant(scaled, insteadOf: conv.input(1)),
            editor.addConstant(shift, insteadOf: node.input(2)),
        ]
        fused.outputs = [node.outputs[0]]
        editor.replace(place, with: fused)
        editor.remove(convolution)
    }

    /// By channel: scale / √(variance + epsilon), of scale, shift, mean and variance.
    private static func factors(_ statistics: [Tensor], _ epsilon: Float) -> [Float] {
        let (scale, variance) = (statistics[0].array(of: Float.self), statistics[3].array(of: Float.self))
        return zip(scale, variance).map { $0 / ($1 + epsilon).squareRoot() }
    }
}
