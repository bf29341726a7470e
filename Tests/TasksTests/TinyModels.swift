import Graphs
import Inference
import Kernels
import Tokenizing

@testable import Tasks

/// Models so small that their answers can be worked out by hand.
enum TinyModels {
    /// What runs a tiny model.
    enum Engine {
        case plan(Plan)
        case tensors(TensorModel)
    }

    /// Three numbers in, each times 1, 2 and 3 out.
    static var scaled: Engine {
        .tensors(
            TensorModel(
                signature: TensorSignature(
                    inputs: [.init("image", .f32, shape: [-1, 3])],
                    outputs: [.init("scaled", .f32, shape: [-1, 3])]
                )
            ) { (inputs) throws(TaskFailure) in
                guard let image = inputs["image"] else { throw .model("no image") }
                let floats = image.array(of: Float.self).enumerated().map { place, number in
                    number * Float(place % 3 + 1)
                }
                return ["scaled": Tensor(floats, shape: image.shape)]
            }
        )
    }

    /// Tokens in, the mean of (id, place, 1 and the type) out.
    static var mean: Engine { .plan(meanPlan) }

    /// The same of each token.
    static var tokens: Engine {
        .plan(
            Plan(
                values: [Plan.Value(rows: .tokens, columns: 3)],
                weights: meanPlan.weights,
                steps: [.embed(words: 0, positions: 1, types: 2, out: 0)],
                output: 0
            )
        )
    }

    /// A pair in, the mean of its ids and a hundredth of those of type 1 out.
    static var pairs: Engine {
        .plan(
            Plan(
                values: [Plan.Value(rows: .tokens, columns: 1), Plan.Value(rows: .sequences, columns: 1)],
                weights: [
                    Plan.Weight(name: "narrow words", shape: [vocabulary.count, 1], layout: .plain),
                    Plan.Weight(name: "narrow positions", shape: [8, 1], layout: .plain),
                    Plan.Weight(name: "narrow types", shape: [2, 1], layout: .plain),
                ],
                steps: [.embed(words: 0, positions: 1, types: 2, out: 0), .pool(input: 0, [.mean], out: 1)],
                output: 1
            )
        )
    }

    static let meanPlan = Plan(
        values: [Plan.Value(rows: .tokens, columns: 3), Plan.Value(rows: .sequences, columns: 3)],
        weights: [
            Plan.Weight(name: "words", shape: [vocabulary.count, 3], layout: .plain),
            Plan.Weight(name: "positions", shape: [8, 3], layout: .plain),
            Plan.Weight(name: "types", shape: [2, 3], layout: .plain),
        ],
        steps: [.embed(words: 0, positions: 1, types: 2, out: 0), .pool(input: 0, [.mean], out: 1)],
        output: 1
    )

    static let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "world"]

    /// The views stay valid for as long as the process lives.
    private static let weights: [String: WeightView] = [
        "narrow words": view(vocabulary.indices.map { Float($0) }),
        "narrow positions": view([Float](repeating: 0, count: 8)), "narrow types": view([0, 0.01]),
        "words": view(vocabulary.indices.flatMap { [Float($0), 0, 0] }),
        "positions": view((0..<8).flatMap { [0, Float($0), 0] }),
        "types": view([0, 0, 1, 0, 0, 2]),
    ].compactMapValues { $0 }

    private static func view(_ floats: [Float]) -> WeightView? {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: floats.count)
        _ = memory.initialize(from: floats)
        return WeightView(unsafe: UnsafeRawBufferPointer(memory))
    }

    /// Compiled once: a debug build takes a second for its table of characters.
    private static let tokenizer = Result {
        let vocab = vocabulary.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
        let json = """
            {
              "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
              "normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
              "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
              "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {\(vocab)}}
            }
            """
        return try Tokenizer(tokenizerJSON: Array(json.utf8)).compiled()
    }

    static func runner(_ configuration: TaskConfiguration, _ engine: Engine?) throws -> TaskRunner {
        switch engine {
        case nil: return try TaskRunner(configuration, plan: [], tokenizer: []) { _ in nil }
        case .plan(let plan):
            return try TaskRunner(configuration, plan: plan.encoded(), tokenizer: try tokenizer.get()) { weights[$0] }
        case .tensors(let model):
            return try TaskRunner(
                model,
                isClassifier: configuration.kind == .classify,
                labels: configuration.labels
            )
        }
    }
}
