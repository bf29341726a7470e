/// Shapes: asked for, changed without moving an element, and filled.
enum ShapeOperators {
    static let operators: [Operator] = [
        Operator("Shape", shape),
        Operator("Size") { (call) throws(GraphError) in try [.tensor(Tensor(scalar: Int64(call.tensor(0).count)))] },
        Operator("Reshape", versions: 5...Int.max, reshape),
        Operator("Squeeze", squeeze),
        Operator("Unsqueeze", unsqueeze),
        Operator("Flatten", flatten),
        Operator("Expand", expand),
        Operator("Constant", constant),
        Operator("ConstantOfShape", constantOfShape),
        Operator("Range", range),
        Operator("EyeLike", eyeLike),
    ]

    private static func shape(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let shape = try call.tensor(0).shape
        let start = clamped(try call.integer("start", or: 0), rank: shape.count)
        let end = clamped(try call.integer("end", or: shape.count), rank: shape.count)
        let part = start < end ? shape[start..<end].map(Int64.init) : []
        return [.tensor(Tensor(part, shape: [part.count]))]
    }

    private static func clamped(_ place: Int, rank: Int) -> Int {
        min(max(place < 0 ? place.addingReportingOverflow(rank).partialValue : place, 0), rank)
    }

    private static func reshape(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard var target = try call.integers(1) else { throw .invalid("the shape is missing") }
        if try call.integer("allowzero", or: 0) == 0 {
            for index in target.indices where target[index] == 0 {
                guard index < tensor.rank else { throw .input("no dimension \(index) to keep in \(tensor.shape)") }
                target[index] = tensor.shape[index]
            }
        }
        if let free = target.firstIndex(of: -1) {
            target[free] = 1
            let rest = try OperatorCall.elementCount(target)
            guard rest > 0 ? tensor.count % rest == 0 : tensor.count == 0 else {
                throw .input("\(tensor.count) elements do not fill \(target) whatever dimension \(free) is")
            }
            target[free] = rest == 0 ? 0 : tensor.count / rest
        }
        guard try OperatorCall.elementCount(target) == tensor.count else {
            throw .input("\(tensor.count) elements of \(tensor.shape) do not fill the shape \(target)")
        }
        return [.tensor(tensor.reshaped(target))]
    }

    /// Axes are an attribute up to operator set 12 and an input from 13 on.
    private static func axes(_ call: borrowing OperatorCall) throws(GraphError) -> [Int]? {
        try call.integers(1, orAttribute: "axes")
    }

    private static func squeeze(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard let axes = try axes(call) else { return [.tensor(tensor.reshaped(tensor.shape.filter { $0 != 1 }))] }
        let dropped = try Axes.resolve(axes, rank: tensor.rank)
        for axis in dropped where tensor.shape[axis] != 1 {
            throw .input("axis \(axis) of \(tensor.shape) is not of size 1")
        }
        let kept = tensor.shape.indices.filter { !dropped.contains($0) }
        return [.tensor(tensor.reshaped(kept.map { tensor.shape[$0] }))]
    }

    private static func unsqueeze(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard let axes = try axes(call) else { throw .invalid("the axes are missing") }
        let new = try Axes.resolve(axes, rank: tensor.rank + axes.count)
        var shape = tensor.shape
        for axis in new.sorted() { shape.insert(1, at: axis) }
        _ = try OperatorCall.elementCount(shape)
        return [.tensor(tensor.reshaped(shape))]
    }

    private static func flatten(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let axis = try call.integer("axis", or: 1)
        let place = axis == tensor.rank ? axis : try Axes.resolve(axis, rank: tensor.rank)
        let outer = tensor.shape[..<place].reduce(1, *)
        let inner = tensor.shape[place...].reduce(1, *)
        return [.tensor(tensor.reshaped([outer, inner]))]
    }

    private static func expand(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard let target = try call.integers(1) else { throw .invalid("the shape is missing") }
        let shape = try Broadcasting.shape([tensor.shape, target])
        _ = try OperatorCall.elementCount(shape)
        return try [.tensor(call.expanded(tensor, to: shape))]
    }

    private static func constant(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        for (name, attribute) in call.attributes {
            switch attribute {
            case .tensor(let tensor): return [.tensor(tensor)]
            case .float(let value): return [.tensor(Tensor(scalar: value))]
            case .floats(let values): return [.tensor(Tensor(values, shape: [values.count]))]
            case .integer(let value): return [.tensor(Tensor(scalar: Int64(value)))]
            case .integers(let values): return [.tensor(Tensor(values.map(Int64.init), shape: [values.count]))]
            case .string(let value): return [.tensor(Tensor(strings: [value], shape: []))]
            case .strings(let values): return [.tensor(Tensor(strings: values, shape: [values.count]))]
            case .graph: throw .invalid("the attribute \(name) is a graph, no value")
            }
        }
        throw .invalid("a constant without a value")
    }

    private static func constantOfShape(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        guard let shape = try call.integers(0) else { throw .invalid("the shape is missing") }
        _ = try OperatorCall.elementCount(shape)
        var value = Tensor(scalar: Float(0))
        if case .tensor(let given) = call.attributes["value"] { value = given }
        guard value.count == 1 else { throw .invalid("the value has \(value.count) elements, not one") }
        return try [.tensor(call.expanded(value.reshaped([]), to: shape))]
    }

    private static func range(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensors = try call.tensors()
        guard tensors.count == 3, tensors.allSatisfy({ $0.count == 1 && $0.element == tensors[0].element }) else {
            throw .invalid("start, limit and delta are not three single numbers of one type")
        }
        let element = tensors[0].element
        if element.isFloating {
            let (start, limit, delta) = try (
                tensors[0].doubles()[0], tensors[1].doubles()[0], tensors[2].doubles()[0]
            )
            let count = ((limit - start) / delta).rounded(.up)
            guard delta != 0, count < Double(TensorLimits.elementsMax) else { throw unending(start, limit, delta) }
            // A NaN makes no numbers at all.
            let values = count >= 1 ? (0..<Int(count)).map { start + Double($0) * delta } : []
            return try [.tensor(call.make(element, [values.count], doubles: values))]
        }
        let (start, limit, delta) = try (
            tensors[0].wideIntegers()[0], tensors[1].wideIntegers()[0], tensors[2].wideIntegers()[0]
        )
        let (distance, overflow) = limit.subtractingReportingOverflow(start)
        guard delta != 0, !overflow, delta != .min else { throw unending(Double(start), Double(limit), Double(delta)) }
        let isEmpty = distance == 0 || (distance < 0) != (delta < 0)
        let count = isEmpty ? 0 : (Int(distance.magnitude) - 1) / Int(delta.magnitude) + 1
        guard count <= TensorLimits.elementsMax else { throw unending(Double(start), Double(limit), Double(delta)) }
        let values = (0..<count).map { start + Int64($0) * delta }
        return try [.tensor(call.make(element, [count], integers: values))]
    }

    private static func unending(_ start: Double, _ limit: Double, _ delta: Double) -> GraphError {
        .input("from \(start) to \(limit) by \(delta) are too many numbers")
    }

    private static func eyeLike(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let like = try call.tensor(0)
        guard like.rank == 2 else { throw .input("\(like.shape) is no matrix") }
        let offset = try call.integer("k", or: 0)
        let element = try call.integer("dtype").map { (type) throws(GraphError) in try CastOperators.element(type) }
        var values = [Int64](repeating: 0, count: like.count)
        for row in 0..<like.shape[0] {
            let (column, overflow) = row.addingReportingOverflow(offset)
            if !overflow, column >= 0, column < like.shape[1] { values[row * like.shape[1] + column] = 1 }
        }
        return try [.tensor(call.make(element ?? like.element, like.shape, integers: values))]
    }
}
