import Graphs

/// softmax(q · kᵀ · scale + mask) · v becomes one operator, which never makes all scores at once.
enum AttentionFusion {
    static func run(_ editor: inout GraphEditor, _ archive: borrowing RawSpan) {
        var place = 0
        while place < editor.nodes.count {
            defer { place += 1 }
            guard let node = editor.node(at: place), node.name == "MatMul", node.domain.isEmpty,
                let match = match(editor, node, archive),
                let (_, turned) = editor.node("Transpose", writing: match.key), var order = turned.integers("perm")
            else { continue }
            // The keys as they were before their last two dimensions were exchanged.
            order.swapAt(2, 3)
            let shape = editor.shape(match.key).map { [$0[0], $0[1], $0[3], $0[2]] }
            let keys = editor.newValue(ValueFacts(.f32, shape))
            let transpose = Graph.Node(
                "Transpose",
                version: 13,
                title: turned.title,
                inputs: turned.inputs,
                outputs: [keys],
                attributes: ["perm": .integers(order)]
            )
            editor.replace(place, withAll: [transpose, Self.node(match, keys, of: node)])
            place += 1
        }
    }

    private static func node(_ match: Match, _ keys: Graph.ValueIndex, of node: Graph.Node) -> Graph.Node {
        Graph.Node(
            "Attention",
            version: 23,
            title: node.title,
            inputs: [match.query, keys, node.input(1)] + (match.mask.map { [$0] } ?? []),
            outputs: node.outputs,
            attributes: ["scale": .float(Float(match.scale))]
        )
    }

    private struct Match {
        var query: Graph.ValueIndex
        /// [batch, heads, width, steps], as the product reads it.
        var key: Graph.ValueIndex
        var scale = 1.0
        var mask: Graph.ValueIndex?
    }

    private static func match(
        _ editor: GraphEditor,
        _ node: Graph.Node,
        _ archive: borrowing RawSpan
    ) -> Match? {
        guard let (_, softmax) = alone(editor, "Softmax", node.input(0)), var scores = softmax.input(0),
            editor.shape(scores)?.count == 4, [-1, 3].contains(softmax.integer("axis") ?? -1), softmax.version >= 13
        else { return nil }
        var mask: Graph.ValueIndex?
        var scale = 1.0
        if let (_, sum) = alone(editor, "Add", scores) {
            let isFirst =
                editor.producer(of: sum.input(0)).flatMap { editor.node(at: $0) }
                .map { ["MatMul", "Mul", "Div"].contains($0.name) && editor.isReadOnce(sum.input(0) ?? 0) } ?? false
            guard let inner = sum.input(isFirst ? 0 : 1), let other = sum.input(isFirst ? 1 : 0),
                let rank = editor.shape(other)?.count, rank == 4 || rank == 2, editor.element(other) == .f32
            else { return nil }
            (scores, mask) = (inner, other)
        }
        if let (_, division) = alone(editor, "Div", scores),
            let number = editor.scalar(division.input(1), in: archive),
            number != 0, let inner = division.input(0)
        {
            (scores, scale) = (inner, 1 / number)
        } else if let (_, product) = alone(editor, "Mul", scores) {
            for side in 0...1 {
                guard let number = editor.scalar(product.input(side), in: archive),
                    let inner = product.input(1 - side)
                else { continue }
                (scores, scale) = (inner, number)
            }
        }
        guard let (_, product) = alone(editor, "MatMul", scores), var query = product.input(0),
            var key = product.input(1)
        else { return nil }
        // torch multiplies queries and keys by the root of the scale, each before their product.
        (query, scale) = unscaled(editor, query, scale, archive)
        (key, scale) = unscaled(editor, key, scale, archive)
        guard let queries = editor.shape(query), let keys = editor.shape(key),
            let values = editor.shape(node.input(1)), editor.element(query) == .f32, queries.count == 4,
            keys.count == 4, values.count == 4, queries[..<2] == keys[..<2], values[..<2] == keys[..<2],
            editor.node("Transpose", writing: key)?.node.integers("perm")?.count == 4
        else { return nil }
        return Match(query: query, key: key, scale: scale, mask: mask)
    }

    /// An operand before it was multiplied by a number, and the number times `scale`.
    private static func unscaled(
        _ editor: GraphEditor,
        _ value: Graph.ValueIndex,
        _ scale: Double,
        _ archive: borrowing RawSpan
    ) -> (Graph.ValueIndex, Double) {
        guard let (_, product) = alone(editor, "Mul", value), let shape = editor.shape(value) else {
            return (value, scale)
        }
        for side in 0...1 {
            guard let number = editor.scalar(product.input(side), in: archive), let inner = product.input(1 - side),
                editor.shape(inner) == shape
            else { continue }
            return (inner, scale * number)
        }
        return (value, scale)
    }

    /// The node that writes a value that nobody else reads.
    private static func alone(
        _ editor: GraphEditor,
        _ name: String,
        _ value: Graph.ValueIndex?
    ) -> (place: Int, node: Graph.Node)? {
        guard let value, editor.isReadOnce(value) else { return nil }
        return editor.node(name, writing: value)
    }
}
