import Kernels

/// Operators that only the compiler makes: their weights lie as the kernels read them.
enum FusedOperators {
    static let operators: [Operator] = [
        Operator("Linear", domain: "thaw", linear)
    ]

    /// out[…, columns] = activation(x[…, inner] · weight + bias).
    ///
    /// Inputs: x, the weight in ``Panels``, bias [columns] or none. Settings: inner, columns, activation.
    private static func linear(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (input, weight) = try (call.tensor(0), call.tensor(1))
        let (inner, columns) = try (call.integer("inner", or: 0), call.integer("columns", or: 0))
        let bias = call.optionalTensor(2)
        guard inner > 0, columns > 0, input.element == .f32, weight.element == .f32,
            inner <= TensorLimits.elementsMax, columns <= TensorLimits.elementsMax,
            weight.count == Panels.floatCount(inner: inner, columns: columns), (bias?.count ?? columns) == columns,
            (bias?.element ?? .f32) == .f32,
            let number = Int32(exactly: try call.integer("activation", or: 0)),
            let activation = Activation(rawValue: number)
        else { throw .invalid("the packed product of \(inner) by \(columns) is damaged") }
        guard input.shape.last == inner else {
            throw .input("\(input.shape) does not multiply with a matrix of \(inner) rows")
        }
        let rows = input.count / inner
        let output = try call.make(Float.self, input.shape.dropLast() + [columns]) { out in
            guard rows > 0 else { return }
            input.withElements(as: Float.self) { input in
                weight.withElements(as: Float.self) { weight in
                    /// Whether there is a bias is settled once, not for each row.
                    func multiply(_ bias: borrowing Span<Float>) {
                        KernelSet.best.linear(
                            input,
                            rows: rows,
                            inner: inner,
                            panels: weight,
                            bias: bias,
                            columns: columns,
                            activation: activation,
                            out: &out
                        )
                    }
                    if let bias { bias.withElements(as: Float.self, multiply) } else { multiply(Span()) }
                }
            }
        }
        return [.tensor(output)]
    }
}
