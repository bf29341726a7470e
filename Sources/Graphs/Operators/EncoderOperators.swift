import Kernels

/// What encoders are made of, as the compiler fuses it: the kernels are those of the plan in `Inference`.
enum EncoderOperators {
    static let operators: [Operator] = [
        Operator("Attention", domain: "thaw", attention),
        Operator("LayerNorm", domain: "thaw", layerNorm),
    ]

    /// out[batch, steps, heads · width] = softmax(q kᵀ / √width + mask) v in each head.
    ///
    /// Inputs: q, k and v side by side, f32 [batch, steps, 3 · heads · width]; a mask that fits [batch, heads, steps,
    /// steps], or none. Setting: heads. A mask that hides nothing, as of one text without padding, is none.
    private static func attention(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let fused = try call.tensor(0)
        let heads = try call.integer("heads", or: 0)
        guard heads > 0, fused.element == .f32, fused.rank == 3, fused.shape[2] > 0,
            fused.shape[2] % 3 == 0, fused.shape[2] / 3 % heads == 0
        else { throw .input("\(fused.element) \(fused.shape) does not divide into \(heads) heads of q, k and v") }
        let columns = fused.shape[2] / 3
        let mask = call.optionalTensor(1)
        let shape = [fused.shape[0], fused.shape[1], columns]
        guard fused.count > 0,
            try mask.map({ (mask) throws(GraphError) in try addsNothing(mask, shape, heads) }) ?? true
        else { return try masked(fused, mask, heads: heads, columns: columns, call) }
        let scratch = KernelSet.best.attentionScratchCount(lengthMax: shape[1], width: columns / heads)
        let output = try call.make(Float.self, shape) { (out) throws(GraphError) in
            try call.withScratch(of: Float.self, count: scratch) { scratch in
                fused.withElements(as: Float.self) { fused in
                    KernelSet.best.attention(
                        fused,
                        sequences: shape[0],
                        length: shape[1],
                        heads: heads,
                        width: columns / heads,
                        scratch: &scratch,
                        out: &out
                    )
                }
            }
        }
        return [.tensor(output)]
    }

    /// Whether a mask is zero everywhere; one that does not fit is left to what refuses it.
    private static func addsNothing(_ mask: Tensor, _ shape: [Int], _ heads: Int) throws(GraphError) -> Bool {
        let scores = [shape[0], heads, shape[1], shape[1]]
        guard mask.element == .f32, mask.rank <= 4, try Broadcasting.shape([scores, mask.shape]) == scores else {
            return false
        }
        return mask.withElements(as: Float.self) { values in
            for index in values.indices where values[index] != 0 { return false }
            return true
        }
    }

    /// By the standard's own operator, which knows every mask.
    private static func masked(
        _ fused: Tensor,
        _ mask: Tensor?,
        heads: Int,
        columns: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> [GraphValue] {
        var inputs: [GraphValue] = []
        let (rows, shape) = (fused.shape[0] * fused.shape[1], [fused.shape[0], fused.shape[1], columns])
        for part in 0..<3 {
            let tensor = try call.make(Float.self, shape) { out in
                fused.withElements(as: Float.self) { fused in
                    for row in 0..<rows {
                        let start = (3 * row + part) * columns
                        for column in 0..<columns { out[row * columns + column] = fused[start + column] }
                    }
                }
            }
            inputs.append(.tensor(tensor))
        }
        if let mask { inputs.append(.tensor(mask)) }
        let settings: [String: Attribute] = ["q_num_heads": .integer(heads), "kv_num_heads": .integer(heads)]
        return try [AttentionOperators.attention(call.handing(inputs, attributes: settings, version: 23))[0]]
    }

    /// out = (x − mean) / √(variance + epsilon) · scale + shift by row of x = input + residual.
    ///
    /// Inputs: two f32 of one shape [..., columns]; scale and shift, f32 [columns]. Setting: epsilon.
    private static func layerNorm(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (input, residual) = try (call.tensor(0), call.tensor(1))
        let (scale, shift) = try (call.tensor(2), call.tensor(3))
        let epsilon = try call.float("epsilon", or: 1e-5)
        guard [input, residual, scale, shift].allSatisfy({ $0.element == .f32 }), let columns = input.shape.last,
            scale.count == columns, shift.count == columns, residual.shape == input.shape
        else {
            throw .input("\(input.shape) and \(residual.shape) are not to be normalised by \(scale.shape)")
        }
        let output = try call.make(Float.self, input.shape) { out in
            guard input.count > 0 else { return }
            input.withElements(as: Float.self) { values in
                residual.withElements(as: Float.self) { residual in
                    scale.withElements(as: Float.self) { scale in
                        shift.withElements(as: Float.self) { shift in
                            KernelSet.best.layerNorm(
                                values,
                                residual: residual,
                                scale: scale,
                                shift: shift,
                                epsilon: epsilon,
                                rows: input.count / columns,
                                columns: columns,
                                out: &out
                            )
                        }
                    }
                }
            }
        }
        return [.tensor(output)]
    }
}
