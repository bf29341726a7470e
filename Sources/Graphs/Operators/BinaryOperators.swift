import Kernels

/// Operations of two or more numbers: arithmetic, comparisons, logic and bits.
enum BinaryOperators {
    static let operators: [Operator] =
        pairs.map { name, operation in
            Operator(name) { (call) throws(GraphError) in
                try [.tensor(combine(operation, call.tensor(0), call.tensor(1), call))]
            }
        } + [
            Operator("Max") { (call) throws(GraphError) in try [.tensor(fold(.maximum, call))] },
            Operator("Min") { (call) throws(GraphError) in try [.tensor(fold(.minimum, call))] },
            Operator("Sum") { (call) throws(GraphError) in try [.tensor(fold(.add, call))] },
            Operator("Mean") { (call) throws(GraphError) in
                let sum = try fold(.add, call)
                let count = try call.make(sum.element, [], doubles: [Double(call.inputs.count)])
                return try [.tensor(combine(.divide, sum, count, call))]
            },
            Operator("Equal", equal),
            Operator("Mod", mod),
            Operator("Pow", power),
            Operator("BitShift", shift),
            Operator("Clip", versions: 6...10, clipByAttributes),
            Operator("Clip", versions: 11...Int.max, clip),
            Operator("Where", choose),
        ]

    private static let pairs: [(String, Elements.Binary)] = [
        ("Add", .add), ("Sub", .subtract), ("Mul", .multiply), ("Div", .divide), ("PRelu", .leakyBy),
        ("And", .bitAnd), ("Or", .bitOr), ("Xor", .bitXor), ("BitwiseAnd", .bitAnd), ("BitwiseOr", .bitOr),
        ("BitwiseXor", .bitXor), ("Less", .less), ("LessOrEqual", .lessOrEqual), ("Greater", .greater),
        ("GreaterOrEqual", .greaterOrEqual),
    ]

    /// a ∘ b with broadcasting; both of one type.
    static func combine(
        _ operation: Elements.Binary,
        _ a: Tensor,
        _ b: Tensor,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        guard a.element == b.element else {
            throw .invalid("the operands are of different types, \(a.element) and \(b.element)")
        }
        guard a.element != .string else { throw .invalid("numbers are needed here, not texts") }
        if isBitwise(operation), a.element.isFloating { throw .invalid("\(a.element) has no bits to combine") }
        let shape = a.shape == b.shape ? a.shape : try Broadcasting.shape([a.shape, b.shape])
        var strides = [Broadcasting.strides(of: a.shape, in: shape), Broadcasting.strides(of: b.shape, in: shape)]
        let dimensions = Broadcasting.collapsed(shape, &strides)
        let element: TensorElement = operation.answersTruth ? .bool : a.element
        return try call.makeBytes(element, shape) { out in
            guard !dimensions.contains(0) else { return }
            a.withElements(as: UInt8.self) { left in
                b.withElements(as: UInt8.self) { right in
                    Elements.combine(
                        operation,
                        type: a.element.rawValue,
                        dimensions: dimensions,
                        left,
                        Elements.Walk(strides: strides[0]),
                        right,
                        Elements.Walk(strides: strides[1]),
                        out: &out
                    )
                }
            }
        }
    }

    private static func isBitwise(_ operation: Elements.Binary) -> Bool {
        switch operation {
        case .bitAnd, .bitOr, .bitXor, .shiftLeft, .shiftRight: true
        default: false
        }
    }

    /// All inputs, from the first on.
    private static func fold(
        _ operation: Elements.Binary,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        var result = try call.tensor(0)
        for tensor in try call.tensors().dropFirst() { result = try combine(operation, result, tensor, call) }
        return result
    }

    private static func equal(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (a, b) = try (call.tensor(0), call.tensor(1))
        guard a.element == .string, b.element == .string else { return try [.tensor(combine(.equal, a, b, call))] }
        let shape = try Broadcasting.shape([a.shape, b.shape])
        let (left, right) = try (call.expanded(a, to: shape).strings, call.expanded(b, to: shape).strings)
        return try [
            .tensor(
                call.make(TensorBool.self, shape) { out in
                    for index in left.indices { out[index] = TensorBool(left[index] == right[index]) }
                }
            )
        ]
    }

    private static func mod(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let truncates = try call.integer("fmod", or: 0) != 0
        return try [.tensor(combine(truncates ? .remainder : .modulo, call.tensor(0), call.tensor(1), call))]
    }

    /// The exponent may be of another type; the result is of the base's.
    private static func power(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (base, exponent) = try (call.tensor(0), call.tensor(1))
        var common = base.element
        if exponent.element.isFloating, !base.element.isFloating {
            common = .f64
        } else if base.element.isFloating, base.element != exponent.element {
            common = base.element == .f64 ? .f64 : .f32
        }
        let (a, b) = try (call.cast(base, to: common), call.cast(exponent, to: common))
        return try [.tensor(call.cast(combine(.power, a, b, call), to: base.element))]
    }

    private static func shift(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        switch try call.string("direction", or: "") {
        case "LEFT": try [.tensor(combine(.shiftLeft, call.tensor(0), call.tensor(1), call))]
        case "RIGHT": try [.tensor(combine(.shiftRight, call.tensor(0), call.tensor(1), call))]
        case let other: throw .invalid("the direction \"\(other)\" is neither LEFT nor RIGHT")
        }
    }

    private static func clip(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        var result = try call.tensor(0)
        if let least = call.optionalTensor(1) { result = try combine(.maximum, result, bound(least), call) }
        if let greatest = call.optionalTensor(2) { result = try combine(.minimum, result, bound(greatest), call) }
        return [.tensor(result)]
    }

    private static func bound(_ tensor: Tensor) throws(GraphError) -> Tensor {
        guard tensor.count == 1 else { throw .input("a bound of shape \(tensor.shape) is not one number") }
        return tensor.reshaped([])
    }

    private static func clipByAttributes(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        var result = try call.tensor(0)
        if let least = try call.float("min") {
            result = try combine(.maximum, result, call.make(result.element, [], doubles: [Double(least)]), call)
        }
        if let greatest = try call.float("max") {
            result = try combine(.minimum, result, call.make(result.element, [], doubles: [Double(greatest)]), call)
        }
        return [.tensor(result)]
    }

    /// Where the condition holds the first, elsewhere the second.
    private static func choose(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (condition, a, b) = try (call.tensor(0), call.tensor(1), call.tensor(2))
        guard condition.element == .bool else { throw .invalid("the condition is of \(condition.element), not bool") }
        guard a.element == b.element else { throw .invalid("values of \(a.element) and \(b.element) do not mix") }
        let shape = try Broadcasting.shape([condition.shape, a.shape, b.shape])
        let conditions = try call.expanded(condition, to: shape)
        if a.element == .string {
            let (left, right) = try (call.expanded(a, to: shape).strings, call.expanded(b, to: shape).strings)
            let truths = conditions.array(of: TensorBool.self)
            let strings = truths.indices.map { truths[$0].value ? left[$0] : right[$0] }
            return [.tensor(Tensor(strings: strings, shape: shape))]
        }
        let left = a.count == 1 ? a : try call.expanded(a, to: shape)
        let right = b.count == 1 ? b : try call.expanded(b, to: shape)
        return try [.tensor(select(conditions, left, right, shape, call))]
    }

    private static func select(
        _ condition: Tensor,
        _ a: Tensor,
        _ b: Tensor,
        _ shape: [Int],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        try call.makeBytes(a.element, shape) { out in
            condition.withElements(as: UInt8.self) { conditions in
                a.withElements(as: UInt8.self) { left in
                    b.withElements(as: UInt8.self) { right in
                        Elements.select(byteCount: a.element.byteCount, conditions, left, right, out: &out)
                    }
                }
            }
        }
    }
}
