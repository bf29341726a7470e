import Testing

@testable import Graphs

/// Every operator meets random tensors, settings and missing inputs: it answers, or throws a sentence.
@Suite("Operators under chance")
struct OperatorFuzzTests {
    /// Settings by their type, so that most calls get as far as the operator's own checks.
    private static let integerNames = """
        axis keepdims to k hidden_size num_groups blocksize batch_dims num_outputs q_num_heads kv_num_heads num_heads \
        transA transB block_size output_dtype largest sorted exclusive reverse dtype layout upper time_axis batch_axis \
        n_targets onesided inverse start end allowzero p min_gram_length max_gram_length targets n_supports new_axis \
        training_mode rotary_embedding_dim is_causal linear_before_reset num_scan_inputs periodic align_corners heads
        """.split(separator: " ").map(String.init)
    private static let listNames = """
        axes perm pads starts ends split shape dilations strides classlabels_ints vectors_per_class nodes_treeids \
        nodes_nodeids nodes_featureids nodes_truenodeids nodes_falsenodeids target_treeids target_nodeids target_ids \
        keys_int64s values_int64s cats_int64s ngram_counts ngram_indexes pool_int64s inputdimensions kernel_shape \
        nodes_trueleafs nodes_falseleafs leaf_targetids tree_roots
        """.split(separator: " ").map(String.init)
    private static let floatListNames = """
        coefficients intercepts support_vectors rho nodes_values target_weights offset scale weights kernel_params \
        imputed_value_floats prob_a prob_b base_values
        """.split(separator: " ").map(String.init)
    private static let words: [String: [String]] = [
        "mode": ["edge", "reflect", "wrap", "constant", "circular", "TF", "IDF"],
        "direction": ["LEFT", "RIGHT", "reverse", "bidirectional"],
        "reduction": ["add", "mul", "max", "min", "none", "sum"],
        "equation": ["ij,jk->ik", "...i->...", "ij->ji", "ii->i", "i,j,k->ijk", "bij,bjk"],
        "update_rule": ["linear", "gated", "delta"],
        "kernel_type": ["RBF", "POLY"],
        "post_transform": ["SOFTMAX", "LOGISTIC", "PROBIT", "SOFTMAX_ZERO"],
        "norm": ["L1", "L2"],
    ]

    @Test("No operator traps on random calls", arguments: OperatorTable.names)
    func chance(_ name: String) {
        let parts = name.split(separator: ".")
        for seed in 0..<300 as Range<UInt64> {
            var numbers = SeededNumbers(seed: seed &* 7919 &+ UInt64(name.utf8.count))
            var attributes: [String: Attribute] = [:]
            Self.fill(&attributes, &numbers)
            let trial = OperatorTrial(
                name: String(parts[parts.count - 1]),
                domain: parts.dropLast().joined(separator: "."),
                version: [7, 9, 11, 13, 18, 24][numbers.next(below: 6)],
                attributes: attributes,
                outputCount: 1 + numbers.next(below: 4)
            )
            let inputs = (0..<numbers.next(below: 8)).map { _ in Self.value(&numbers) }
            guard let outputs = try? trial.run(inputs) else { continue }
            for case .tensor(let tensor) in outputs { #expect(tensor.count == tensor.shape.reduce(1, *)) }
        }
    }

    private static func fill(_ attributes: inout [String: Attribute], _ numbers: inout SeededNumbers) {
        let small = { (numbers: inout SeededNumbers) in numbers.next(below: 8) - 3 }
        let wild = { (numbers: inout SeededNumbers) in
            numbers.next(below: 12) == 0 ? [Int.min, Int.max, 1 << 33][numbers.next(below: 3)] : small(&numbers)
        }
        // Few settings leave the others their standard values.
        let rarity = [2, 4, 16, 64][numbers.next(below: 4)]
        for name in integerNames where numbers.next(below: rarity) == 0 { attributes[name] = .integer(wild(&numbers)) }
        let length = numbers.next(below: 5)
        for name in listNames where numbers.next(below: rarity) == 0 {
            attributes[name] = .integers((0..<length).map { _ in wild(&numbers) })
        }
        for name in floatListNames where numbers.next(below: rarity) == 0 {
            attributes[name] = .floats((0..<length).map { _ in Float(small(&numbers)) })
        }
        for (name, choices) in words.sorted(by: { $0.key < $1.key }) where numbers.next(below: rarity) == 0 {
            attributes[name] = .string(choices[numbers.next(below: choices.count)])
        }
        if numbers.next(below: rarity) == 0 {
            attributes["nodes_modes"] = .strings((0..<length).map { $0 % 2 == 0 ? "BRANCH_LEQ" : "LEAF" })
        }
    }

    private static func value(_ numbers: inout SeededNumbers) -> GraphValue {
        switch numbers.next(below: 16) {
        case 0: return .none
        case 1: return .sequence((0..<numbers.next(below: 3)).map { _ in tensor(&numbers) })
        default: return .tensor(tensor(&numbers))
        }
    }

    private static func tensor(_ numbers: inout SeededNumbers) -> Tensor {
        let shape = (0..<numbers.next(below: 5)).map { _ in [0, 1, 1, 2, 2, 3, 4][numbers.next(below: 7)] }
        let count = shape.reduce(1, *)
        switch numbers.next(below: 9) {
        case 0, 1, 2: return Tensor((0..<count).map { _ in Float(numbers.next(below: 9) - 4) }, shape: shape)
        case 3: return Tensor((0..<count).map { _ in Double(numbers.next(below: 9) - 4) / 2 }, shape: shape)
        case 4, 5: return Tensor((0..<count).map { _ in Int64(numbers.next(below: 9) - 4) }, shape: shape)
        case 6: return Tensor((0..<count).map { _ in UInt8(numbers.next(below: 8)) }, shape: shape)
        case 7: return Tensor((0..<count).map { _ in TensorBool(numbers.next(below: 2) == 0) }, shape: shape)
        default: return Tensor(strings: (0..<count).map { _ in "\(numbers.next(below: 9))" }, shape: shape)
        }
    }
}
