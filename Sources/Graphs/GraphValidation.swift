extension Graph {
    /// Refuses a graph that the runner could not follow: each index within its table, each value written once and
    /// before it is read, each body run by one node, each operator known.
    package func validate() throws(GraphError) {
        guard let main = bodies.first else { throw .invalid("the graph has no body") }
        guard valueCount <= GraphLimits.valuesMax, bodies.count <= GraphLimits.nodesMax else {
            throw .invalid("the graph has more than \(GraphLimits.valuesMax) values")
        }
        guard main.inputs == inputs.map(\.value), main.outputs == outputs.map(\.value) else {
            throw .invalid("the graph's inputs and outputs are not those of its first body")
        }
        var check = GraphCheck(graph: self)
        try check.constants()
        try check.body(0, depth: 0)
        guard check.isRun.allSatisfy(\.self) else { throw .invalid("a body of the graph is run by no node") }
    }
}

private struct GraphCheck {
    let graph: Graph
    /// By value: can be read where the check stands.
    var isVisible: [Bool]
    /// By value: somebody writes it.
    var isWritten: [Bool]
    var isRun: [Bool]

    init(graph: Graph) {
        self.graph = graph
        isVisible = .init(repeating: false, count: graph.valueCount)
        isWritten = isVisible
        isRun = .init(repeating: false, count: graph.bodies.count)
    }

    mutating func constants() throws(GraphError) {
        var names: Set<String> = []
        for constant in graph.constants {
            try write(constant.value, by: "a constant")
            guard constant.shape.count <= TensorLimits.rankMax, constant.shape.allSatisfy({ $0 >= 0 }) else {
                throw .invalid("the constant \(constant.name) has the impossible shape \(constant.shape)")
            }
            let count = try OperatorCall.elementCount(constant.shape)
            if constant.element == .string {
                guard constant.strings.count == count else {
                    throw .invalid("the constant \(constant.name) has \(constant.strings.count) texts, not \(count)")
                }
            } else if !names.insert(constant.name).inserted {
                throw .invalid("two constants are called \(constant.name)")
            }
        }
        for port in graph.inputs where port.hasDefault {
            guard graph.constants.contains(where: { $0.value == port.value }) else {
                throw .invalid("the input \(port.name) has a default that is no constant")
            }
        }
    }

    private mutating func write(_ value: Graph.ValueIndex, by writer: String) throws(GraphError) {
        guard (0..<graph.valueCount).contains(value), !isWritten[value] else {
            throw .invalid("\(writer) writes the value \(value), which is written already or does not exist")
        }
        isWritten[value] = true
        isVisible[value] = true
    }

    private func read(_ value: Graph.ValueIndex, by reader: String) throws(GraphError) {
        guard (0..<graph.valueCount).contains(value), isVisible[value] else {
            throw .invalid("\(reader) reads the value \(value), which nothing before it writes")
        }
    }

    mutating func body(_ index: Graph.BodyIndex, depth: Int) throws(GraphError) {
        guard graph.bodies.indices.contains(index), !isRun[index], depth <= GraphLimits.depthMax else {
            throw .invalid("a node runs the body \(index), which does not exist, is another's, or is nested too deep")
        }
        isRun[index] = true
        let body = graph.bodies[index]
        var own: [Graph.ValueIndex] = []
        let defaults = index == 0 ? Set(graph.inputs.filter(\.hasDefault).map(\.value)) : []
        for input in body.inputs where !defaults.contains(input) {
            try write(input, by: "an input")
            own.append(input)
        }
        for node in body.nodes {
            try self.node(node, depth: depth)
            for case let output? in node.outputs {
                try write(output, by: node.title)
                own.append(output)
            }
        }
        for output in body.outputs { try read(output, by: "an output") }
        // What a body writes is not seen around it.
        guard index != 0 else { return }
        for value in own { isVisible[value] = false }
    }

    private mutating func node(_ node: Graph.Node, depth: Int) throws(GraphError) {
        guard OperatorTable.find(node.name, domain: node.domain, version: node.version) != nil else {
            throw .unsupported("\(node.title) is no operator of this version")
        }
        guard node.inputs.count <= GraphLimits.arityMax, node.outputs.count <= GraphLimits.arityMax else {
            throw .invalid("\(node.title) has more than \(GraphLimits.arityMax) inputs or outputs")
        }
        let inputsMin = node.domain.isEmpty ? Self.inputsMin[node.name] ?? 0 : 0
        guard node.inputs.count >= inputsMin, !node.outputs.isEmpty else {
            throw .invalid(
                "\(node.title) has \(node.inputs.count) inputs and \(node.outputs.count) outputs; it needs \(inputsMin) and 1"
            )
        }
        for case let input? in node.inputs { try read(input, by: node.title) }
        for inner in node.bodies.sorted() { try body(inner, depth: depth + 1) }
    }

    /// Inputs of operators that the compiler finds by their place in the list; all others ask for theirs when they run.
    private static let inputsMin = [
        "Add": 2, "Sub": 2, "Mul": 2, "Div": 2, "Pow": 2, "MatMul": 2, "Gemm": 2, "Conv": 2, "BatchNormalization": 5,
        "Softmax": 1, "Sqrt": 1, "Erf": 1, "Sigmoid": 1, "Transpose": 1, "ReduceMean": 1,
    ]
}
