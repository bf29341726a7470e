import Graphs
import Kernels

// Nodes that take blocked images as they are.
extension ImageBlocking {
    /// Of one number, finite wherever their input is.
    private static let unary: Set<String> = [
        "Relu", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Clip", "Elu", "Selu", "Celu", "Gelu",
        "Erf",
        "Softplus", "Softsign", "Mish", "Swish", "Abs", "Neg", "Identity", "ThresholdedRelu",
    ]
    /// Of two, likewise.
    private static let binary: Set<String> = ["Add", "Sub", "Mul", "PRelu"]

    /// Writes `node` over blocked images; false where it is no node for them, or has no such input.
    mutating func emitBlocked(_ node: Graph.Node, in archive: borrowing RawSpan) -> Bool {
        guard node.domain.isEmpty, let first = node.inputs.first ?? nil, let output = node.outputs.first ?? nil,
            node.outputs.dropFirst().allSatisfy({ $0 == nil })
        else { return false }
        switch node.name {
        case let name where Self.unary.contains(name):
            guard let form = blocked[first], node.inputs.dropFirst().allSatisfy({ $0.map(isScalar) ?? true }) else {
                return false
            }
            return emit(node, [form.value] + node.inputs.dropFirst(), like: form, to: output)
        case let name where Self.binary.contains(name): return emitBinary(node, to: output)
        case "MaxPool", "AveragePool":
            guard let form = blocked[first], let kernel = node.integers("kernel_shape"),
                kernel.count == form.rank
            else { return false }
            var extent = form.extent
            if let step = step(node, kernel: kernel) { extent.steps.append(step) }
            return emit(node, domain: "thaw", [form.value], like: form, extent: extent, to: output)
        case "GlobalAveragePool":
            guard let form = blocked[first] else { return false }
            return emit(node, domain: "thaw", [form.value], like: form, extent: Extent(), to: output)
        case "Concat": return emitConcat(node, to: output)
        case "Resize": return emitResize(node, first, to: output, in: archive)
        default: return false
        }
    }

    private func isScalar(_ value: Graph.ValueIndex) -> Bool {
        source(of: value)?.count == 1
    }

    private mutating func emit(
        _ node: Graph.Node,
        domain: String = "",
        _ inputs: [Graph.ValueIndex?],
        like form: Blocked,
        channels: Int? = nil,
        extent: Extent? = nil,
        to output: Graph.ValueIndex
    ) -> Bool {
        let made = Blocked(
            value: newValue(),
            channels: channels ?? form.channels,
            groups: form.groups,
            rank: form.rank,
            extent: extent ?? form.extent
        )
        var rewritten = node
        rewritten.inputs = inputs
        rewritten.outputs = [made.value]
        if !domain.isEmpty { (rewritten.domain, rewritten.version) = (domain, 1) }
        append(rewritten)
        wrote(output, made)
        return true
    }

    private mutating func emitBinary(_ node: Graph.Node, to output: Graph.ValueIndex) -> Bool {
        let values = node.inputs.compactMap(\.self)
        guard values.count == 2, let form = values.compactMap({ blocked[$0] }).first else { return false }
        // The result is as large as the larger of both.
        var extent = form.extent
        var inputs: [Graph.ValueIndex?] = []
        for value in values {
            if let other = blocked[value] {
                guard other.channels == form.channels, other.groups == form.groups, other.rank == form.rank else {
                    return false
                }
                if extent.root == nil { extent = other.extent }
                if other.extent.root != nil, other.extent != extent { extent = Extent(root: output) }
                inputs.append(other.value)
            } else if let source = source(of: value), source.element == .f32, source.count == 1,
                source.shape.count <= form.rank + 2
            {
                inputs.append(value)
            } else if let source = source(of: value), isPerChannel(source, form) {
                inputs.append(perChannel(source, form, of: node))
            } else {
                return false
            }
        }
        return emit(node, inputs, like: form, extent: extent, to: output)
    }

    /// Whether a constant has one number for each channel: `[C, 1, …]` or `[1, C, 1, …]`.
    private func isPerChannel(_ source: TensorSource, _ form: Blocked) -> Bool {
        let ones = [Int](repeating: 1, count: form.rank)
        return source.element == .f32 && form.groups == 1
            && [[form.channels] + ones, [1, form.channels] + ones].contains(source.shape)
    }

    private mutating func perChannel(_ source: TensorSource, _ form: Blocked, of node: Graph.Node) -> Graph.ValueIndex {
        let ones = [Int](repeating: 1, count: form.rank)
        let shape = [ChannelBlocks.count(channels: form.channels)] + ones + [ChannelBlocks.channels]
        let count = shape.reduce(1, *)
        let made = TensorSource(
            .f32,
            shape: shape,
            .made([source]) { parts in
                let floats = parts[0].array(of: Float.self)
                return Tensor(floats + [Float](repeating: 0, count: count - floats.count), shape: shape)
            }
        )
        return newConstant("a channel's number of \(node.title)", made)
    }

    /// Along the channels: whole blocks follow one another.
    private mutating func emitConcat(_ node: Graph.Node, to output: Graph.ValueIndex) -> Bool {
        let forms = node.inputs.compactMap { $0.flatMap { blocked[$0] } }
        guard forms.count == node.inputs.count, let first = forms.first, let axis = node.integer("axis"),
            axis == 1 || axis == -1 - first.rank,
            forms.allSatisfy({ $0.groups == 1 && $0.rank == first.rank }),
            forms.dropLast().allSatisfy({ $0.channels % ChannelBlocks.channels == 0 })
        else { return false }
        var rewritten = node
        rewritten.attributes["axis"] = .integer(1)
        let channels = forms.reduce(0) { $0 + $1.channels }
        return emit(rewritten, forms.map(\.value), like: first, channels: channels, to: output)
    }

    /// By constant scales that leave batch and channels alone.
    private mutating func emitResize(
        _ node: Graph.Node,
        _ first: Graph.ValueIndex,
        to output: Graph.ValueIndex,
        in archive: borrowing RawSpan
    ) -> Bool {
        guard let form = blocked[first], node.version >= 11, node.attributes["axes"] == nil,
            node.attributes["keep_aspect_ratio_policy"] == nil, input(node, 3) == nil,
            let source = source(of: input(node, 2)), source.element == .f32, source.shape == [form.rank + 2]
        else { return false }
        if case .string("tf_crop_and_resize") = node.attributes["coordinate_transformation_mode"] { return false }
        let scales = source.tensor(in: archive).array(of: Float.self)
        guard scales[0] == 1, scales[1] == 1 else { return false }
        let longer = newConstant(
            "scales of \(node.title)",
            TensorSource(Tensor(scales + [1], shape: [scales.count + 1]))
        )
        var extent = form.extent
        extent.steps.append([-2] + scales.map { Int($0.bitPattern) })
        return emit(node, [form.value, nil, longer], like: form, extent: extent, to: output)
    }
}
