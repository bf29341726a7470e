import Graphs

/// x · ½ · (1 + erf(x / √2)) becomes Gelu, and x · sigmoid(x) becomes Swish, in whatever order the factors were written.
enum GeluFusion {
    static func run(_ editor: inout GraphEditor, _ archive: borrowing RawSpan) {
        for place in editor.nodes.indices {
            guard let node = editor.node(at: place), node.name == "Mul", node.domain.isEmpty else { continue }
            guard let (name, input) = match(editor, node, archive) else { continue }
            let fused = Graph.Node(
                name,
                version: name == "Gelu" ? 20 : 24,
                title: node.title,
                inputs: [input],
                outputs: node.outputs
            )
            editor.replace(place, with: fused)
        }
    }

    private static func match(
        _ editor: GraphEditor,
        _ node: Graph.Node,
        _ archive: borrowing RawSpan
    ) -> (name: String, input: Graph.ValueIndex)? {
        var factors: [Graph.ValueIndex] = []
        var scale = 1.0
        collect(editor, node, &factors, &scale, depth: 0, archive)
        guard factors.count == 2 else { return nil }
        for (first, second) in [(factors[0], factors[1]), (factors[1], factors[0])] {
            if abs(scale - 0.5) < 1e-4, gate(editor, first, archive) == second { return ("Gelu", second) }
            if scale == 1, let (_, sigmoid) = editor.node("Sigmoid", writing: first), sigmoid.input(0) == second {
                return ("Swish", second)
            }
        }
        return nil
    }

    /// The factors of a product of products that nobody else reads; numbers are gathered in `scale`.
    private static func collect(
        _ editor: GraphEditor,
        _ node: Graph.Node,
        _ factors: inout [Graph.ValueIndex],
        _ scale: inout Double,
        depth: Int,
        _ archive: borrowing RawSpan
    ) {
        for case let input? in node.inputs {
            if let number = editor.scalar(input, in: archive) {
                scale *= number
            } else if depth < 2, editor.isReadOnce(input), let (_, inner) = editor.node("Mul", writing: input) {
                collect(editor, inner, &factors, &scale, depth: depth + 1, archive)
            } else {
                factors.append(input)
            }
        }
    }

    /// The x of 1 + erf(x / √2).
    private static func gate(
        _ editor: GraphEditor,
        _ value: Graph.ValueIndex,
        _ archive: borrowing RawSpan
    ) -> Graph.ValueIndex? {
        guard let (_, sum) = editor.node("Add", writing: value) else { return nil }
        for side in 0...1 {
            guard editor.scalar(sum.input(1 - side), in: archive) == 1,
                let (_, erf) = editor.node("Erf", writing: sum.input(side)),
                let place = editor.producer(of: erf.input(0)),
                let scaled = editor.node(at: place), scaled.inputs.count == 2
            else { continue }
            let root = 2.0.squareRoot()
            if scaled.name == "Div", let number = editor.scalar(scaled.input(1), in: archive),
                abs(number - root) < 1e-4
            {
                return scaled.input(0)
            }
            guard scaled.name == "Mul" else { continue }
            for side in 0...1 {
                guard let number = editor.scalar(scaled.input(side), in: archive), abs(number - 1 / root) < 1e-4 else {
                    continue
                }
                return scaled.input(1 - side)
            }
        }
        return nil
    }
}
