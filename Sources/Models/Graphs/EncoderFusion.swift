import Graphs
import Kernels

/// Attention between three products of one input becomes one product and `thaw.Attention`, whose heads are never
/// turned; a residual that is added before a normalization goes into it.
///
///     x ─► Linear ×3 ─► Reshape ─► Transpose ─► Attention ─► Transpose ─► Reshape
///     x ─► Linear (three times as wide) ─► thaw.Attention
enum EncoderFusion {
    static func run(_ editor: inout GraphEditor) {
        for place in editor.nodes.indices {
            guard let node = editor.node(at: place), node.domain.isEmpty else { continue }
            switch node.name {
            case "Reshape": takeAttention(&editor, place, node)
            case "LayerNormalization": takeResidual(&editor, place, node)
            default: break
            }
        }
    }

    private static func takeResidual(_ editor: inout GraphEditor, _ place: Int, _ node: Graph.Node) {
        guard node.inputs.count == 3, node.outputs.count == 1, let input = node.input(0), let scale = node.input(1),
            let shift = node.input(2), editor.isReadOnce(input),
            let (sum, addition) = editor.node("Add", writing: input),
            addition.inputs.count == 2, let first = addition.input(0), let second = addition.input(1),
            let shape = editor.shape(first),
            shape == editor.shape(second), let columns = shape.last?.known, columns > 0,
            [-1, shape.count - 1].contains(node.integer("axis") ?? -1),
            [first, second].allSatisfy({ editor.element($0) == .f32 }),
            [scale, shift].allSatisfy({
                editor.constant($0)?.element == .f32 && editor.constant($0)?.shape == [columns]
            })
        else { return }
        let fused = Graph.Node(
            "LayerNorm",
            domain: "thaw",
            version: 1,
            title: node.title,
            inputs: [first, second, scale, shift],
            outputs: node.outputs,
            attributes: ["epsilon": .float(node.float("epsilon") ?? 1e-5)]
        )
        editor.replace(place, with: fused)
        editor.remove(sum)
    }

    private static func takeAttention(_ editor: inout GraphEditor, _ place: Int, _ node: Graph.Node) {
        guard let match = match(editor, node), let weights = joined(editor, match.products) else { return }
        let (first, title) = (match.products[0], match.attention.title)
        let (inner, columns) = (first.integer("inner") ?? 0, first.integer("columns") ?? 0)
        let packed = TensorSource.panels(
            of: weights.weight,
            inner: inner,
            columns: 3 * columns,
            isColumnMajor: false,
            format: .f32
        )
        var inputs = [first.input(0), editor.addConstant(packed, insteadOf: first.input(1))]
        if let bias = weights.bias { inputs.append(editor.addConstant(bias, insteadOf: first.input(2))) }
        let fused = editor.newValue(ValueFacts(.f32, match.shape.dropLast() + [.known(3 * columns)]))
        let product = Graph.Node(
            "Linear",
            domain: "thaw",
            version: 1,
            title: title,
            inputs: inputs,
            outputs: [fused],
            attributes: ["inner": .integer(inner), "columns": .integer(3 * columns)]
        )
        let attention = Graph.Node(
            "Attention",
            domain: "thaw",
            version: 1,
            title: title,
            inputs: [fused] + match.attention.inputs.dropFirst(3),
            outputs: node.outputs,
            attributes: ["heads": .integer(match.heads)]
        )
        // The product stands where the attention's operands were all ready; the nodes between are read by nobody now.
        editor.replace(match.place, with: product)
        editor.replace(place, with: attention)
    }

    private struct Match {
        var place: Int
        var attention: Graph.Node
        /// Those of q, k and v.
        var products: [Graph.Node]
        var heads: Int
        /// [batch, steps, heads · width], of each product and of what comes out.
        var shape: [Size]
    }

    /// - Parameter node: the last Reshape, which puts the heads side by side.
    private static func match(_ editor: GraphEditor, _ node: Graph.Node) -> Match? {
        guard let output = node.outputs.first ?? nil, let shape = editor.shape(output), shape.count == 3,
            let turned = node.inputs.first ?? nil, editor.isReadOnce(turned),
            let (_, last) = editor.node("Transpose", writing: turned), last.integers("perm") == [0, 2, 1, 3],
            let heads = last.input(0), editor.isReadOnce(heads),
            let (place, attention) = editor.node("Attention", writing: heads), attention.outputs.count == 1,
            (3...4).contains(attention.inputs.count), let sizes = editor.shape(attention.input(0)), sizes.count == 4,
            let count = sizes[1].known, let width = sizes[3].known, count > 0, width > 0,
            shape == [sizes[0], sizes[2], .known(count * width)],
            let scale = attention.float("scale"), abs(Double(scale) * Double(width).squareRoot() - 1) < 1e-5,
            attention.attributes.count == 1
        else { return nil }
        var products: [Graph.Node] = []
        for case let input? in attention.inputs.prefix(3) {
            guard let product = product(editor, behind: input, sizes, shape) else { return nil }
            products.append(product)
        }
        guard products.count == 3 else { return nil }
        return Match(place: place, attention: attention, products: products, heads: count, shape: shape)
    }

    /// The product whose columns are the heads of one operand, if it serves nothing else.
    private static func product(
        _ editor: GraphEditor,
        behind operand: Graph.ValueIndex,
        _ heads: [Size],
        _ flat: [Size]
    ) -> Graph.Node? {
        guard editor.isReadOnce(operand), editor.shape(operand) == heads,
            let (_, turn) = editor.node("Transpose", writing: operand), turn.integers("perm") == [0, 2, 1, 3],
            let shaped = turn.input(0), editor.isReadOnce(shaped),
            let (_, reshape) = editor.node("Reshape", writing: shaped), let value = reshape.input(0),
            editor.isReadOnce(value), editor.shape(value) == flat, let place = editor.producer(of: value),
            let linear = editor.node(at: place), linear.domain == "thaw", linear.name == "Linear",
            linear.attributes["activation"] == nil
        else { return nil }
        return linear
    }

    /// The weights of products of one input side by side, and their biases; nil where they are of several kinds.
    private static func joined(
        _ editor: GraphEditor,
        _ products: [Graph.Node]
    ) -> (weight: TensorSource, bias: TensorSource?)? {
        let first = products[0]
        guard let inner = first.integer("inner"), let columns = first.integer("columns"), columns < 1 << 22 else {
            return nil
        }
        var weights: [(source: TensorSource, isColumnMajor: Bool)] = []
        var biases: [TensorSource] = []
        for product in products {
            guard product.input(0) == first.input(0), product.inputs.count == first.inputs.count,
                product.integer("inner") == inner, product.integer("columns") == columns,
                case .panels(let source, _, _, let isColumnMajor, .f32)? = editor.constant(product.input(1))?.numbers
            else { return nil }
            weights.append((source, isColumnMajor))
            guard product.inputs.count > 2 else { continue }
            guard let bias = editor.constant(product.input(2)) else { return nil }
            biases.append(bias)
        }
        let isColumnMajor = weights.map(\.isColumnMajor)
        let weight = TensorSource(
            .f32,
            shape: [inner, 3 * columns],
            .made(weights.map(\.source)) { sideBySide($0, isColumnMajor, inner: inner, columns: columns) }
        )
        guard !biases.isEmpty else { return (weight, nil) }
        let bias = TensorSource(
            .f32,
            shape: [3 * columns],
            .made(biases) { Tensor($0.flatMap { $0.array(of: Float.self) }, shape: [3 * columns]) }
        )
        return (weight, bias)
    }

    private static func sideBySide(_ tensors: [Tensor], _ isColumnMajor: [Bool], inner: Int, columns: Int) -> Tensor {
        let parts = tensors.map { $0.array(of: Float.self) }
        var joined: [Float] = []
        joined.reserveCapacity(inner * columns * parts.count)
        for row in 0..<inner {
            for (part, isColumnMajor) in zip(parts, isColumnMajor) {
                if isColumnMajor {
                    joined += (0..<columns).map { part[$0 * inner + row] }
                } else {
                    joined += part[row * columns..<(row + 1) * columns]
                }
            }
        }
        return Tensor(joined, shape: [inner, columns * parts.count])
    }
}
