import Kernels

/// Elements brought to one scale: by row, by channel, by group.
enum NormalizationOperators {
    static let operators: [Operator] = [
        Operator("LayerNormalization", layerNormalization),
        Operator("RMSNormalization", rmsNormalization),
        Operator("SimplifiedLayerNormalization", rmsNormalization),
        Operator("SimplifiedLayerNormalization", domain: "com.microsoft", rmsNormalization),
        Operator("SkipLayerNormalization", domain: "com.microsoft", skipLayerNormalization),
        Operator("GroupNormalization", groupNormalization),
        Operator("InstanceNormalization", instanceNormalization),
        Operator("BatchNormalization", batchNormalization),
        Operator("MeanVarianceNormalization", meanVarianceNormalization),
        Operator("LpNormalization", lpNormalization),
    ]

    /// (x − mean) / √(variance + epsilon) of each row; the shape stays.
    private static func standardised(
        _ tensor: Tensor,
        rows: Int,
        columns: Int,
        epsilon: Float,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        guard tensor.count > 0 else { return tensor }
        if tensor.element == .f64 { return try standardisedDoubles(tensor, rows, columns, epsilon, call) }
        let ones = try call.expanded(Tensor(scalar: Float(1)), to: [columns])
        let zeros = try call.expanded(Tensor(scalar: Float(0)), to: [columns])
        return try affine(tensor, ones, zeros, rows: rows, columns: columns, epsilon: epsilon, call)
    }

    private static func standardisedDoubles(
        _ tensor: Tensor,
        _ rows: Int,
        _ columns: Int,
        _ epsilon: Float,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        var values = try tensor.doubles()
        for row in 0..<rows {
            let range = row * columns..<(row + 1) * columns
            let (mean, deviation) = moments(values[range], epsilon: Double(epsilon))
            for index in range { values[index] = (values[index] - mean) / deviation }
        }
        return try call.make(tensor.element, tensor.shape, doubles: values)
    }

    /// The mean, and the square root of variance + epsilon.
    private static func moments(_ values: ArraySlice<Double>, epsilon: Double) -> (mean: Double, deviation: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        return (mean, (variance + epsilon).squareRoot())
    }

    /// Rows of f32, f16 or bf16 through the kernel.
    private static func affine(
        _ tensor: Tensor,
        _ scale: Tensor,
        _ shift: Tensor,
        rows: Int,
        columns: Int,
        epsilon: Float,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let floats = try call.cast(tensor, to: .f32)
        let (factor, offset) = try (call.cast(scale, to: .f32), call.cast(shift, to: .f32))
        let result = try call.make(Float.self, tensor.shape) { out in
            floats.withElements(as: Float.self) { input in
                factor.withElements(as: Float.self) { scale in
                    offset.withElements(as: Float.self) { shift in
                        KernelSet.best.layerNorm(
                            input,
                            scale: scale,
                            shift: shift,
                            epsilon: epsilon,
                            rows: rows,
                            columns: columns,
                            out: &out
                        )
                    }
                }
            }
        }
        return try call.cast(result, to: tensor.element)
    }

    private static func layerNormalization(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, scale) = try (call.tensor(0), call.tensor(1))
        guard tensor.element.isFloating else { throw .invalid("floats are needed here, not \(tensor.element)") }
        let axis = try Axes.resolve(call.integer("axis", or: -1), rank: tensor.rank)
        let epsilon = try call.float("epsilon", or: 1e-5)
        let inner = Array(tensor.shape[axis...])
        let (rows, columns) = (tensor.shape[..<axis].reduce(1, *), inner.reduce(1, *))
        guard try Broadcasting.shape([inner, scale.shape]) == inner else {
            throw .input("a scale of \(scale.shape) does not fit rows of \(inner)")
        }
        let shift = call.optionalTensor(2)
        let result: Tensor
        if tensor.count > 0, tensor.element != .f64, scale.count == columns, shift?.count ?? columns == columns {
            let zeros = try call.expanded(Tensor(scalar: Float(0)), to: [columns])
            result = try affine(tensor, scale, shift ?? zeros, rows: rows, columns: columns, epsilon: epsilon, call)
        } else {
            let plain = try standardised(tensor, rows: rows, columns: columns, epsilon: epsilon, call)
            result = try scaled(plain, by: scale, shift, call)
        }
        guard call.outputCount > 1 else { return [.tensor(result)] }
        let values = try tensor.doubles()
        let all = (0..<rows).map { moments(values[$0 * columns..<($0 + 1) * columns], epsilon: Double(epsilon)) }
        let shape = Array(tensor.shape[..<axis]) + inner.map { _ in 1 }
        return try [
            .tensor(result), .tensor(call.make(.f32, shape, doubles: all.map(\.mean))),
            .tensor(call.make(.f32, shape, doubles: all.map { 1 / $0.deviation })),
        ]
    }

    /// Times a scale and plus a shift that fit the shape.
    private static func scaled(
        _ tensor: Tensor,
        by scale: Tensor,
        _ shift: Tensor?,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let factor = try call.cast(scale, to: tensor.element)
        let product = try BinaryOperators.combine(.multiply, tensor, factor, call)
        guard let shift else { return product }
        return try BinaryOperators.combine(.add, product, call.cast(shift, to: tensor.element), call)
    }

    private static func rmsNormalization(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, scale) = try (call.tensor(0), call.tensor(1))
        let axis = try Axes.resolve(call.integer("axis", or: -1), rank: tensor.rank)
        let epsilon = try call.float("epsilon", or: 1e-5)
        let wide: TensorElement = tensor.element == .f64 ? .f64 : .f32
        let values = try call.cast(tensor, to: wide)
        let axes = Array(axis..<tensor.rank)
        let square = try BinaryOperators.combine(.multiply, values, values, call)
        let mean = try ReductionOperators.reduce(square, .mean, axes: axes, keepsDimensions: true, call)
        let small = try call.make(wide, [], doubles: [Double(epsilon)])
        let shifted = try BinaryOperators.combine(.add, mean, small, call)
        guard case .tensor(let length) = try UnaryOperators.apply(.sqrt, shifted, call) else { return [] }
        let plain = try call.cast(BinaryOperators.combine(.divide, values, length, call), to: tensor.element)
        let result = try scaled(plain, by: scale, nil, call)
        guard result.shape == tensor.shape else {
            throw .input("a scale of \(scale.shape) does not fit \(tensor.shape)")
        }
        return [.tensor(result)]
    }

    /// LayerNormalization of a sum, which is the fourth output.
    private static func skipLayerNormalization(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let scale = try call.tensor(2)
        var sum = try BinaryOperators.combine(.add, call.tensor(0), call.tensor(1), call)
        if let bias = call.optionalTensor(4) { sum = try BinaryOperators.combine(.add, sum, bias, call) }
        guard let columns = sum.shape.last, scale.count == columns else {
            throw .input("a scale of \(scale.shape) does not fit \(sum.shape)")
        }
        let plain = try standardised(
            sum,
            rows: sum.count / max(columns, 1),
            columns: columns,
            epsilon: call.float("epsilon", or: 1e-12),
            call
        )
        let result = try scaled(plain, by: scale, call.optionalTensor(3), call)
        return [.tensor(result), .none, .none, .tensor(sum)]
    }

    /// One number for each of C channels, in a shape that broadcasts over N, C, ….
    private static func byChannel(_ tensor: Tensor, like data: Tensor) throws(GraphError) -> Tensor {
        guard data.rank >= 2, tensor.count == data.shape[1] else {
            throw .input("\(tensor.shape) is not one number for each channel of \(data.shape)")
        }
        return tensor.reshaped([tensor.count] + data.shape.dropFirst(2).map { _ in 1 })
    }

    private static func groupNormalization(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, scale, shift) = try (call.tensor(0), call.tensor(1), call.tensor(2))
        guard let groups = try call.integer("num_groups"), tensor.rank >= 2, groups > 0,
            tensor.shape[1] % groups == 0
        else { throw .input("the channels of \(tensor.shape) do not make groups") }
        let rows = tensor.shape[0] * groups
        let columns = rows == 0 ? 0 : tensor.count / rows
        let epsilon = try call.float("epsilon", or: 1e-5)
        let plain = try standardised(tensor, rows: rows, columns: columns, epsilon: epsilon, call)
        // Up to operator set 20 one scale for each group, from 21 on for each channel.
        let repeats = tensor.shape[1] / groups
        func perChannel(_ tensor: Tensor) throws(GraphError) -> Tensor {
            guard call.version < 21 && tensor.count == groups else { return tensor }
            return try call.expanded(tensor.reshaped([groups, 1]), to: [groups, repeats])
        }
        let factor = try byChannel(perChannel(scale), like: tensor)
        return try [.tensor(scaled(plain, by: factor, byChannel(perChannel(shift), like: tensor), call))]
    }

    private static func instanceNormalization(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let (scale, shift) = try (byChannel(call.tensor(1), like: tensor), byChannel(call.tensor(2), like: tensor))
        let rows = tensor.shape[0] * tensor.shape[1]
        let columns = rows == 0 ? 0 : tensor.count / rows
        let epsilon = try call.float("epsilon", or: 1e-5)
        let plain = try standardised(tensor, rows: rows, columns: columns, epsilon: epsilon, call)
        return try [.tensor(scaled(plain, by: scale, shift, call))]
    }

    private static func batchNormalization(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let data = tensor.rank == 1 ? tensor.reshaped([tensor.count, 1]) : tensor
        let (scale, shift) = try (call.tensor(1).doubles(), call.tensor(2).doubles())
        var (mean, variance) = try (call.tensor(3).doubles(), call.tensor(4).doubles())
        let channels = data.shape.count > 1 ? data.shape[1] : 0
        guard Set([scale.count, shift.count, mean.count, variance.count]) == [channels] else {
            throw .input("the statistics are not one number for each channel of \(tensor.shape)")
        }
        var outputs: [GraphValue] = []
        if try call.integer("training_mode", or: 0) != 0 {
            let momentum = try Double(call.float("momentum", or: 0.9))
            let axes = data.shape.indices.filter { $0 != 1 }
            let (moved, rows, columns) = try ReductionOperators.rows(of: data, along: axes, call)
            let values = try moved.doubles()
            var (runningMean, runningVariance) = (mean, variance)
            for row in 0..<rows where columns > 0 {
                let (own, deviation) = moments(values[row * columns..<(row + 1) * columns], epsilon: 0)
                (mean[row], variance[row]) = (own, deviation * deviation)
                runningMean[row] = runningMean[row] * momentum + mean[row] * (1 - momentum)
                runningVariance[row] = runningVariance[row] * momentum + variance[row] * (1 - momentum)
            }
            let element = try call.tensor(3).element
            outputs = try [
                .tensor(call.make(element, [channels], doubles: runningMean)),
                .tensor(call.make(element, [channels], doubles: runningVariance)),
            ]
        }
        let epsilon = try Double(call.float("epsilon", or: 1e-5))
        let factors = (0..<channels).map { scale[$0] / (variance[$0] + epsilon).squareRoot() }
        let offsets = (0..<channels).map { shift[$0] - mean[$0] * factors[$0] }
        let factor = try byChannel(call.make(tensor.element, [channels], doubles: factors), like: data)
        let offset = try byChannel(call.make(tensor.element, [channels], doubles: offsets), like: data)
        return try [.tensor(scaled(data, by: factor, offset, call).reshaped(tensor.shape))] + outputs
    }

    private static func meanVarianceNormalization(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let axes = try Axes.resolve(call.integers("axes") ?? [0, 2, 3], rank: tensor.rank)
        let kept = tensor.shape.indices.filter { !axes.contains($0) }
        let order = kept + axes.sorted()
        let (moved, rows, columns) = try ReductionOperators.rows(of: tensor, along: axes, call)
        let plain = try standardised(moved, rows: rows, columns: columns, epsilon: 1e-18, call)
        let back = tensor.shape.indices.map { order.firstIndex(of: $0) ?? 0 }
        return try [.tensor(call.transposed(plain, back))]
    }

    private static func lpNormalization(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let axis = try Axes.resolve(call.integer("axis", or: -1), rank: tensor.rank)
        let power = try call.integer("p", or: 2)
        guard power == 1 || power == 2 else { throw .invalid("p is \(power), neither 1 nor 2") }
        let kind: Elements.Reduction = power == 1 ? .sumOfMagnitudes : .length
        let norm = try ReductionOperators.reduce(tensor, kind, axes: [axis], keepsDimensions: true, call)
        // A row of zeros stays one.
        let lengths = try norm.doubles().map { $0 == 0 ? 1 : $0 }
        let divisor = try call.make(tensor.element, norm.shape, doubles: lengths)
        return try [.tensor(BinaryOperators.combine(.divide, tensor, divisor, call))]
    }
}
