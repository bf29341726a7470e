/// Turns text into the ids that a model was trained on, as Hugging Face `tokenizers` does.
///
/// The packer reads a tokenizer.json once and compiles it; a worker loads the compiled bytes, which takes a copy and a
/// check of every index, and no work for each piece.
package struct Tokenizer: Equatable, Sendable {
    let characters: CharacterTable
    let trie: PieceTrie
    let addedTokens: [CompiledToken]
    let hasNormalizedTokens: Bool
    let unknownID: UInt32
    let wordScalarsMax: Int
    let prefixIDs: [Int32]
    let suffixIDs: [Int32]
    /// One more than the greatest id that ``encode(_:tokensMax:)`` can answer.
    package let vocabularyCount: Int

    /// What is needed of an ``AddedToken`` once it is found.
    struct CompiledToken: Equatable {
        var id: UInt32
        var isSingleWord: Bool
    }

    /// How many ids stand around those of the text itself; they count as tokens.
    package var specialTokensCount: Int { prefixIDs.count + suffixIDs.count }

    /// Reads a tokenizer.json; what it asks for and Thaw does not do is refused by name.
    package init(tokenizerJSON bytes: [UInt8]) throws(TokenizerError) {
        let definition = try TokenizerDefinition(parsing: bytes)
        try self.init(definition, characters: CharacterTable(rules: definition.rules))
    }

    /// - Parameter characters: the table of the definition's rules.
    init(_ definition: TokenizerDefinition, characters: CharacterTable) throws(TokenizerError) {
        self.characters = characters
        var keys: [PieceTrie.Key] = []
        keys.reserveCapacity(definition.vocabulary.count + definition.addedTokens.count)
        var idMax = definition.unknownID
        for (piece, id) in definition.vocabulary where !piece.isEmpty {
            // A word that starts with ## does not exist: # is a word of its own.
            let isContinuation = piece.utf8.starts(with: "##".utf8) && piece.utf8.count > 2
            let text = Array(isContinuation ? piece.utf8.dropFirst(2) : piece.utf8[...])
            keys.append(PieceTrie.Key(root: isContinuation ? .continuation : .wordStart, text: text, value: id))
            idMax = max(idMax, id)
        }
        for (place, token) in definition.addedTokens.enumerated() {
            var text = Array(token.content.utf8)
            if token.isNormalized {
                text = token.normalizedContent(by: definition.rules)
                guard !text.isEmpty else {
                    throw .unsupported("added token \"\(token.content)\" is empty once normalized")
                }
            }
            let root: PieceTrie.Root = token.isNormalized ? .normalizedTokens : .verbatimTokens
            keys.append(PieceTrie.Key(root: root, text: text, value: UInt32(place)))
            idMax = max(idMax, token.id)
        }
        trie = PieceTrie(keys: keys)
        addedTokens = definition.addedTokens.map { CompiledToken(id: $0.id, isSingleWord: $0.isSingleWord) }
        hasNormalizedTokens = definition.addedTokens.contains(where: \.isNormalized)
        unknownID = definition.unknownID
        wordScalarsMax = Int(definition.wordScalarsMax)
        prefixIDs = definition.prefixIDs.map { Int32($0) }
        suffixIDs = definition.suffixIDs.map { Int32($0) }
        for id in definition.prefixIDs + definition.suffixIDs { idMax = max(idMax, id) }
        vocabularyCount = Int(idMax) + 1
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
        var encoding = TextEncoding(tokenizer: self, ids: ids, idsMax: end)
        ids = []
        encoding.encode(text.utf8Span.span)
        ids = encoding.finish()
        ids.append(contentsOf: suffixIDs)
        return ids.count - start
    }
}
