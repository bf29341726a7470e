import Kernels

/// Layers that carry a state from call to call instead of a cache: linear attention and causal convolution.
enum StatefulOperators {
    static let operators: [Operator] = [
        Operator("LinearAttention", linearAttention),
        Operator("CausalConvWithState", causalConvolution),
    ]

    private static func causalConvolution(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (input, weight) = try (call.tensor(0), call.tensor(1))
        guard input.rank == 3, weight.rank == 3, weight.shape[0] == input.shape[1], weight.shape[1] == 1,
            weight.shape[2] > 0
        else { throw .input("a kernel \(weight.shape) does not fit \(input.shape)") }
        let (batches, channels, length) = (input.shape[0], input.shape[1], input.shape[2])
        let size = weight.shape[2]
        let stateShape = [batches, channels, size - 1]
        var past = try call.expanded(call.make(input.element, [], integers: [0]), to: stateShape)
        if let given = call.optionalTensor(3) { past = given }
        guard past.shape == stateShape else { throw .input("a state \(past.shape) is not \(stateShape)") }
        let padded = try MovementOperators.join([past, input], axis: 2, call)
        let (values, kernel) = try (padded.doubles(), weight.doubles())
        let bias = try call.optionalTensor(2)?.doubles()
        guard bias?.count ?? channels == channels else { throw .input("there is not one bias for each channel") }
        let activation = try call.string("activation", or: "none")
        guard ["none", "silu", "swish"].contains(activation) else {
            throw .unsupported("the activation \(activation) is none of none, silu and swish")
        }
        var output = [Double](repeating: 0, count: input.count)
        for index in output.indices {
            let (row, place) = (index / length, index % length)
            var sum = bias?[row % channels] ?? 0
            for step in 0..<size {
                sum += values[row * (length + size - 1) + place + step] * kernel[row % channels * size + step]
            }
            output[index] = activation == "none" ? sum : sum * PostTransform.logistic(sum)
        }
        let view = StridedView(padded.shape).sliced(axis: 2, from: length, count: size - 1)
        return try [
            .tensor(call.make(input.element, input.shape, doubles: output)), .tensor(call.materialise(padded, view)),
        ]
    }

    private static func linearAttention(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (query, key, value) = try (call.tensor(0), call.tensor(1), call.tensor(2))
        let heads = try (queries: call.integer("q_num_heads", or: 0), states: call.integer("kv_num_heads", or: 0))
        guard heads.queries > 0, heads.states > 0, heads.queries % heads.states == 0, query.rank == 3, key.rank == 3,
            value.rank == 3, query.shape[2] % heads.queries == 0, value.shape[2] % heads.states == 0,
            key.shape[..<2] == query.shape[..<2], value.shape[..<2] == query.shape[..<2]
        else { throw .input("queries, keys and values do not divide into the node's heads") }
        let rule = try call.string("update_rule", or: "gated_delta")
        guard ["linear", "gated", "delta", "gated_delta"].contains(rule) else {
            throw .unsupported("the rule \(rule) of linear attention is not known")
        }
        let (batches, steps) = (query.shape[0], query.shape[1])
        let (width, valueWidth) = (query.shape[2] / heads.queries, value.shape[2] / heads.states)
        let stateShape = [batches, heads.states, width, valueWidth]
        let stateCount = try OperatorCall.elementCount(stateShape)
        let past = call.optionalTensor(3)
        var state = try past?.doubles() ?? [Double](repeating: 0, count: stateCount)
        let decay = rule.hasPrefix("gated") ? try call.tensor(4).doubles() : nil
        let beta = rule.hasSuffix("delta") ? try call.tensor(5).doubles() : nil
        let tokens = batches * steps
        guard key.shape[2] == heads.states * width, state.count == stateCount,
            decay.map({ [tokens * heads.states, tokens * heads.states * width].contains($0.count) }) ?? true,
            beta.map({ [tokens, tokens * heads.states].contains($0.count) }) ?? true
        else { throw .input("the state, decay or beta do not fit") }
        let (q, k, v) = try (query.doubles(), key.doubles(), value.doubles())
        let given = try Double(call.float("scale", or: 0))
        let scale = given == 0 ? 1 / Double(max(width, 1)).squareRoot() : given
        var output = [Double](repeating: 0, count: tokens * heads.queries * valueWidth)
        let group = heads.queries / heads.states
        for index in 0..<tokens * heads.states {
            let (token, head) = (index / heads.states, index % heads.states)
            let start = (token / max(steps, 1) * heads.states + head) * width * valueWidth
            for row in 0..<width {
                guard let decay else { break }
                let place = decay.count == tokens * heads.states ? index : index * width + row
                let factor = Libm.exp(decay[place])
                for column in 0..<valueWidth { state[start + row * valueWidth + column] *= factor }
            }
            for column in 0..<valueWidth {
                var new = v[index * valueWidth + column]
                if let beta {
                    for row in 0..<width { new -= state[start + row * valueWidth + column] * k[index * width + row] }
                    new *= beta[beta.count == tokens ? token : index]
                }
                for row in 0..<width { state[start + row * valueWidth + column] += k[index * width + row] * new }
            }
            for member in 0..<group {
                let place = token * heads.queries + head * group + member
                for column in 0..<valueWidth {
                    var sum = 0.0
                    for row in 0..<width { sum += q[place * width + row] * state[start + row * valueWidth + column] }
                    output[place * valueWidth + column] = sum * scale
                }
            }
        }
        let shape = [batches, steps, heads.queries * valueWidth]
        return try [
            .tensor(call.make(query.element, shape, doubles: output)),
            .tensor(call.make(past?.element ?? query.element, stateShape, doubles: state)),
        ]
    }
}
