import Kernels

/// Functions of one number: mathematics and activations.
enum UnaryOperators {
    static let operators: [Operator] =
        mathematics.map { name, function in
            Operator(name) { (call) throws(GraphError) in try [apply(function, call.tensor(0), call)] }
        } + activations + predicates

    private static let mathematics: [(String, Elements.Unary)] = [
        ("Abs", .abs), ("Neg", .neg), ("Sign", .sign), ("Ceil", .ceil), ("Floor", .floor), ("Round", .round),
        ("Sqrt", .sqrt), ("Reciprocal", .reciprocal), ("Exp", .exp), ("Log", .log), ("Sin", .sin), ("Cos", .cos),
        ("Tan", .tan), ("Asin", .asin), ("Acos", .acos), ("Atan", .atan), ("Sinh", .sinh), ("Cosh", .cosh),
        ("Tanh", .tanh), ("Asinh", .asinh), ("Acosh", .acosh), ("Atanh", .atanh), ("Erf", .erf),
        ("Sigmoid", .logistic), ("Relu", .rectify), ("Mish", .mish), ("HardSwish", .hardSwish),
        ("Softplus", .softplus), ("Softsign", .softsign), ("Not", .not), ("BitwiseNot", .not),
    ]

    private static let activations: [Operator] = [
        shaped("LeakyRelu", .leaky, alpha: ("alpha", 0.01)),
        shaped("Elu", .elu, alpha: ("alpha", 1)),
        shaped("Celu", .celu, alpha: ("alpha", 1)),
        shaped("Selu", .selu, alpha: ("alpha", 1.67326319217681884765625), beta: ("gamma", 1.05070102214813232421875)),
        shaped("HardSigmoid", .hardSigmoid, alpha: ("alpha", 0.2), beta: ("beta", 0.5)),
        shaped("ThresholdedRelu", .thresholded, alpha: ("alpha", 1)),
        shaped("Swish", .swish, alpha: ("alpha", 1)),
        shaped("Shrink", .shrink, alpha: ("lambd", 0.5), beta: ("bias", 0)),
        Operator("Gelu", gelu),
        Operator("Gelu", domain: "com.microsoft", gelu),
        Operator("QuickGelu", domain: "com.microsoft") { (call) throws(GraphError) in
            try [apply(.swish, call.tensor(0), call, alpha: Double(call.float("alpha", or: 1.702)))]
        },
        Operator("SwiGLU", swiGLU),
    ]

    private static let predicates: [Operator] = [
        Operator("IsNaN") { (call) throws(GraphError) in
            try [truth(of: call.tensor(0), call) { $0.isNaN }]
        },
        Operator("IsInf") { (call) throws(GraphError) in
            let positive = try call.integer("detect_positive", or: 1) != 0
            let negative = try call.integer("detect_negative", or: 1) != 0
            return try [truth(of: call.tensor(0), call) { $0.isInfinite && ($0 > 0 ? positive : negative) }]
        },
    ]

    /// A function whose settings are attributes with standard values.
    private static func shaped(
        _ name: String,
        _ function: Elements.Unary,
        alpha: (String, Float),
        beta: (String, Float)? = nil
    ) -> Operator {
        Operator(name) { (call) throws(GraphError) in
            let first = try call.float(alpha.0, or: alpha.1)
            var second: Float = 0
            if let beta { second = try call.float(beta.0, or: beta.1) }
            return try [apply(function, call.tensor(0), call, alpha: Double(first), beta: Double(second))]
        }
    }

    private static func gelu(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let isApproximate = try call.string("approximate", or: "none") == "tanh"
        return try [apply(isApproximate ? .geluTanh : .gelu, call.tensor(0), call)]
    }

    /// A gate through Swish, times a value of the same shape.
    private static func swiGLU(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (gate, value) = try (call.tensor(0), call.tensor(1))
        guard gate.shape == value.shape else { throw .input("a gate \(gate.shape) for a value \(value.shape)") }
        let alpha = try Double(call.float("alpha", or: 1))
        guard case .tensor(let opened) = try apply(.swish, gate, call, alpha: alpha) else { return [] }
        return try [.tensor(BinaryOperators.combine(.multiply, opened, value, call))]
    }

    /// Those of which ``KernelSet`` has vectors of f32.
    private static let vectorised: [Elements.Unary: Activation] = [
        .rectify: .relu, .gelu: .gelu, .tanh: .tanh, .logistic: .sigmoid,
    ]

    static func apply(
        _ function: Elements.Unary,
        _ tensor: Tensor,
        _ call: borrowing OperatorCall,
        alpha: Double = 0,
        beta: Double = 0
    ) throws(GraphError) -> GraphValue {
        if tensor.element == .f32, let activation = vectorised[function] {
            return try .tensor(
                call.make(Float.self, tensor.shape) { out in
                    tensor.withElements(as: Float.self) { input in
                        KernelSet.best.activate(input, activation, out: &out)
                    }
                }
            )
        }
        return try .tensor(
            call.makeBytes(tensor.element, tensor.shape) { out in
                tensor.withElements(as: UInt8.self) { input in
                    Elements.apply(
                        function,
                        type: tensor.element.rawValue,
                        input,
                        alpha: alpha,
                        beta: beta,
                        out: &out
                    )
                }
            }
        )
    }

    private static func truth(
        of tensor: Tensor,
        _ call: borrowing OperatorCall,
        _ predicate: (Double) -> Bool
    ) throws(GraphError) -> GraphValue {
        let values = try tensor.doubles()
        return try .tensor(
            call.make(TensorBool.self, tensor.shape) { out in
                for index in values.indices { out[index] = TensorBool(predicate(values[index])) }
            }
        )
    }
}
