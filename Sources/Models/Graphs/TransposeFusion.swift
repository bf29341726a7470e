import Graphs

/// A transposition of a transposition is one, or none.
enum TransposeFusion {
    static func run(_ editor: inout GraphEditor) {
        for place in editor.nodes.indices {
            guard let node = editor.node(at: place), node.name == "Transpose", node.domain.isEmpty,
                let order = node.integers("perm"), let output = node.outputs.first ?? nil,
                let (_, inner) = editor.node("Transpose", writing: node.input(0)),
                let first = inner.integers("perm"), first.count == order.count, let input = inner.input(0),
                order.allSatisfy({ first.indices.contains($0) })
            else { continue }
            let both = order.map { first[$0] }
            if both == Array(both.indices) {
                editor.redirect(output, to: input)
                editor.remove(place)
                continue
            }
            var merged = node
            merged.inputs = [input]
            merged.attributes["perm"] = .integers(both)
            editor.replace(place, with: merged)
        }
    }
}
