package import Graphs
package import Kernels

extension ImportedGraph {
    /// The same graph with the weights of its products in another format, where the format allows it.
    package func with(_ format: WeightFormat) -> ImportedGraph {
        var changed = self
        var places: [Graph.ValueIndex: Int] = [:]
        for (place, constant) in graph.constants.enumerated() { places[constant.value] = place }
        for body in graph.bodies.indices {
            for (index, node) in graph.bodies[body].nodes.enumerated()
            where node.domain == "thaw" && node.name == "Linear" {
                guard let place = node.inputs[1].flatMap({ places[$0] }),
                    case .panels(let source, let inner, let columns, let isColumnMajor, _) = sources[place].numbers,
                    inner <= format.innerMax
                else { continue }
                let panels = TensorSource.panels(
                    of: source,
                    inner: inner,
                    columns: columns,
                    isColumnMajor: isColumnMajor,
                    format: format
                )
                changed.sources[place] = panels
                changed.graph.constants[place].element = panels.element
                changed.graph.constants[place].shape = panels.shape
                changed.graph.bodies[body].nodes[index].attributes["format"] = .integer(Int(format.rawValue))
            }
        }
        return changed
    }

    /// Numbers that its only input takes for one example, and the input's shape; nil where there are several inputs,
    /// or it takes something else than floats.
    package var onlyInput: (count: Int, shape: [Int])? {
        let ports = graph.inputs.filter { !$0.hasDefault }
        guard ports.count == 1, let port = ports.first, port.element == .f32, let dimensions = port.shape,
            graph.outputs.contains(where: { $0.element == .f32 && $0.kind == .tensor })
        else { return nil }
        let shape = dimensions.map { dimension in if case .fixed(let size) = dimension { size } else { 1 } }
        guard let count = try? OperatorCall.elementCount(shape), count <= ModelLimits.attributeNumbersMax else {
            return nil
        }
        return (count, shape)
    }
}

/// An imported graph in memory, ready to run: for whoever measures it before it is written.
package final class HeldGraph {
    package let model: ImportedGraph
    private let runner: GraphRunner

    package init(_ model: ImportedGraph, in archive: borrowing RawSpan) throws(GraphError) {
        self.model = model
        runner = try model.runner(in: archive)
    }

    /// What the first output of floats has for one example.
    package func run(input: [Float]) throws(GraphError) -> [Float] {
        guard let (count, shape) = model.onlyInput, count == input.count else {
            throw .input("\(input.count) numbers for a graph that takes others")
        }
        let inputs = model.graph.inputs.map { port in
            port.hasDefault ? GraphValue.none : .tensor(Tensor(input, shape: shape))
        }
        let outputs = try runner.run(inputs)
        for case .tensor(let tensor) in outputs where tensor.element == .f32 { return tensor.array(of: Float.self) }
        return []
    }
}
