package import Graphs

/// A graph as a tensor model: any number of named inputs and outputs of any type.
enum GraphModel {
    static func model(of runner: GraphRunner, isClassifier: Bool) throws(TaskError) -> TensorModel {
        let graph = runner.graph
        let signature = try TensorSignature(of: graph, isClassifier: isClassifier)
        let places = signature.outputs.compactMap { port in graph.outputs.firstIndex { $0.name == port.name } }
        return TensorModel(signature: signature) { (inputs) throws(TaskFailure) in
            let values = graph.inputs.map { port in inputs[port.name].map { GraphValue.tensor($0) } ?? .none }
            let outputs: [GraphValue]
            do throws(GraphError) {
                outputs = try runner.run(values)
            } catch {
                if case .input(let sentence) = error { throw .badInput(sentence) }
                throw .model("\(error)")
            }
            var answer: [String: Tensor] = [:]
            for (port, place) in zip(signature.outputs, places) {
                guard case .tensor(let tensor) = outputs[place] else {
                    throw .model("the output \"\(port.name)\" is no tensor")
                }
                answer[port.name] = tensor
            }
            return answer
        }
    }
}

extension TensorSignature {
    /// Of a graph whose inputs and outputs are all tensors of a known type.
    ///
    /// - Parameter isClassifier: only its scores count, the first output of floats with a row for each example.
    package init(of graph: Graph, isClassifier: Bool) throws(TaskError) {
        var outputs: [Port] = []
        for port in graph.outputs { outputs.append(try Port(port, "output")) }
        if isClassifier {
            guard let scores = outputs.first(where: { $0.element == .f32 && $0.shape.count == 2 }) else {
                throw .mismatch("the model has no output of floats with a row for each example; use task tensor")
            }
            outputs = [scores]
        }
        var inputs: [Port] = []
        for port in graph.inputs where !port.hasDefault { inputs.append(try Port(port, "input")) }
        self.init(inputs: inputs, outputs: outputs)
    }
}

extension TensorSignature.Port {
    /// An output of an unknown shape is shown as a list.
    fileprivate init(_ port: Graph.Port, _ what: String) throws(TaskError) {
        guard port.kind == .tensor else {
            throw .mismatch("the model's \(what) \(port.name) is a \(port.kind), and only tensors can be sent")
        }
        guard let element = port.element else {
            throw .mismatch("the model does not say of what type its \(what) \(port.name) is")
        }
        let shape = port.shape ?? [.open("")]
        self.init(
            port.name,
            element,
            shape: shape.map { dimension in if case .fixed(let size) = dimension { size } else { -1 } }
        )
    }
}
