import Testing

@testable import Graphs

/// Every operator meets random tensors, settings and missing inputs: it answers, or throws a sentence.
@Suite("Operators under chance")
struct OperatorFuzzTests {
    private static let settingNames = [
        "axis", "axes", "keepdims", "perm", "to", "epsilon", "alpha", "beta", "mode", "pads", "starts", "ends", "k",
        "direction", "hidden_size", "num_groups", "blocksize", "equation", "batch_dims", "split", "num_outputs",
        "q_num_heads", "kv_num_heads", "num_heads", "reduction", "transA", "transB", "block_size", "output_dtype",
        "largest", "sorted", "exclusive", "reverse", "dtype", "layout", "shape", "upper", "time_axis", "batch_axis",
        "n_targets", "coefficients", "intercepts", "classlabels_ints", "support_vectors", "rho", "vectors_per_class",
        "update_rule", "onesided", "inverse", "start", "end", "allowzero", "p", "norm", "dilations", "strides",
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
        "nodes_falsenodeids", "target_treeids", "target_nodeids", "target_ids", "target_weights", "keys_int64s",
        "values_strings", "min_gram_length", "max_gram_length", "ngram_counts", "ngram_indexes", "pool_int64s",
    ]

    @Test("No operator traps on random calls", arguments: OperatorTable.names)
    func chance(_ name: String) {
        let parts = name.split(separator: ".")
        for seed in 0..<150 as Range<UInt64> {
            var numbers = SeededNumbers(seed: seed &* 7919 &+ UInt64(name.utf8.count))
            var attributes: [String: Attribute] = [:]
            for setting in Self.settingNames where numbers.next(below: 3) == 0 {
                attributes[setting] = Self.attribute(&numbers)
            }
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

    private static func attribute(_ numbers: inout SeededNumbers) -> Attribute {
        let small = { (numbers: inout SeededNumbers) in numbers.next(below: 8) - 3 }
        let wild = { (numbers: inout SeededNumbers) in
            numbers.next(below: 12) == 0 ? [Int.min, Int.max, 1 << 33][numbers.next(below: 3)] : small(&numbers)
        }
        let count = numbers.next(below: 5)
        switch numbers.next(below: 7) {
        case 0: return .float(Float(small(&numbers)))
        case 1, 2: return .integer(wild(&numbers))
        case 3:
            let words = ["", "NONE", "add", "edge", "reflect", "wrap", "mean", "ij,jk->ik", "...i->i", "LEFT", "linear"]
            return .string(words[numbers.next(below: words.count)])
        case 4: return .floats((0..<count).map { _ in Float(small(&numbers)) })
        case 5: return .integers((0..<count).map { _ in wild(&numbers) })
        default: return .strings((0..<count).map { _ in ["LEAF", "BRANCH_LEQ", "a"][numbers.next(below: 3)] })
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
        case 6: return Tensor((0..<count).map { _ in UInt8(numbers.next(below: 256)) }, shape: shape)
        case 7: return Tensor((0..<count).map { _ in TensorBool(numbers.next(below: 2) == 0) }, shape: shape)
        default: return Tensor(strings: (0..<count).map { _ in "\(numbers.next(below: 9))" }, shape: shape)
        }
    }
}
