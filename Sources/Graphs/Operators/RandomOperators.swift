import Kernels
import Synchronization

/// Numbers by chance, which no packer works out ahead; a seed makes them the same in every call.
enum RandomOperators {
    static let operators: [Operator] = [
        Operator("RandomUniform", isPure: false) { (call) throws(GraphError) in
            try [.tensor(uniform(call, shape: call.integers("shape") ?? [], like: .f32))]
        },
        Operator("RandomNormal", isPure: false) { (call) throws(GraphError) in
            try [.tensor(normal(call, shape: call.integers("shape") ?? [], like: .f32))]
        },
        Operator("RandomUniformLike", isPure: false) { (call) throws(GraphError) in
            let tensor = try call.tensor(0)
            return try [.tensor(uniform(call, shape: tensor.shape, like: tensor.element))]
        },
        Operator("RandomNormalLike", isPure: false) { (call) throws(GraphError) in
            let tensor = try call.tensor(0)
            return try [.tensor(normal(call, shape: tensor.shape, like: tensor.element))]
        },
        Operator("Multinomial", isPure: false, multinomial),
        Operator("Bernoulli", isPure: false, bernoulli),
        Operator("Dropout", isPure: false, dropout),
    ]

    /// SplitMix64.
    private struct Generator {
        var state: UInt64

        mutating func next() -> Double {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
        }
    }

    private static let calls = Atomic<UInt64>(0)

    /// From the node's seed, or from this process's hash seed and the number of the call.
    private static func generator(_ call: borrowing OperatorCall) throws(GraphError) -> Generator {
        // Dropout's seed is an integer.
        if case .integer(let seed) = call.attributes["seed"] {
            return Generator(state: UInt64(bitPattern: Int64(seed)))
        }
        if let seed = try call.float("seed") { return Generator(state: UInt64(seed.bitPattern)) }
        var hasher = Hasher()
        hasher.combine(calls.add(1, ordering: .relaxed).newValue)
        return Generator(state: UInt64(bitPattern: Int64(hasher.finalize())))
    }

    private static func element(
        _ call: borrowing OperatorCall,
        like: TensorElement
    ) throws(GraphError) -> TensorElement {
        guard let type = try call.integer("dtype") else { return like }
        return try CastOperators.element(type)
    }

    private static func uniform(
        _ call: borrowing OperatorCall,
        shape: [Int],
        like: TensorElement
    ) throws(GraphError) -> Tensor {
        var generator = try generator(call)
        let (low, high) = try (Double(call.float("low", or: 0)), Double(call.float("high", or: 1)))
        let count = try OperatorCall.elementCount(shape)
        let values = (0..<count).map { _ in low + (high - low) * generator.next() }
        return try call.make(element(call, like: like), shape, doubles: values)
    }

    private static func normal(
        _ call: borrowing OperatorCall,
        shape: [Int],
        like: TensorElement
    ) throws(GraphError) -> Tensor {
        var generator = try generator(call)
        let (mean, scale) = try (Double(call.float("mean", or: 0)), Double(call.float("scale", or: 1)))
        let count = try OperatorCall.elementCount(shape)
        // Box and Muller.
        let values = (0..<count).map { _ in
            let radius = (-2 * Libm.log(1 - generator.next())).squareRoot()
            return mean + scale * radius * Libm.cos(2 * .pi * generator.next())
        }
        return try call.make(element(call, like: like), shape, doubles: values)
    }

    private static func multinomial(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let samples = try call.integer("sample_size", or: 1)
        guard tensor.rank == 2, tensor.shape[1] > 0 else { throw .input("\(tensor.shape) is not rows of classes") }
        let shape = [tensor.shape[0], samples]
        _ = try OperatorCall.elementCount(shape)
        var generator = try generator(call)
        let classes = tensor.shape[1]
        let logarithms = try tensor.doubles()
        var values: [Int64] = []
        for row in 0..<tensor.shape[0] {
            let own = logarithms[row * classes..<(row + 1) * classes]
            let weights = own.map { Libm.exp($0 - (own.max() ?? 0)) }
            let total = weights.reduce(0, +)
            for _ in 0..<samples {
                var rest = generator.next() * total
                let drawn = weights.firstIndex { weight in
                    rest -= weight
                    return rest < 0
                }
                values.append(Int64(drawn ?? classes - 1))
            }
        }
        let element = try CastOperators.element(call.integer("dtype", or: 6))
        return try [.tensor(call.make(element, shape, integers: values))]
    }

    private static func bernoulli(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        var generator = try generator(call)
        let values = try tensor.doubles().map { generator.next() < $0 ? 1.0 : 0 }
        return try [.tensor(call.make(element(call, like: tensor.element), tensor.shape, doubles: values))]
    }

    /// Hands its input on, unless the node says that it trains.
    private static func dropout(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let trains = try call.optionalTensor(2)?.integers().first ?? 0
        let ratio = try call.optionalTensor(1)?.doubles().first ?? 0.5
        guard trains != 0, ratio > 0 else {
            // Before operator set 10 the mask is of the input's own type.
            let one =
                call.version < 10 ? try call.make(tensor.element, [], integers: [1]) : Tensor(scalar: TensorBool(true))
            guard call.outputCount > 1 else { return [.tensor(tensor)] }
            return try [.tensor(tensor), .tensor(call.expanded(one, to: tensor.shape))]
        }
        guard ratio < 1 else { throw .input("a ratio of \(ratio) leaves nothing") }
        var generator = try generator(call)
        let kept = (0..<tensor.count).map { _ in generator.next() >= ratio }
        let values = try zip(tensor.doubles(), kept).map { $1 ? $0 / (1 - ratio) : 0 }
        let mask = Tensor(kept.map { TensorBool($0) }, shape: tensor.shape)
        return try [.tensor(call.make(tensor.element, tensor.shape, doubles: values)), .tensor(mask)]
    }
}
