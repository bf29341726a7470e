import Inference
import Kernels

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Weights by name and the memory that their views see.
final class HeldWeights {
    private var memory: [UnsafeMutableBufferPointer<Float>] = []
    private(set) var views: [String: WeightView] = [:]

    subscript(name: String) -> [Float] {
        get { [] }
        set {
            let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: newValue.count)
            _ = floats.initialize(from: newValue)
            memory.append(floats)
            views[name] = WeightView(unsafe: UnsafeRawBufferPointer(floats))
        }
    }

    /// Random weights for a plan, products packed.
    static func random(for plan: Plan, seed: UInt64) -> HeldWeights {
        var generator = SeededGenerator(state: seed)
        let held = HeldWeights()
        for weight in plan.weights {
            let floats = (0..<weight.shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &generator) }
            held.plain[weight.name] = floats
            held[weight.name] = weight.layout.format.map { held.packed(floats, weight.shape, $0) } ?? floats
        }
        return held
    }

    /// Panels of any format, seen as floats.
    private func packed(_ floats: [Float], _ shape: [Int], _ format: WeightFormat) -> [Float] {
        let (inner, columns) = (shape[0], shape[1])
        let bytes = Panels.pack(floats, inner: inner, columns: columns, isColumnMajor: false, format: format)
        return stride(from: 0, to: bytes.count, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (UInt32($1) * 8) })
        }
    }

    /// The floats before they were packed.
    private(set) var plain: [String: [Float]] = [:]

    deinit {
        for floats in memory {
            floats.deallocate()
        }
    }
}

extension Plan {
    /// One layer of a BERT-like encoder, 6 tokens in the vocabulary, 4 positions, 8 columns in 2 heads.
    static let encoder = Plan(
        values: [8, 24, 8, 8, 8, 11, 8, 8].map { Value(rows: .tokens, columns: $0) }
            + [Value(rows: .sequences, columns: 8), Value(rows: .sequences, columns: 8)],
        weights: [
            Weight(name: "words", shape: [6, 8], layout: .plain),
            Weight(name: "positions", shape: [4, 8], layout: .plain),
            Weight(name: "types", shape: [2, 8], layout: .plain),
            Weight(name: "qkv", shape: [8, 24], layout: .panels16),
            Weight(name: "qkv.bias", shape: [24], layout: .plain),
            Weight(name: "proj", shape: [8, 8], layout: .panels16),
            Weight(name: "scale", shape: [8], layout: .plain),
            Weight(name: "shift", shape: [8], layout: .plain),
            Weight(name: "up", shape: [8, 11], layout: .panels16),
            Weight(name: "up.bias", shape: [11], layout: .plain),
            Weight(name: "down", shape: [11, 8], layout: .panels16),
        ],
        steps: [
            .embed(words: 0, positions: 1, types: 2, out: 0),
            .linear(input: 0, weight: 3, bias: 4, activation: .none, out: 1),
            .attention(fused: 1, heads: 2, places: nil, out: 2),
            .linear(input: 2, weight: 5, bias: nil, activation: .none, out: 3),
            .layerNorm(input: 3, residual: 0, scale: 6, shift: 7, epsilon: 1e-5, out: 4),
            .linear(input: 4, weight: 8, bias: 9, activation: .gelu, out: 5),
            .linear(input: 5, weight: 10, bias: nil, activation: .none, out: 6),
            .layerNorm(input: 6, residual: 4, scale: 6, shift: 7, epsilon: 1e-5, out: 7),
            .pool(input: 7, [.mean], out: 8),
            .normalize(input: 8, out: 9),
        ],
        output: 9
    )

    /// Two products over the mean of what is embedded, with everything that a small classifier uses: 3 tokens in the
    /// vocabulary, 2 positions, 2 types, 2 classes.
    static let classifier = Plan(
        values: [Value(rows: .tokens, columns: 3)] + [3, 4, 4, 2, 2].map { Value(rows: .sequences, columns: $0) },
        weights: [
            Weight(name: "words", shape: [3, 3], layout: .plain),
            Weight(name: "positions", shape: [2, 3], layout: .plain),
            Weight(name: "types", shape: [2, 3], layout: .plain),
            Weight(name: "first", shape: [3, 4], layout: .panels16),
            Weight(name: "first.bias", shape: [4], layout: .plain),
            Weight(name: "second", shape: [4, 2], layout: .panels16),
        ],
        steps: [
            .embed(words: 0, positions: 1, types: 2, out: 0),
            .pool(input: 0, [.mean], out: 1),
            .linear(input: 1, weight: 3, bias: 4, activation: .none, out: 2),
            .activate(input: 2, .relu, out: 3),
            .linear(input: 3, weight: 5, bias: nil, activation: .none, out: 4),
            .softmax(input: 4, out: 5),
        ],
        output: 5
    )

    /// The same plan with its products in another format.
    func with(_ format: WeightFormat) -> Plan {
        changed { plan in
            for index in plan.weights.indices where plan.weights[index].layout == .panels16 {
                plan.weights[index].layout = Plan.Layout(panelsOf: format)
            }
        }
    }

    /// The same plan with one change.
    func changed(_ change: (inout Plan) -> Void) -> Plan {
        var plan = self
        change(&plan)
        return plan
    }
}
