import Kernels

/// Operators that only the compiler makes: their weights lie as the kernels read them.
enum FusedOperators {
    static let operators: [Operator] = [
        Operator("Linear", domain: "thaw", linear)
    ]

    /// out[…, columns] = activation(x[…, inner] · weight + bias).
    ///
    /// Inputs: x, the weight in ``Panels`` of a ``WeightFormat``, bias [columns] or none. Settings: inner, columns,
    /// activation, format.
    private static func linear(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let product = try PackedProduct(call)
        let input = try call.tensor(0)
        guard input.element == .f32, input.shape.last == product.inner else {
            throw .input("\(input.element) \(input.shape) does not multiply with a matrix of \(product.inner) rows")
        }
        let rows = input.count / product.inner
        let output = try call.make(Float.self, input.shape.dropLast() + [product.columns]) { (out) throws(GraphError) in
            guard rows > 0 else { return }
            let scratchCount =
                product.format == .f32 ? 0 : KernelSet.productScratchCount(rows: rows, inner: product.inner)
            try call.withScratch(of: Float.self, count: scratchCount) { scratch in
                product.run(input, rows: rows, scratch: &scratch, out: &out)
            }
        }
        return [.tensor(output)]
    }
}

/// The weight of one `thaw.Linear`, checked.
private struct PackedProduct {
    let inner: Int
    let columns: Int
    let format: WeightFormat
    private let activation: Activation
    private let weight: Tensor
    private let bias: Tensor?

    /// The widest products of models in use are of a vocabulary of 256,000; this many squared is still an integer.
    private static let sizeMax = 1 << 24

    init(_ call: borrowing OperatorCall) throws(GraphError) {
        weight = try call.tensor(1)
        bias = call.optionalTensor(2)
        (inner, columns) = try (call.integer("inner", or: 0), call.integer("columns", or: 0))
        guard (1...Self.sizeMax).contains(inner), (1...Self.sizeMax).contains(columns),
            let activationNumber = Int32(exactly: try call.integer("activation", or: 0)),
            let activation = Activation(rawValue: activationNumber),
            let formatNumber = Int32(exactly: try call.integer("format", or: 0)),
            let format = WeightFormat(rawValue: formatNumber), inner <= format.innerMax,
            weight.byteCount == 4 * Panels.wordCount(inner: inner, columns: columns, format: format),
            bias?.element ?? .f32 == .f32, bias?.count ?? columns == columns
        else { throw .invalid("the packed product of \(inner) by \(columns) is damaged") }
        self.activation = activation
        self.format = format
    }

    func run(
        _ input: Tensor,
        rows: Int,
        scratch: inout MutableSpan<Float>,
        out: inout MutableSpan<Float>
    ) {
        input.withElements(as: Float.self) { input in
            weight.withElements(as: UInt8.self) { weight in
                /// A bias, or none.
                func multiply(_ bias: borrowing Span<Float>) {
                    KernelSet.best.linear(
                        input,
                        rows: rows,
                        inner: inner,
                        panels: weight,
                        format: format,
                        bias: bias,
                        columns: columns,
                        activation: activation,
                        scratch: &scratch,
                        out: &out
                    )
                }
                if let bias { bias.withElements(as: Float.self, multiply) } else { multiply(Span()) }
            }
        }
    }
}
