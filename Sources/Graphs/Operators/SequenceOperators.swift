/// Lists of tensors, and values that may be absent.
enum SequenceOperators {
    static let operators: [Operator] = [
        Operator("SequenceEmpty") { _ throws(GraphError) in [.sequence([])] },
        Operator("SequenceConstruct") { (call) throws(GraphError) in try [.sequence(call.tensors())] },
        Operator("SequenceLength") { (call) throws(GraphError) in
            try [.tensor(Tensor(scalar: Int64(sequence(call).count)))]
        },
        Operator("SequenceAt") { (call) throws(GraphError) in
            let tensors = try sequence(call)
            return try [.tensor(tensors[place(call, index: 1, count: tensors.count)])]
        },
        Operator("SequenceErase") { (call) throws(GraphError) in
            var tensors = try sequence(call)
            guard !tensors.isEmpty else { throw .input("nothing to take out of an empty sequence") }
            let isLast = call.optionalTensor(1) == nil
            tensors.remove(at: isLast ? tensors.count - 1 : try place(call, index: 1, count: tensors.count))
            return [.sequence(tensors)]
        },
        Operator("SequenceInsert") { (call) throws(GraphError) in
            var tensors = try sequence(call)
            let isLast = call.optionalTensor(2) == nil
            let target = isLast ? tensors.count : try place(call, index: 2, count: tensors.count, isInsertion: true)
            tensors.insert(try call.tensor(1), at: target)
            return [.sequence(tensors)]
        },
        Operator("SplitToSequence", split),
        Operator("ConcatFromSequence", concat),
        Operator("Optional") { (call) throws(GraphError) in [call.inputs.first ?? .none] },
        Operator("OptionalHasElement") { (call) throws(GraphError) in
            if case .some(.none) = call.inputs.first { return [.tensor(Tensor(scalar: TensorBool(false)))] }
            return [.tensor(Tensor(scalar: TensorBool(!call.inputs.isEmpty)))]
        },
        Operator("OptionalGetElement") { (call) throws(GraphError) in
            switch call.inputs.first {
            case .tensor(let tensor): return [.tensor(tensor)]
            case .sequence(let tensors): return [.sequence(tensors)]
            default: throw .input("the optional value is absent")
            }
        },
    ]

    private static func sequence(_ call: borrowing OperatorCall) throws(GraphError) -> [Tensor] {
        guard case .sequence(let tensors) = call.inputs.first else { throw .invalid("input 0 is no sequence") }
        return tensors
    }

    /// The place that an input names, from the end where negative.
    private static func place(
        _ call: borrowing OperatorCall,
        index: Int,
        count: Int,
        isInsertion: Bool = false
    ) throws(GraphError) -> Int {
        guard let given = try call.integers(index), given.count == 1 else { throw .invalid("there is not one place") }
        let place = given[0] < 0 ? given[0] &+ count : given[0]
        guard place >= 0, place < count || (isInsertion && place == count) else {
            throw .input("the place \(given[0]) is outside a sequence of \(count)")
        }
        return place
    }

    private static func split(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let axis = try Axes.resolve(call.integer("axis", or: 0), rank: tensor.rank)
        let size = tensor.shape[axis]
        var parts = [Int](repeating: 1, count: size)
        var keeps = true
        if let given = call.optionalTensor(1) {
            parts = try given.integers()
            if given.rank == 0 {
                guard let part = parts.first, part > 0 else { throw .input("parts of \(parts) are not possible") }
                parts = stride(from: 0, to: size, by: part).map { min(part, size - $0) }
            }
        } else {
            keeps = try call.integer("keepdims", or: 1) != 0
        }
        guard parts.allSatisfy({ $0 >= 0 && $0 <= size }), parts.reduce(0, +) == size else {
            throw .input("parts of \(parts.prefix(8)) do not add up to \(size)")
        }
        var tensors: [Tensor] = []
        var first = 0
        for part in parts {
            let view = StridedView(tensor.shape).sliced(axis: axis, from: first, count: part)
            var shape = view.shape
            if !keeps { shape.remove(at: axis) }
            tensors.append(try call.materialise(tensor, view, as: shape))
            first += part
        }
        return [.sequence(tensors)]
    }

    private static func concat(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensors = try sequence(call)
        guard let first = tensors.first else { throw .input("nothing to join in an empty sequence") }
        let isNew = try call.integer("new_axis", or: 0) != 0
        let given = try call.integer("axis", or: 0)
        let axis = try Axes.resolve(given, rank: first.rank + (isNew ? 1 : 0))
        return try [
            .tensor(isNew ? stack(tensors, axis: axis, call) : MovementOperators.join(tensors, axis: axis, call))
        ]
    }

    /// Tensors of one shape along a new axis.
    static func stack(_ tensors: [Tensor], axis: Int, _ call: borrowing OperatorCall) throws(GraphError) -> Tensor {
        var parts: [Tensor] = []
        for tensor in tensors {
            guard axis <= tensor.rank else { throw .input("\(tensor.shape) has no place for an axis \(axis)") }
            var shape = tensor.shape
            shape.insert(1, at: axis)
            _ = try OperatorCall.elementCount(shape)
            parts.append(tensor.reshaped(shape))
        }
        return try MovementOperators.join(parts, axis: axis, call)
    }
}
