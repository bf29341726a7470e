/// Turns text into the ids that a model was trained on, as Hugging Face `tokenizers` does.
///
/// The packer reads a tokenizer.json once and compiles it; a worker loads the compiled bytes, which takes a copy and a
/// check of every index, and no work for each piece.
package struct Tokenizer: Equatable, Sendable {
    let normalizers: [NormalizerStep]
    let splits: [SplitStep]
    let pieces: PieceSet
    let model: PieceModel
    let addedTokens: [CompiledToken]
    let hasNormalizedTokens: Bool
    let template: TextTemplate
    let trimming: Trimming
    /// `BertNormalizer`, `BertPreTokenizer` and WordPiece: what ``TextEncoding`` does in one pass.
    let isBert: Bool
    /// One more than the greatest id that ``encode(_:tokensMax:)`` can answer.
    package let vocabularyCount: Int

    let prefixIDs: [Int32]
    let suffixIDs: [Int32]

    /// What is needed of an ``AddedToken`` once it is found.
    struct CompiledToken: Equatable {
        var id: UInt32
        var isSingleWord: Bool
        var stripsLeft = false
        var stripsRight = false
    }

    /// How many ids stand around those of the text itself; they count as tokens.
    package var specialTokensCount: Int { prefixIDs.count + suffixIDs.count }

    /// Reads a tokenizer.json; what it asks for and Thaw does not do is refused by name.
    package init(tokenizerJSON bytes: [UInt8]) throws(TokenizerError) {
        try self.init(try TokenizerDefinition(parsing: bytes)) { CharacterTable(rules: $0) }
    }

    /// - Parameter table: makes the table of a normalizer's rules.
    init(_ definition: TokenizerDefinition, table: (NormalizerRules) -> CharacterTable) throws(TokenizerError) {
        normalizers = definition.normalizers.map { $0.compiled(table: table) }
        splits = definition.splits
        var tokenKeys: [PieceTrie.Key] = []
        for (place, token) in definition.addedTokens.enumerated() {
            var text = Array(token.content.utf8)
            if token.isNormalized {
                text = Self.normalized(text, by: normalizers)
                guard !text.isEmpty else {
                    throw .unsupported("added token \"\(token.content)\" is empty once normalized")
                }
            }
            let root: PieceTrie.Root = token.isNormalized ? .normalizedTokens : .verbatimTokens
            tokenKeys.append(PieceTrie.Key(root: root, text: text, value: UInt32(place)))
        }
        (pieces, model) = try PieceSetBuilder.build(definition, tokenKeys: tokenKeys)
        addedTokens = definition.addedTokens.map { token in
            CompiledToken(
                id: token.id,
                isSingleWord: token.isSingleWord,
                stripsLeft: token.stripsLeft,
                stripsRight: token.stripsRight
            )
        }
        hasNormalizedTokens = definition.addedTokens.contains(where: \.isNormalized)
        template = definition.template
        trimming = definition.trimming
        isBert = definition.isBertSplit && Self.isBert(definition.normalizers) && Self.isWordPiece(model)
        prefixIDs = template.singleIDs(after: false)
        suffixIDs = template.singleIDs(after: true)
        let ids = definition.vocabulary.map(\.id) + definition.addedTokens.map(\.id) + template.ids
        vocabularyCount = Int(ids.max() ?? 0) + 1
    }

    private static func isBert(_ normalizers: [NormalizerDefinition]) -> Bool {
        guard normalizers.count == 1, case .characters(let rules) = normalizers[0] else { return false }
        // Of the rules only BertNormalizer's may be on.
        return rules.decomposition == .none && !rules.dropsMarks && !rules.cleansForTranslation
    }

    static func isWordPiece(_ model: PieceModel) -> Bool {
        if case .wordPiece = model { true } else { false }
    }

    private static func normalized(_ text: [UInt8], by steps: [NormalizerStep]) -> [UInt8] {
        var working = WorkingText(tracksOrigins: false)
        var spare = WorkingText(tracksOrigins: false)
        var matcher = PatternMatcher()
        working.append(original: text.span, text.indices)
        for step in steps { step.apply(to: &working, spare: &spare, matcher: &matcher) }
        return working.bytes
    }

    /// The ids of `text` with the model's special tokens around them, at most `tokensMax` in all.
    ///
    /// A text that is too long loses its end. Special tokens are never lost: `tokensMax` is at least
    /// ``specialTokensCount``.
    package func encode(_ text: String, tokensMax: Int) -> [Int32] {
        var ids: [Int32] = []
        append(text, tokensMax: tokensMax, to: &ids)
        return ids
    }

    /// As ``encode(_:tokensMax:)``, into an array that the caller keeps.
    /// - Returns: How many ids were appended.
    @discardableResult
    package func append(_ text: String, tokensMax: Int, to ids: inout [Int32]) -> Int {
        let start = ids.count
        ids.append(contentsOf: prefixIDs)
        let end = ids.count + max(0, tokensMax - specialTokensCount)
        appendIDs(of: text, idsMax: end, to: &ids)
        ids.append(contentsOf: suffixIDs)
        return ids.count - start
    }

    /// The ids of the text alone, until there are `idsMax` in the array.
    func appendIDs(of text: String, idsMax: Int, to ids: inout [Int32]) {
        if isBert, case .characters(let characters)? = normalizers.first, case .wordPiece(let wordScalarsMax) = model {
            var encoding = TextEncoding(
                tokenizer: self,
                characters: characters,
                wordScalarsMax: wordScalarsMax,
                ids: ids,
                idsMax: idsMax
            )
            ids = []
            encoding.encode(text.utf8Span.span)
            ids = encoding.finish()
            return
        }
        var pipeline = TextPipeline(self, ids: ids, idsMax: idsMax, tracksOrigins: false)
        ids = []
        pipeline.encode(text.utf8Span.span)
        ids = pipeline.finish().ids
    }
}
