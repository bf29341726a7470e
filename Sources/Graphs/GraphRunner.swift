/// Follows a graph, one call at a time, on one thread.
///
/// A value's memory goes back to the pool after the last node that reads it, and an output's when the next call begins
/// and its caller has let go of it: after the first call of a shape, no tensor asks the system for memory.
package final class GraphRunner {
    package let graph: Graph
    /// By body.
    private let schedules: [Schedule]
    private let pool = MemoryPool()
    /// By value: what it is just now.
    private var values: [GraphValue]
    /// Memory of the last call's outputs.
    private var lent: [TensorMemory] = []

    /// - Parameter constant: a constant's tensor, of the constant's element and shape; it outlives the runner. Asked for
    ///   constants of numbers only.
    package init(
        _ graph: Graph,
        constant lookup: (Graph.Constant) -> Tensor?
    ) throws(GraphError) {
        try graph.validate()
        self.graph = graph
        values = .init(repeating: .none, count: graph.valueCount)
        for constant in graph.constants {
            if constant.element == .string {
                values[constant.value] = .tensor(Tensor(strings: constant.strings, shape: constant.shape))
                continue
            }
            guard let tensor = lookup(constant), tensor.element == constant.element, tensor.shape == constant.shape
            else { throw .invalid("the constant \(constant.name) is missing, or of another type or shape") }
            values[constant.value] = .tensor(tensor)
        }
        var schedules: [Schedule] = []
        for index in graph.bodies.indices { schedules.append(try Schedule(of: index, in: graph)) }
        self.schedules = schedules
    }

    /// Memory that the system was asked for, in pieces; for tests.
    var allocationCount: Int { pool.allocationCount }

    /// Runs the graph; `inputs` are in the order of the graph's, `.none` for one that has a default.
    ///
    /// Types and shapes are checked against the ports.
    package func run(_ inputs: [GraphValue]) throws(GraphError) -> [GraphValue] {
        guard inputs.count == graph.inputs.count else {
            throw .input("\(inputs.count) inputs, the graph has \(graph.inputs.count)")
        }
        var sizes: [String: Int] = [:]
        var filled: [GraphValue] = []
        for (port, value) in zip(graph.inputs, inputs) {
            if case .none = value, port.hasDefault {
                filled.append(values[port.value])
                continue
            }
            try port.check(value, sizes: &sizes)
            filled.append(value)
        }
        let defaults = graph.inputs.filter(\.hasDefault).map { ($0.value, values[$0.value]) }
        defer { for (value, tensor) in defaults { values[value] = tensor } }
        while let memory = lent.popLast() { pool.giveBack(consume memory) }
        let outputs = try run(body: 0, filled)
        for case .tensor(let tensor) in outputs { if let memory = tensor.memory { lent.append(memory) } }
        return outputs
    }

    private func run(body index: Graph.BodyIndex, _ inputs: [GraphValue]) throws(GraphError) -> [GraphValue] {
        let schedule = schedules[index]
        guard inputs.count == schedule.inputs.count else {
            throw .invalid("a subgraph has \(schedule.inputs.count) inputs and is given \(inputs.count)")
        }
        for (value, input) in zip(schedule.inputs, inputs) { values[value] = input }
        do throws(GraphError) {
            for step in schedule.steps {
                try run(step)
                for value in step.releases { release(value) }
            }
        } catch {
            for value in schedule.own { values[value] = .none }
            throw error
        }
        let outputs = schedule.outputs.map { values[$0] }
        for value in schedule.remaining { values[value] = .none }
        return outputs
    }

    private func run(_ step: Schedule.Step) throws(GraphError) {
        let outputs: [GraphValue]
        do throws(GraphError) {
            let call = OperatorCall(
                inputs: step.inputs.map { $0.map { values[$0] } ?? .none },
                attributes: step.attributes,
                version: step.version,
                outputCount: step.outputs.count,
                pool: pool,
                subgraphs: step.runsBodies
                    ? { (body, inputs) throws(GraphError) in try self.run(body: body, inputs) } : nil
            )
            outputs = try step.operation.body(call)
        } catch {
            throw error.at(step.title)
        }
        for (place, value) in step.outputs.enumerated() {
            guard let value else { continue }
            guard place < outputs.count else {
                throw .unsupported("\(step.title): the output \(place) is not supported")
            }
            values[value] = outputs[place]
        }
    }

    private func release(_ value: Graph.ValueIndex) {
        guard let memory = Self.take(&values[value]) else { return }
        pool.giveBack(consume memory)
    }

    /// The memory of a tensor that is dropped.
    private static func take(_ value: inout GraphValue) -> TensorMemory? {
        defer { value = .none }
        guard case .tensor(let tensor) = value else { return nil }
        return tensor.memory
    }
}

/// A body as the runner follows it.
private struct Schedule {
    struct Step {
        let operation: Operator
        let title: String
        let version: Int
        let inputs: [Graph.ValueIndex?]
        let outputs: [Graph.ValueIndex?]
        let attributes: [String: Attribute]
        let runsBodies: Bool
        /// Values that nobody reads after this step.
        var releases: [Graph.ValueIndex] = []
    }

    let inputs: [Graph.ValueIndex]
    let outputs: [Graph.ValueIndex]
    private(set) var steps: [Step] = []
    /// All that the body writes.
    private(set) var own: [Graph.ValueIndex]
    /// What is left of that when its steps are done.
    private(set) var remaining: [Graph.ValueIndex]

    init(of index: Graph.BodyIndex, in graph: Graph) throws(GraphError) {
        let body = graph.bodies[index]
        inputs = body.inputs
        outputs = body.outputs
        own = body.inputs
        var lastReader: [Graph.ValueIndex: Int] = [:]
        for (place, node) in body.nodes.enumerated() {
            guard let operation = OperatorTable.find(node.name, domain: node.domain, version: node.version) else {
                throw .unsupported("\(node.title) is no operator of this version")
            }
            steps.append(
                Step(
                    operation: operation,
                    title: node.title,
                    version: node.version,
                    inputs: node.inputs,
                    outputs: node.outputs,
                    attributes: node.attributes,
                    runsBodies: !node.bodies.isEmpty
                )
            )
            for case let output? in node.outputs {
                own.append(output)
                lastReader[output] = place
            }
            for value in graph.reads(of: node) { lastReader[value] = place }
        }
        let kept = Set(outputs)
        remaining = own.filter { kept.contains($0) || lastReader[$0] == nil }
        // A default's constant stays.
        let isKept = kept.union(graph.constants.map(\.value))
        for value in own where !isKept.contains(value) {
            if let place = lastReader[value] { steps[place].releases.append(value) }
        }
    }
}

extension Graph.Port {
    /// Whether a caller's value is what the port says; `sizes` are those of the open dimensions so far.
    func check(_ value: GraphValue, sizes: inout [String: Int]) throws(GraphError) {
        guard case .tensor(let tensor) = value else {
            if kind == .tensor { throw .input("the input \(name) should be a tensor") }
            return
        }
        if let element, tensor.element != element {
            throw .input("the input \(name) should be of type \(element), it is \(tensor.element)")
        }
        guard kind == .tensor, let shape else { return }
        guard tensor.shape.count == shape.count else {
            throw .input("the input \(name) should have \(shape.count) dimensions, it has the shape \(tensor.shape)")
        }
        for (place, dimension) in shape.enumerated() {
            let size = tensor.shape[place]
            switch dimension {
            case .fixed(let fixed) where fixed != size:
                throw .input("the input \(name) should have \(fixed) in dimension \(place), it has \(size)")
            case .open(let symbol) where !symbol.isEmpty:
                let first = sizes[symbol, default: size]
                guard first == size else {
                    throw .input("the input \(name) has \(size) for \(symbol), another input has \(first)")
                }
                sizes[symbol] = first
            default: break
            }
        }
    }
}
