import Graphs
import Inference
import Tokenizing

/// Texts in, one vector for each out; all texts of a call, or of several, go through the model together.
struct EmbedModel {
    enum Text: Equatable {
        case text(String)
        /// Token ids as the caller made them, special ones included.
        case ids([Int32])
    }

    /// Names of its input and output where a protocol asks for them.
    static let inputName = "text"
    static let outputName = "embedding"
    /// The output's where it is scores of classes.
    static let scoresName = "scores"

    /// Numbers of a vector.
    let columns: Int
    /// Tokens of one text that the model is fed; a longer text is cut, longer ids are refused.
    let tokensMax: Int
    /// Ids are below it.
    var vocabularyCount: Int { tokenizer.vocabularyCount }
    private let tokenizer: Tokenizer
    private let runner: PlanRunner

    /// Whether it gives scores of classes, and not vectors.
    let isClassifier: Bool

    init(tokenizer: Tokenizer, runner: PlanRunner, tokensMax: Int, isClassifier: Bool = false) throws(TaskError) {
        self.isClassifier = isClassifier
        guard tokensMax > tokenizer.specialTokensCount else {
            throw .mismatch("tokensMax is \(tokensMax), which leaves no room for a text")
        }
        self.tokenizer = tokenizer
        self.runner = runner
        self.tokensMax = tokensMax
        columns = runner.plan.values[runner.plan.output].columns
        runner.reserve(tokens: tokensMax, sequences: 1)
    }

    var signature: TensorSignature {
        isClassifier ? TensorSignature(classes: columns) : TensorSignature(embeddingColumns: columns)
    }

    /// What the model made of some texts.
    struct Vectors {
        /// [texts, columns].
        var floats: [Float] = []
        /// Of each text, special ones included.
        var tokenCounts: [Int] = []
    }

    func run(_ texts: [Text]) throws(TaskFailure) -> Vectors {
        var vectors = Vectors()
        if texts.count > 1 { vectors.floats.reserveCapacity(texts.count * columns) }
        var slice = Slice()
        for text in texts {
            let count: Int
            switch text {
            case .text(let text):
                count = tokenizer.append(text, tokensMax: tokensMax, to: &slice.ids)
            case .ids(let ids):
                slice.ids += ids
                count = ids.count
            }
            slice.lengths.append(count)
            vectors.tokenCounts.append(count)
            if slice.ids.count >= TaskLimits.sliceTokensMax { try flush(&slice, to: &vectors.floats) }
        }
        try flush(&slice, to: &vectors.floats)
        return vectors
    }

    /// A sentence of one word: a table of words that is still to be decoded gives the rows of three.
    func warmUp() {
        _ = try? run([.text(String(repeating: "a ", count: min(Self.warmUpWordsMax, tokensMax)))])
    }

    /// The length of a usual query; what is longer finds the rest of the scratch untouched, a page every 4 KiB.
    private static let warmUpWordsMax = 16

    /// Texts that go through the model together.
    private struct Slice {
        var ids: [Int32] = []
        var lengths: [Int] = []
    }

    private func flush(_ slice: inout Slice, to floats: inout [Float]) throws(TaskFailure) {
        guard !slice.lengths.isEmpty else { return }
        do throws(PlanError) {
            let vectors = try runner.run(ids: slice.ids, sequenceLengths: slice.lengths)
            if floats.isEmpty { floats = vectors } else { floats += vectors }
        } catch {
            throw .model("\(error)")
        }
        slice.ids.removeAll(keepingCapacity: true)
        slice.lengths.removeAll(keepingCapacity: true)
    }
}
