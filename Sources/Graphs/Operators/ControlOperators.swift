/// Subgraphs run by a condition, again and again, or for each slice.
enum ControlOperators {
    static let operators: [Operator] = [
        Operator("If") { (call) throws(GraphError) in
            try call.run(subgraph: truth(call.tensor(0)) ? "then_branch" : "else_branch", [])
        },
        Operator("Loop", loop),
        Operator("Scan", versions: 1...8, scanWithBatches),
        Operator("Scan", versions: 9...Int.max) { (call) throws(GraphError) in
            try scan(call, inputs: call.inputs)
        },
        Operator("SequenceMap", sequenceMap),
    ]

    private static func truth(_ tensor: Tensor) throws(GraphError) -> Bool {
        guard tensor.count == 1, tensor.element == .bool else {
            throw .input("a condition is one truth value, not \(tensor.element) \(tensor.shape)")
        }
        return tensor.array(of: TensorBool.self)[0].value
    }

    private static func tensor(_ value: GraphValue) throws(GraphError) -> Tensor {
        guard case .tensor(let tensor) = value else { throw .invalid("a subgraph gave no tensor where one is needed") }
        return tensor
    }

    private static func loop(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        guard call.inputs.count >= 2 else { throw .invalid("the trip count or the condition is missing") }
        let trips = try call.integers(0)?.first ?? Int.max
        var goesOn = true
        if let condition = call.optionalTensor(1) { goesOn = try truth(condition) }
        var carried = Array(call.inputs.dropFirst(2))
        let scanCount = max(call.outputCount - carried.count, 0)
        var scanned = [[Tensor]](repeating: [], count: scanCount)
        var trip = 0
        while goesOn, trip < trips {
            let condition = Tensor(scalar: TensorBool(true))
            let inputs = [.tensor(Tensor(scalar: Int64(trip))), .tensor(condition)] + carried
            let outputs = try call.run(subgraph: "body", inputs)
            guard outputs.count >= 1 + carried.count + scanCount else {
                throw .invalid("the body gives \(outputs.count) values, too few for \(carried.count) carried")
            }
            goesOn = try truth(tensor(outputs[0]))
            for index in 0..<scanCount {
                scanned[index].append(try tensor(outputs[1 + carried.count + index]))
            }
            carried = Array(outputs[1..<1 + carried.count])
            trip += 1
        }
        var results = carried
        for tensors in scanned {
            guard !tensors.isEmpty else {
                // Nothing ran that could say a shape.
                results.append(.tensor(Tensor([] as [Float], shape: [0])))
                continue
            }
            results.append(.tensor(try SequenceOperators.stack(tensors, axis: 0, call)))
        }
        return results
    }

    /// One run of the body for each slice of the scanned inputs.
    private static func scan(
        _ call: borrowing OperatorCall,
        inputs: [GraphValue],
        directionsName: String = "scan_input_directions"
    ) throws(GraphError) -> [GraphValue] {
        guard let scanCount = try call.integer("num_scan_inputs"), scanCount > 0, scanCount <= inputs.count else {
            throw .invalid("num_scan_inputs does not fit \(inputs.count) inputs")
        }
        var states = Array(inputs.dropLast(scanCount))
        let inputAxes = try call.integers("scan_input_axes") ?? []
        let directions = try call.integers(directionsName) ?? []
        var sources: [(tensor: Tensor, axis: Int, isReverse: Bool)] = []
        for (index, value) in inputs.suffix(scanCount).enumerated() {
            let tensor = try tensor(value)
            let axis = try Axes.resolve(index < inputAxes.count ? inputAxes[index] : 0, rank: tensor.rank)
            sources.append((tensor, axis, index < directions.count && directions[index] != 0))
        }
        let steps = sources[0].tensor.shape[sources[0].axis]
        guard sources.allSatisfy({ $0.tensor.shape[$0.axis] == steps }) else {
            throw .input("the scanned inputs are of different lengths")
        }
        var collected: [[Tensor]] = []
        for step in 0..<steps {
            var arguments = states
            for source in sources {
                let view = StridedView(source.tensor.shape).sliced(
                    axis: source.axis,
                    from: source.isReverse ? steps - 1 - step : step,
                    count: 1
                )
                var shape = view.shape
                shape.remove(at: source.axis)
                arguments.append(.tensor(try call.materialise(source.tensor, view, as: shape)))
            }
            let outputs = try call.run(subgraph: "body", arguments)
            guard outputs.count >= states.count else { throw .invalid("the body gives too few states") }
            states = Array(outputs[..<states.count])
            let rest = outputs[states.count...]
            if collected.isEmpty { collected = [[Tensor]](repeating: [], count: rest.count) }
            for (index, value) in rest.enumerated() { collected[index].append(try tensor(value)) }
        }
        return try states + joined(collected, stateCount: states.count, call)
    }

    private static func joined(
        _ collected: [[Tensor]],
        stateCount: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> [GraphValue] {
        let axes = try call.integers("scan_output_axes") ?? []
        let directions = try call.integers("scan_output_directions") ?? []
        var results: [GraphValue] = []
        for (index, tensors) in collected.enumerated() {
            let given = index < axes.count ? axes[index] : 0
            let axis = try Axes.resolve(given, rank: tensors[0].rank + 1)
            let isReverse = index < directions.count && directions[index] != 0
            results.append(
                .tensor(try SequenceOperators.stack(isReverse ? tensors.reversed() : tensors, axis: axis, call))
            )
        }
        while results.count < call.outputCount - stateCount {
            results.append(.tensor(Tensor([] as [Float], shape: [0])))
        }
        return results
    }

    /// Operator set 8: lengths first, and a batch in front of everything.
    private static func scanWithBatches(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        if case .some(.tensor) = call.inputs.first {
            throw .unsupported(
                "Scan of operator set 8 with lengths of sequences is not supported; export with 9 or later"
            )
        }
        var inputs: [Tensor] = []
        for value in call.inputs.dropFirst() { inputs.append(try tensor(value)) }
        guard let batches = inputs.first?.shape.first, inputs.allSatisfy({ $0.shape.first == batches }), batches > 0
        else { throw .input("the inputs do not have one batch in front") }
        var results: [[Tensor]] = []
        for batch in 0..<batches {
            var slices: [GraphValue] = []
            for tensor in inputs {
                let view = StridedView(tensor.shape).sliced(axis: 0, from: batch, count: 1)
                slices.append(.tensor(try call.materialise(tensor, view, as: Array(tensor.shape.dropFirst()))))
            }
            let outputs = try scan(call, inputs: slices, directionsName: "directions")
            if results.isEmpty { results = [[Tensor]](repeating: [], count: outputs.count) }
            for (index, value) in outputs.enumerated() { results[index].append(try tensor(value)) }
        }
        var stacked: [GraphValue] = []
        for tensors in results { stacked.append(.tensor(try SequenceOperators.stack(tensors, axis: 0, call))) }
        return stacked
    }

    private static func sequenceMap(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        guard case .sequence(let first) = call.inputs.first else { throw .invalid("input 0 is no sequence") }
        var results = [[Tensor]](repeating: [], count: call.outputCount)
        for index in first.indices {
            var arguments: [GraphValue] = []
            for value in call.inputs {
                guard case .sequence(let tensors) = value else {
                    arguments.append(value)
                    continue
                }
                guard index < tensors.count else { throw .input("the sequences are of different lengths") }
                arguments.append(.tensor(tensors[index]))
            }
            let outputs = try call.run(subgraph: "body", arguments)
            guard outputs.count >= results.count else { throw .invalid("the body gives too few values") }
            for place in results.indices { results[place].append(try tensor(outputs[place])) }
        }
        return results.map { .sequence($0) }
    }
}
