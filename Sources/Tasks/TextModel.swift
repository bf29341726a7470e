import Graphs
import Inference
import Tokenizing

/// A model of texts: all texts of a call, or of several, go through it together.
struct TextModel {
    enum Text: Equatable {
        case text(String)
        /// Token ids as the caller made them, special ones included.
        case ids([Int32])
        /// Two texts that the model looks at together.
        case pair(String, String)
    }

    /// What it gives.
    enum Output {
        /// A vector of each text.
        case vectors
        /// Scores of classes, of each text or pair.
        case classes
        /// One score of each pair.
        case rank
        /// Scores of labels, of each token.
        case tags
    }

    let output: Output
    /// Numbers of a vector, classes, or labels.
    let columns: Int
    /// Tokens of one text or pair that the model is fed; what is longer is cut, longer ids are refused.
    let tokensMax: Int
    /// Ids are below it.
    var vocabularyCount: Int { tokenizer.vocabularyCount }
    /// Whether it was made to look at two texts together.
    var takesPairs: Bool {
        output == .rank
            || output == .classes && tokensMax > tokenizer.pairSpecialTokensCount
                && (typesCount == 1 || tokenizer.typesCount <= typesCount)
    }
    private let tokenizer: Tokenizer
    private let runner: PlanRunner
    /// Rows of the model's table of types.
    private let typesCount: Int

    init(tokenizer: Tokenizer, runner: PlanRunner, tokensMax: Int, output: Output) throws(TaskError) {
        self.tokenizer = tokenizer
        self.runner = runner
        self.tokensMax = tokensMax
        self.output = output
        let plan = runner.plan
        columns = plan.values[plan.output].columns
        var typesCount = 1
        for case .embed(_, _, let types, _) in plan.steps { typesCount = plan.weights[types].shape[0] }
        self.typesCount = typesCount
        let special = output == .rank ? tokenizer.pairSpecialTokensCount : tokenizer.specialTokensCount
        guard tokensMax > special else {
            throw .mismatch("tokensMax is \(tokensMax), which leaves no room for a text")
        }
        guard (plan.values[plan.output].rows == .tokens) == (output == .tags) else {
            throw .mismatch(
                "the model gives a row for each \(output == .tags ? "text" : "token"), which is another task"
            )
        }
        guard output != .rank || columns == 1 && (typesCount == 1 || tokenizer.typesCount <= typesCount) else {
            throw .mismatch(
                "the model gives \(columns) scores of a pair, or does not know its types; task rank takes one"
            )
        }
        runner.reserve(tokens: tokensMax, sequences: 1)
    }

    /// What the model made of some texts.
    struct Results {
        /// [texts, columns]; none where it tags tokens.
        var floats: [Float] = []
        /// Of each text, special ones included.
        var tokenCounts: [Int] = []
        /// Of each text where it tags tokens.
        var tagged: [TaggedText] = []
    }

    func run(_ texts: [Text]) throws(TaskFailure) -> Results {
        var results = Results()
        if texts.count > 1, output != .tags { results.floats.reserveCapacity(texts.count * columns) }
        var slice = Slice()
        for text in texts {
            let count = append(text, to: &slice)
            slice.lengths.append(count)
            results.tokenCounts.append(count)
            if slice.ids.count >= TaskLimits.sliceTokensMax { try flush(&slice, to: &results) }
        }
        try flush(&slice, to: &results)
        return results
    }

    /// A sentence of one word: a table of words that is still to be decoded gives the rows of three.
    func warmUp() {
        let sentence = String(repeating: "a ", count: min(Self.warmUpWordsMax, tokensMax))
        _ = try? run([output == .rank ? .pair(sentence, "a") : .text(sentence)])
    }

    /// The length of a usual query; what is longer finds the rest of the scratch untouched, a page every 4 KiB.
    private static let warmUpWordsMax = 16
}

extension TextModel {
    /// Texts that go through the model together.
    private struct Slice {
        var ids: [Int32] = []
        /// One for each id; none where no text is a pair.
        var types: [Int32] = []
        var lengths: [Int] = []
        /// The tokens of each text, where they are to be tagged.
        var tagged: [TaggedText] = []
        /// The first text of the last pair: a query comes with many documents.
        var first: (text: String, ids: [Int32])?
    }

    private func append(_ text: Text, to slice: inout Slice) -> Int {
        let start = slice.ids.count
        switch text {
        case .text(let text) where output == .tags:
            let encoded = tokenizer.encodeWithOrigins(text, tokensMax: tokensMax)
            slice.ids += encoded.ids
            slice.tagged.append(TaggedText(text, encoded, tokenizer))
        case .text(let text):
            _ = tokenizer.append(text, tokensMax: tokensMax, to: &slice.ids)
        case .ids(let ids):
            slice.ids += ids
        case .pair(let first, let second):
            if slice.first?.text != first { slice.first = (first, tokenizer.pieces(of: first)) }
            // Texts before it, if any, had no types.
            slice.types += repeatElement(0, count: start - slice.types.count)
            _ = tokenizer.append(
                pairOf: slice.first?.ids ?? [],
                tokenizer.pieces(of: second),
                tokensMax: tokensMax,
                to: &slice.ids,
                types: &slice.types
            )
        }
        return slice.ids.count - start
    }

    private func flush(_ slice: inout Slice, to results: inout Results) throws(TaskFailure) {
        guard !slice.lengths.isEmpty else { return }
        var types: [Int32]?
        if typesCount > 1, !slice.types.isEmpty {
            slice.types += repeatElement(0, count: slice.ids.count - slice.types.count)
            types = slice.types
        }
        let floats: [Float]
        do throws(PlanError) {
            floats = try runner.run(ids: slice.ids, types: types, sequenceLengths: slice.lengths)
        } catch {
            throw .model("\(error)")
        }
        if output == .tags {
            var row = 0
            for (place, length) in slice.lengths.enumerated() {
                slice.tagged[place].take(floats, rows: row..<row + length, columns)
                row += length
            }
            results.tagged += slice.tagged
        } else if results.floats.isEmpty {
            results.floats = floats
        } else {
            results.floats += floats
        }
        let first = slice.first
        slice = Slice()
        slice.first = first
    }
}

// MARK: In the protocols' words

extension TextModel {
    static let textName = "text"
    static let queryName = "query"
    static let documentName = "document"
    static let embeddingName = "embedding"
    static let scoresName = "scores"
    static let scoreName = "score"
    static let labelName = "label"
    static let startName = "start"
    static let endName = "end"

    var signature: TensorSignature { TensorSignature(output, columns: columns) }
}

extension TensorSignature {
    /// Of a model of texts.
    package init(_ task: TaskConfiguration.Kind, columns: Int) {
        switch task {
        case .classify: self.init(TextModel.Output.classes, columns: columns)
        case .rank: self.init(TextModel.Output.rank, columns: columns)
        case .tag: self.init(TextModel.Output.tags, columns: columns)
        case .embed, .tensor, .none: self.init(TextModel.Output.vectors, columns: columns)
        }
    }

    fileprivate init(_ output: TextModel.Output, columns: Int) {
        func texts(_ name: String) -> Port { Port(name, .string, shape: [-1]) }
        switch output {
        case .vectors:
            self.init(
                inputs: [texts(TextModel.textName)],
                outputs: [Port(TextModel.embeddingName, .f32, shape: [-1, columns])]
            )
        case .classes:
            self.init(
                inputs: [texts(TextModel.textName)],
                outputs: [Port(TextModel.scoresName, .f32, shape: [-1, columns])]
            )
        case .rank:
            self.init(
                inputs: [texts(TextModel.queryName), texts(TextModel.documentName)],
                outputs: [Port(TextModel.scoreName, .f32, shape: [-1])]
            )
        case .tags:
            // A row for each entity: which text it is in, what it is, and where.
            self.init(
                inputs: [texts(TextModel.textName)],
                outputs: [
                    Port(TextModel.textName, .i64, shape: [-1]), texts(TextModel.labelName),
                    Port(TextModel.scoreName, .f32, shape: [-1]), Port(TextModel.startName, .i64, shape: [-1]),
                    Port(TextModel.endName, .i64, shape: [-1]),
                ]
            )
        }
    }
}
