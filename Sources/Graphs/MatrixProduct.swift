import Kernels

/// Products of stacks of matrices, in every number type.
enum MatrixProduct {
    /// out[…, M, N] = a[…, M, K] · b[…, K, N], the stacks broadcast; `transposesB` says that b is [N, K].
    static func multiply(
        _ a: Tensor,
        _ b: Tensor,
        transposesB: Bool = false,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        guard a.element == b.element else { throw .invalid("\(a.element) and \(b.element) do not multiply") }
        guard a.rank >= 2, b.rank >= 2 else { throw .input("\(a.shape) and \(b.shape) are no matrices") }
        let (rows, inner) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
        let bInner = b.shape[transposesB ? b.rank - 1 : b.rank - 2]
        let columns = b.shape[transposesB ? b.rank - 2 : b.rank - 1]
        guard bInner == inner else { throw .input("matrices \(a.shape) and \(b.shape) do not fit each other") }
        let stacks = try Stacks(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
        let shape = stacks.shape + [rows, columns]
        guard try OperatorCall.elementCount(shape) > 0, inner > 0 else {
            return try call.expanded(call.make(a.element, [], integers: [0]), to: shape)
        }
        switch a.element {
        case .f32:
            let size = (rows, inner, columns)
            return try multiplyFloats(a, b, transposesB: transposesB, stacks, size, shape, call)
        case .f16, .bf16:
            let (left, right) = try (call.cast(a, to: .f32), call.cast(b, to: .f32))
            return try call.cast(multiply(left, right, transposesB: transposesB, call), to: a.element)
        default:
            var right = b
            if transposesB { right = try call.transposed(b, Array(0..<b.rank - 2) + [b.rank - 1, b.rank - 2]) }
            return try multiplyWide(a, right, stacks, (rows, inner, columns), shape, call)
        }
    }

    /// Which matrix of each side belongs to each of the result.
    private struct Stacks {
        let shape: [Int]
        let a: [Int]
        let b: [Int]

        init(_ a: [Int], _ b: [Int]) throws(GraphError) {
            shape = try Broadcasting.shape([a, b])
            _ = try OperatorCall.elementCount(shape)
            self.a = StridedView(shape: shape, strides: Broadcasting.strides(of: a, in: shape)).places
            self.b = StridedView(shape: shape, strides: Broadcasting.strides(of: b, in: shape)).places
        }
    }

    private static func multiplyFloats(
        _ a: Tensor,
        _ b: Tensor,
        transposesB: Bool,
        _ stacks: Stacks,
        _ size: (rows: Int, inner: Int, columns: Int),
        _ shape: [Int],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        // One matrix on the right serves all rows on the left at once.
        let isOneProduct = b.rank == 2 || b.count == size.inner * size.columns
        let rows = isOneProduct ? a.count / size.inner : size.rows
        let count = isOneProduct ? 1 : stacks.a.count
        return try call.make(Float.self, shape) { (out) throws(GraphError) in
            let panelCount = Panels.floatCount(inner: size.inner, columns: size.columns)
            try call.withScratch(of: Float.self, count: panelCount) { (panels) throws(GraphError) in
                a.withElements(as: Float.self) { left in
                    b.withElements(as: Float.self) { right in
                        for index in 0..<count {
                            KernelSet.best.product(
                                left,
                                at: stacks.a[index] * size.rows * size.inner,
                                right,
                                at: stacks.b[index] * size.inner * size.columns,
                                innerStride: transposesB ? 1 : size.columns,
                                columnStride: transposesB ? size.inner : 1,
                                rows: rows,
                                inner: size.inner,
                                columns: size.columns,
                                panels: &panels,
                                repack: index == 0 || stacks.b[index] != stacks.b[index - 1],
                                out: &out,
                                at: index * rows * size.columns
                            )
                        }
                    }
                }
            }
        }
    }

    /// Doubles, and integers as 64 bits of which the type keeps the low ones.
    private static func multiplyWide(
        _ a: Tensor,
        _ b: Tensor,
        _ stacks: Stacks,
        _ size: (rows: Int, inner: Int, columns: Int),
        _ shape: [Int],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let (aSize, bSize) = (size.rows * size.inner, size.inner * size.columns)
        if a.element == .f64 {
            let (left, right) = (a.array(of: Double.self), b.array(of: Double.self))
            return try call.make(Double.self, shape) { out in
                for index in stacks.a.indices {
                    Elements.product(
                        left.span.extracting(stacks.a[index] * aSize..<(stacks.a[index] + 1) * aSize),
                        right.span.extracting(stacks.b[index] * bSize..<(stacks.b[index] + 1) * bSize),
                        rows: size.rows,
                        inner: size.inner,
                        columns: size.columns,
                        out: &out,
                        at: index * size.rows * size.columns
                    )
                }
            }
        }
        let (left, right) = try (a.wideIntegers(), b.wideIntegers())
        let wide = try call.make(Int64.self, shape) { out in
            for index in stacks.a.indices {
                Elements.product(
                    left.span.extracting(stacks.a[index] * aSize..<(stacks.a[index] + 1) * aSize),
                    right.span.extracting(stacks.b[index] * bSize..<(stacks.b[index] + 1) * bSize),
                    rows: size.rows,
                    inner: size.inner,
                    columns: size.columns,
                    out: &out,
                    at: index * size.rows * size.columns
                )
            }
        }
        return try call.cast(wide, to: a.element)
    }
}
