/// Numbers in 8 or 16 bits with a scale and a zero point, and back.
enum QuantizationOperators {
    static let operators: [Operator] = [
        Operator("QuantizeLinear", quantize),
        Operator("DequantizeLinear", dequantize),
        Operator("DynamicQuantizeLinear", dynamicQuantize),
    ]

    /// Rounded to the nearest integer, ties to even, moved by `offset`, within what `element` holds.
    static func saturated(_ value: Double, offset: Double, _ element: TensorElement) -> Double {
        let range: (Double, Double) =
            switch element {
            case .u8: (0, 255)
            case .i8: (-128, 127)
            case .u16: (0, 65535)
            case .i16: (-32768, 32767)
            default: (-2147483648, 2147483647)
            }
        let moved = value.rounded(.toNearestOrEven) + offset
        return moved.isNaN ? offset : min(max(moved, range.0), range.1)
    }

    /// For each element of `tensor`, the place of its scale: one for all, one for each index along the axis, or blocks.
    private static func scalePlaces(
        _ tensor: Tensor,
        _ scale: Tensor,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> [Int] {
        guard scale.count != 1 else { return [Int](repeating: 0, count: tensor.count) }
        let axis = try Axes.resolve(call.integer("axis", or: 1), rank: tensor.rank)
        // One block of all is as good as any larger one.
        let block = min(try call.integer("block_size", or: 0), max(tensor.shape[axis], 1))
        var expected = tensor.shape
        if block > 0 { expected[axis] = (expected[axis] + block - 1) / block }
        let isByAxis = block == 0 && scale.shape == [tensor.shape[axis]]
        guard isByAxis || (block > 0 && scale.shape == expected) else {
            throw .input("scales \(scale.shape) do not fit \(tensor.shape) along axis \(axis)")
        }
        let inner = tensor.shape[(axis + 1)...].reduce(1, *)
        let size = tensor.shape[axis]
        return (0..<tensor.count).map { index in
            let step = index / inner % size
            guard !isByAxis else { return step }
            return (index / inner / size * expected[axis] + step / block) * inner + index % inner
        }
    }

    private static func zeroPoints(_ tensor: Tensor?, like scale: Tensor) throws(GraphError) -> [Double] {
        guard let tensor else { return [Double](repeating: 0, count: scale.count) }
        guard tensor.count == scale.count else {
            throw .input("zero points \(tensor.shape) for scales \(scale.shape)")
        }
        return try tensor.doubles()
    }

    private static func quantize(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, scale) = try (call.tensor(0), call.tensor(1))
        var element = call.optionalTensor(2)?.element ?? .u8
        if call.optionalTensor(2) == nil, let type = try call.integer("output_dtype"), type != 0 {
            element = try CastOperators.element(type)
        }
        guard !element.isFloating, element != .string else {
            throw .unsupported("numbers are not quantised to \(element)")
        }
        let places = try scalePlaces(tensor, scale, call)
        let (scales, zeros) = try (scale.floats(), zeroPoints(call.optionalTensor(2), like: scale))
        let values = try tensor.floats()
        let quantised = values.indices.map { index in
            saturated(Double(values[index] / scales[places[index]]), offset: zeros[places[index]], element)
        }
        return try [.tensor(call.make(element, tensor.shape, doubles: quantised))]
    }

    private static func dequantize(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, scale) = try (call.tensor(0), call.tensor(1))
        var element = scale.element
        if let type = try call.integer("output_dtype"), type != 0 { element = try CastOperators.element(type) }
        let places = try scalePlaces(tensor, scale, call)
        let (scales, zeros) = try (scale.doubles(), zeroPoints(call.optionalTensor(2), like: scale))
        let values = try tensor.doubles()
        let real = values.indices.map { (values[$0] - zeros[places[$0]]) * scales[places[$0]] }
        return try [.tensor(call.make(element, tensor.shape, doubles: real))]
    }

    private static func dynamicQuantize(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let values = try tensor.floats()
        // The range holds 0, so that padding is exact.
        let greatest = max(0, values.max() ?? 0)
        let least = min(0, values.min() ?? 0)
        let scale = (greatest - least) / 255
        let zero = scale == 0 ? 0 : min(max((-least / scale).rounded(.toNearestOrEven), 0), 255)
        let quantised = values.map { scale == 0 ? 0 : saturated(Double($0 / scale), offset: Double(zero), .u8) }
        return try [
            .tensor(call.make(.u8, tensor.shape, doubles: quantised)), .tensor(Tensor(scalar: scale)),
            .tensor(call.make(.u8, [], doubles: [Double(zero)])),
        ]
    }
}
