import Kernels

/// Matrix products.
enum ProductOperators {
    static let operators: [Operator] = [
        Operator("MatMul") { (call) throws(GraphError) in try [.tensor(matMul(call.tensor(0), call.tensor(1), call))] },
        Operator("Gemm", gemm),
        Operator("MatMulInteger", matMulInteger),
        Operator("QLinearMatMul", qLinearMatMul),
        Operator("FusedMatMul", domain: "com.microsoft", fusedMatMul),
        Operator("Det", det),
    ]

    /// NumPy's `matmul`: a vector is a row on the left and a column on the right.
    static func matMul(_ a: Tensor, _ b: Tensor, _ call: borrowing OperatorCall) throws(GraphError) -> Tensor {
        guard a.rank > 0, b.rank > 0 else { throw .input("a scalar is no matrix") }
        let left = a.rank == 1 ? a.reshaped([1, a.count]) : a
        let right = b.rank == 1 ? b.reshaped([b.count, 1]) : b
        let product = try MatrixProduct.multiply(left, right, call)
        var shape = product.shape
        if a.rank == 1 { shape.remove(at: shape.count - 2) }
        if b.rank == 1 { shape.removeLast() }
        return product.reshaped(shape)
    }

    /// The last two dimensions exchanged.
    private static func turned(_ tensor: Tensor, _ call: borrowing OperatorCall) throws(GraphError) -> Tensor {
        guard tensor.rank >= 2 else { throw .input("\(tensor.shape) is no matrix") }
        return try call.transposed(tensor, Array(0..<tensor.rank - 2) + [tensor.rank - 1, tensor.rank - 2])
    }

    /// `tensor` times a factor of its own type.
    static func scaled(_ tensor: Tensor, by factor: Float, _ call: borrowing OperatorCall) throws(GraphError) -> Tensor
    {
        guard factor != 1 else { return tensor }
        let number = try call.make(tensor.element, [], doubles: [Double(factor)])
        return try BinaryOperators.combine(.multiply, tensor, number, call)
    }

    private static func gemm(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        var (a, b) = try (call.tensor(0), call.tensor(1))
        guard a.rank == 2, b.rank == 2 else { throw .input("\(a.shape) and \(b.shape) are no matrices") }
        if try call.integer("transA", or: 0) != 0 { a = try turned(a, call) }
        let transposesB = try call.integer("transB", or: 0) != 0
        let product = try MatrixProduct.multiply(a, b, transposesB: transposesB, call)
        let result = try scaled(product, by: call.float("alpha", or: 1), call)
        guard let c = call.optionalTensor(2) else { return [.tensor(result)] }
        let shift = try scaled(c, by: call.float("beta", or: 1), call)
        guard try Broadcasting.shape([result.shape, shift.shape]) == result.shape else {
            throw .input("\(c.shape) is added to a product of \(result.shape)")
        }
        return try [.tensor(BinaryOperators.combine(.add, result, shift, call))]
    }

    private static func fusedMatMul(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        var (a, b) = try (call.tensor(0), call.tensor(1))
        if try call.integer("transA", or: 0) != 0 { a = try turned(a, call) }
        if try call.integer("transB", or: 0) != 0 { b = try turned(b, call) }
        return try [.tensor(scaled(matMul(a, b, call), by: call.float("alpha", or: 1), call))]
    }

    /// Bytes less their zero point, as 32-bit integers; the zero point is one, or one for each row (or column).
    private static func centred(
        _ tensor: Tensor,
        zeroPoint: Tensor?,
        isByRow: Bool,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let wide = try call.cast(tensor, to: .i32)
        guard let zeroPoint else { return wide }
        var zero = try call.cast(zeroPoint, to: .i32)
        if zero.count == 1 { zero = zero.reshaped([]) }
        if zero.rank == 1, isByRow { zero = zero.reshaped([zero.count, 1]) }
        guard try Broadcasting.shape([wide.shape, zero.shape]) == wide.shape else {
            throw .input("zero points \(zeroPoint.shape) do not fit \(tensor.shape)")
        }
        return try BinaryOperators.combine(.subtract, wide, zero, call)
    }

    private static func matMulInteger(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (a, b) = try (call.tensor(0), call.tensor(1))
        let left = try centred(a, zeroPoint: call.optionalTensor(2), isByRow: true, call)
        let right = try centred(b, zeroPoint: call.optionalTensor(3), isByRow: false, call)
        return try [.tensor(matMul(left, right, call))]
    }

    private static func qLinearMatMul(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let a = try centred(call.tensor(0), zeroPoint: call.tensor(2), isByRow: true, call)
        let b = try centred(call.tensor(3), zeroPoint: call.tensor(5), isByRow: false, call)
        let product = try call.cast(matMul(a, b, call), to: .f64)
        let (aScale, bScale) = try (call.cast(call.tensor(1), to: .f64), call.cast(call.tensor(4), to: .f64))
        let rowScale = aScale.count > 1 && aScale.rank == 1 ? aScale.reshaped([aScale.count, 1]) : aScale
        let scale = try BinaryOperators.combine(.multiply, rowScale, bScale, call)
        let ratio = try BinaryOperators.combine(.divide, scale, call.cast(call.tensor(6), to: .f64), call)
        let real = try BinaryOperators.combine(.multiply, product, ratio.count == 1 ? ratio.reshaped([]) : ratio, call)
        let zero = try call.tensor(7)
        let offset = try zero.doubles().first ?? 0
        let values = try real.doubles().map { QuantizationOperators.saturated($0, offset: offset, zero.element) }
        return try [.tensor(call.make(zero.element, real.shape, doubles: values))]
    }

    /// Determinants of square matrices, by elimination with the greatest pivot.
    private static func det(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard tensor.rank >= 2, tensor.shape[tensor.rank - 1] == tensor.shape[tensor.rank - 2] else {
            throw .input("\(tensor.shape) holds no square matrices")
        }
        let size = tensor.shape[tensor.rank - 1]
        let shape = Array(tensor.shape.dropLast(2))
        let values = try tensor.doubles()
        let results = (0..<shape.reduce(1, *)).map { index in
            determinant(Array(values[index * size * size..<(index + 1) * size * size]), size: size)
        }
        return try [.tensor(call.make(tensor.element, shape, doubles: results))]
    }

    private static func determinant(_ values: [Double], size: Int) -> Double {
        var matrix = values
        var result = 1.0
        for column in 0..<size {
            var pivot = column
            for row in column..<size where abs(matrix[row * size + column]) > abs(matrix[pivot * size + column]) {
                pivot = row
            }
            guard matrix[pivot * size + column] != 0 else { return 0 }
            if pivot != column {
                for place in 0..<size { matrix.swapAt(pivot * size + place, column * size + place) }
                result = -result
            }
            result *= matrix[column * size + column]
            for row in column + 1..<max(size, column + 1) {
                let factor = matrix[row * size + column] / matrix[column * size + column]
                for place in column..<size { matrix[row * size + place] -= factor * matrix[column * size + place] }
            }
        }
        return result
    }
}
