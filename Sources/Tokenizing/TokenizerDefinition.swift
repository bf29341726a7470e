import JSON

/// What a tokenizer.json says, as far as Thaw does it; everything else in the file is refused by name.
///
/// Format: Hugging Face `tokenizers`. Truncation and padding in the file are ignored: how many tokens a text may have
/// is the model's business (`max_seq_length`), and padding is not needed.
struct TokenizerDefinition {
    var rules = NormalizerRules()
    var addedTokens: [AddedToken] = []
    /// Pieces with their `##`, and their ids.
    var vocabulary: [(piece: String, id: UInt32)] = []
    var unknownID: UInt32 = 0
    /// Longer words are unknown, in scalars.
    var wordScalarsMax: UInt32 = 0
    var prefixIDs: [UInt32] = []
    var suffixIDs: [UInt32] = []

    /// Ids beyond are refused: the largest vocabularies in use have 256 Ki.
    static let idMax: Int64 = 4 * 1024 * 1024

    /// Reads a whole tokenizer.json.
    init(parsing bytes: [UInt8]) throws(TokenizerError) {
        let file: JSON
        do {
            file = try JSON.parse(bytes)
        } catch {
            throw .malformed(error.description)
        }
        let known = [
            "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
            "decoder", "model",
        ]
        try Self.refuseUnknownKeys(of: file, known: known, in: "the file")
        if file["truncation"]?["direction"]?.stringValue == "Left" {
            throw .unsupported("truncation direction Left is not supported yet; supported: Right")
        }
        rules = try Self.rules(file["normalizer"] ?? .null)
        try Self.expectType(file["pre_tokenizer"] ?? .null, "pre_tokenizer", supported: ["BertPreTokenizer"])
        try readModel(file["model"] ?? .null)
        try readAddedTokens(file["added_tokens"] ?? .array([]))
        try readPostProcessor(file["post_processor"] ?? .null)
    }

    private static func rules(_ normalizer: JSON) throws(TokenizerError) -> NormalizerRules {
        try expectType(normalizer, "normalizer", supported: ["BertNormalizer"])
        let known = ["type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"]
        try refuseUnknownKeys(of: normalizer, known: known, in: "normalizer")
        let lowercases = try flag("lowercase", of: normalizer, default: true)
        return NormalizerRules(
            cleansText: try flag("clean_text", of: normalizer, default: true),
            padsIdeographs: try flag("handle_chinese_chars", of: normalizer, default: true),
            stripsAccents: try flag("strip_accents", of: normalizer, default: lowercases),
            lowercases: lowercases
        )
    }

    private mutating func readModel(_ model: JSON) throws(TokenizerError) {
        try Self.expectType(model, "model", supported: ["WordPiece"])
        let known = ["type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"]
        try Self.refuseUnknownKeys(of: model, known: known, in: "model")
        let prefix = model["continuing_subword_prefix"]?.stringValue ?? "##"
        guard prefix == "##" else {
            throw .unsupported("continuing_subword_prefix \"\(prefix)\" is not supported yet; supported: \"##\"")
        }
        let scalarsMax = model["max_input_chars_per_word"]?.integerValue ?? 100
        // A word is held whole while it is read; 10,000 is a hundred times what models use.
        guard (1...10_000).contains(scalarsMax) else {
            throw .unsupported("max_input_chars_per_word \(scalarsMax) is not supported; supported: 1 to 10000")
        }
        wordScalarsMax = UInt32(scalarsMax)
        guard let members = model["vocab"]?.objectMembers, !members.isEmpty else {
            throw .malformed("model.vocab: expected an object of pieces and ids")
        }
        vocabulary.reserveCapacity(members.count)
        for member in members {
            vocabulary.append((member.key, try Self.id(member.value, "model.vocab \"\(member.key)\"")))
        }
        let unknown = model["unk_token"]?.stringValue ?? "[UNK]"
        guard let entry = vocabulary.first(where: { $0.piece == unknown }) else {
            throw .malformed("model.unk_token \"\(unknown)\" is not in the vocabulary")
        }
        unknownID = entry.id
    }

    private mutating func readAddedTokens(_ list: JSON) throws(TokenizerError) {
        guard let entries = list.arrayValue else { throw .malformed("added_tokens: expected an array") }
        guard entries.count <= vocabulary.count else {
            throw .unsupported("\(entries.count) added tokens are not supported; supported: as many as the vocabulary")
        }
        var ids: [String: UInt32] = [:]
        for (piece, id) in entries.isEmpty ? [] : vocabulary { ids[piece] = id }
        // Tokens that the vocabulary lacks are numbered after it, in order, whatever id the entry says: as `tokenizers`
        // does.
        var next = UInt32(clamping: vocabulary.count)
        var tokens: [(token: AddedToken, isSpecial: Bool)] = []
        for entry in entries {
            let known = ["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"]
            try Self.refuseUnknownKeys(of: entry, known: known, in: "added_tokens")
            guard let content = entry["content"]?.stringValue, !content.isEmpty else {
                throw .malformed("added_tokens: expected a content that is not empty")
            }
            let isSpecial = try Self.flag("special", of: entry, default: false)
            let id = ids[content] ?? next
            ids[content] = id
            next = max(next, id + 1)
            let token = AddedToken(
                id: id,
                content: content,
                isSingleWord: try Self.flag("single_word", of: entry, default: false),
                isNormalized: try Self.flag("normalized", of: entry, default: !isSpecial)
            )
            tokens.append((token, isSpecial))
        }
        // Where two have the same text, special ones win, then the first.
        addedTokens = tokens.filter(\.isSpecial).map(\.token) + tokens.filter { !$0.isSpecial }.map(\.token)
    }

    /// False, true, or the default where the key is missing or null.
    private static func flag(_ key: String, of object: JSON, default value: Bool) throws(TokenizerError) -> Bool {
        switch object[key] {
        case nil, .null?: return value
        case .bool(let flag)?: return flag
        case let other?: throw .malformed("\(key): expected true or false, got \(other.kindName)")
        }
    }

    static func id(_ value: JSON, _ place: String) throws(TokenizerError) -> UInt32 {
        guard let id = value.integerValue, (0..<idMax).contains(id) else {
            throw .malformed("\(place): expected an id from 0 to \(idMax - 1)")
        }
        return UInt32(id)
    }

    static func expectType(_ part: JSON, _ name: String, supported: [String]) throws(TokenizerError) {
        let type = part["type"]?.stringValue ?? (part == .null ? "null" : "without a type")
        guard supported.contains(type) else {
            throw .unsupported("\(name) \(type) is not supported yet; supported: \(supported.joined(separator: ", "))")
        }
    }

    static func refuseUnknownKeys(of object: JSON, known: [String], in name: String) throws(TokenizerError) {
        guard let members = object.objectMembers else { throw .malformed("\(name): expected an object") }
        for member in members where !known.contains(member.key) {
            throw .unsupported(
                "\"\(member.key)\" in \(name) is not supported yet; supported: \(known.joined(separator: ", "))"
            )
        }
    }
}
