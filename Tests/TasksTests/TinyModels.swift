import Inference
import Kernels
import Tokenizing

@testable import Tasks

/// Models so small that their answers can be worked out by hand.
enum TinyModels {
    /// Three numbers in, each times 1, 2 and 3 out.
    static let scaled = Plan(
        values: [Plan.Value(rows: .sequences, columns: 3), Plan.Value(rows: .sequences, columns: 3)],
        weights: [Plan.Weight(name: "factors", shape: [3], layout: .plain)],
        steps: [.combineConstant(input: 0, .multiply, constant: 0, out: 1)],
        input: 0,
        output: 1,
        inputName: "image",
        outputName: "scaled"
    )

    /// Tokens in, the mean of (id, place, 1) out.
    static let mean = Plan(
        values: [Plan.Value(rows: .tokens, columns: 3), Plan.Value(rows: .sequences, columns: 3)],
        weights: [
            Plan.Weight(name: "words", shape: [vocabulary.count, 3], layout: .plain),
            Plan.Weight(name: "positions", shape: [8, 3], layout: .plain),
            Plan.Weight(name: "types", shape: [1, 3], layout: .plain),
        ],
        steps: [.embed(words: 0, positions: 1, types: 2, out: 0), .meanPool(input: 0, out: 1)],
        input: nil,
        output: 1,
        inputName: "text",
        outputName: "embeddings"
    )

    static let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "world"]

    /// The views stay valid for as long as the process lives.
    private static let weights: [String: WeightView] = [
        "factors": view([1, 2, 3]),
        "words": view(vocabulary.indices.flatMap { [Float($0), 0, 0] }),
        "positions": view((0..<8).flatMap { [0, Float($0), 0] }),
        "types": view([0, 0, 1]),
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

    static func runner(_ configuration: TaskConfiguration, _ plan: Plan?) throws -> TaskRunner {
        let takesTexts = configuration.kind == .embed || (configuration.kind == .classify && plan?.takesTokens == true)
        let tokenizer = takesTexts ? try tokenizer.get() : []
        return try TaskRunner(configuration, plan: plan?.encoded() ?? [], tokenizer: tokenizer) { weights[$0] }
    }
}
