import Graphs

/// Nine nodes of a normalization by row become one.
///
///     d = x − mean(x)     y = d / √(mean(d²) + epsilon) · scale + shift
enum LayerNormFusion {
    static func run(_ editor: inout GraphEditor, _ archive: borrowing RawSpan) {
        for place in editor.nodes.indices {
            guard let node = editor.node(at: place), node.name == "Add", node.domain.isEmpty else { continue }
            for side in 0...1 {
                guard let match = match(editor, node.input(side), shift: node.input(1 - side), archive) else {
                    continue
                }
                let fused = Graph.Node(
                    "LayerNormalization",
                    version: 17,
                    title: node.title,
                    inputs: [match.input, match.scale, node.input(1 - side)],
                    outputs: node.outputs,
                    attributes: ["axis": .integer(-1), "epsilon": .float(match.epsilon)]
                )
                editor.replace(place, with: fused)
                break
            }
        }
    }

    private struct Match {
        var input: Graph.ValueIndex
        var scale: Graph.ValueIndex
        var epsilon: Float
    }

    private static func match(
        _ editor: GraphEditor,
        _ value: Graph.ValueIndex?,
        shift: Graph.ValueIndex?,
        _ archive: borrowing RawSpan
    ) -> Match? {
        guard let (_, scaled) = editor.node("Mul", writing: value), let shift = editor.constant(shift),
            shift.element == .f32, shift.shape.count == 1
        else { return nil }
        for side in 0...1 {
            guard let scale = scaled.input(1 - side), let source = editor.constant(scale),
                source.element == .f32, source.shape == shift.shape,
                let (_, division) = editor.node("Div", writing: scaled.input(side)),
                let (_, root) = editor.node("Sqrt", writing: division.input(1)),
                let (_, sum) = editor.node("Add", writing: root.input(0)),
                let input = centred(editor, division.input(0), archive)
            else { continue }
            for place in 0...1 {
                guard let epsilon = editor.scalar(sum.input(1 - place), in: archive),
                    squares(editor, sum.input(place), of: input, archive),
                    editor.shape(input)?.last?.known == shift.count
                else { continue }
                return Match(input: input, scale: scale, epsilon: Float(epsilon))
            }
        }
        return nil
    }

    /// The x of x − mean(x).
    private static func centred(
        _ editor: GraphEditor,
        _ value: Graph.ValueIndex?,
        _ archive: borrowing RawSpan
    ) -> Graph.ValueIndex? {
        guard let (_, difference) = editor.node("Sub", writing: value), let input = difference.input(0),
            let mean = rowMean(editor, difference.input(1), archive), mean == input
        else { return nil }
        return input
    }

    /// The x of the mean of each row of x.
    private static func rowMean(
        _ editor: GraphEditor,
        _ value: Graph.ValueIndex?,
        _ archive: borrowing RawSpan
    ) -> Graph.ValueIndex? {
        guard let (_, mean) = editor.node("ReduceMean", writing: value), mean.integer("keepdims") ?? 1 == 1,
            let input = mean.input(0)
        else { return nil }
        var axes = mean.integers("axes")
        if mean.inputs.count > 1, let source = editor.constant(mean.input(1)) {
            axes = try? source.tensor(in: archive).integers()
        }
        guard let axes, axes.count == 1 else { return nil }
        return axes[0] == -1 || axes[0] + 1 == editor.shape(input)?.count ? input : nil
    }

    /// Whether a value is the mean of (x − mean(x))².
    private static func squares(
        _ editor: GraphEditor,
        _ value: Graph.ValueIndex?,
        of input: Graph.ValueIndex,
        _ archive: borrowing RawSpan
    ) -> Bool {
        guard let squares = rowMean(editor, value, archive) else { return false }
        if let (_, power) = editor.node("Pow", writing: squares) {
            return editor.scalar(power.input(1), in: archive) == 2
                && centred(editor, power.input(0), archive) == input
        }
        guard let (_, product) = editor.node("Mul", writing: squares), product.input(0) == product.input(1) else {
            return false
        }
        return centred(editor, product.input(0), archive) == input
    }
}
