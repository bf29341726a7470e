import JSON

/// What a tokenizer.json says, as far as Thaw does it; everything else in the file is refused by name.
///
/// Format: Hugging Face `tokenizers`. Truncation and padding in the file are ignored: how many tokens a text may have
/// is the model's business (`max_seq_length`), and padding is not needed.
struct TokenizerDefinition {
    var normalizers: [NormalizerDefinition] = []
    var splits: [SplitStep] = []
    /// Words are the bytes of their text, not its scalars (`ByteLevel`).
    var isByteLevel = false
    /// `BertPreTokenizer`, alone.
    var isBertSplit = false
    var addedTokens: [AddedToken] = []
    var model = ModelDefinition.words
    /// Pieces and their ids; for byte-level models as the file spells bytes.
    var vocabulary: [(piece: String, id: UInt32)] = []
    /// nil where the model has no such piece.
    var unknownID: UInt32?
    var template = TextTemplate()
    var trimming = Tokenizer.Trimming.none

    /// Ids beyond are refused: the largest vocabularies in use have 256 Ki.
    static let idMax: Int64 = 4 * 1024 * 1024
    /// Gemma's 256 Ki pieces and 580 Ki merges of two are 2.3 Mi values.
    private static let bounds = JSONBounds(depthMax: 64, valuesMax: 4 * 1024 * 1024)

    /// Reads a whole tokenizer.json.
    init(parsing bytes: [UInt8]) throws(TokenizerError) {
        let file: JSON
        do {
            file = try JSON.parse(bytes, bounds: Self.bounds)
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
        try readNormalizer(file["normalizer"] ?? .null)
        try readPreTokenizer(file["pre_tokenizer"] ?? .null)
        try readModel(file["model"] ?? .null)
        try readAddedTokens(file["added_tokens"] ?? .array([]))
        try readPostProcessor(file["post_processor"] ?? .null)
    }

    private mutating func readAddedTokens(_ list: JSON) throws(TokenizerError) {
        guard let entries = list.arrayValue else { throw .malformed("added_tokens: expected an array") }
        guard entries.count <= Self.idMax / 4 else {
            throw .unsupported("\(entries.count) added tokens are not supported; supported: \(Self.idMax / 4)")
        }
        var ids: PieceIDs = [:]
        for (piece, id) in entries.isEmpty ? [] : vocabulary { ids[Array(piece.utf8)] = id }
        // Tokens that the vocabulary lacks are numbered after it, in order, whatever id the entry says: as `tokenizers`
        // does.
        var next = UInt32(clamping: ids.count)
        var tokens: [(token: AddedToken, isSpecial: Bool)] = []
        for entry in entries {
            let known = ["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"]
            try Self.refuseUnknownKeys(of: entry, known: known, in: "added_tokens")
            guard let content = entry["content"]?.stringValue, !content.isEmpty else {
                throw .malformed("added_tokens: expected a content that is not empty")
            }
            let isSpecial = try Self.flag("special", of: entry, default: false)
            let id = ids[Array(content.utf8)] ?? next
            ids[Array(content.utf8)] = id
            next = max(next, id + 1)
            let token = AddedToken(
                id: id,
                content: content,
                isSingleWord: try Self.flag("single_word", of: entry, default: false),
                stripsLeft: try Self.flag("lstrip", of: entry, default: false),
                stripsRight: try Self.flag("rstrip", of: entry, default: false),
                isNormalized: try Self.flag("normalized", of: entry, default: !isSpecial)
            )
            tokens.append((token, isSpecial))
        }
        // Where two have the same text, special ones win, then the first.
        addedTokens = tokens.filter(\.isSpecial).map(\.token) + tokens.filter { !$0.isSpecial }.map(\.token)
    }
}

/// What all parts of the file are read with.
extension TokenizerDefinition {
    /// False, true, or the default where the key is missing or null.
    static func flag(_ key: String, of object: JSON, default value: Bool) throws(TokenizerError) -> Bool {
        switch object[key] {
        case nil, .null?: return value
        case .bool(let flag)?: return flag
        case let other?: throw .malformed("\(key): expected true or false, got \(other.kindName)")
        }
    }

    /// A text, or nil where the key is missing or null.
    static func text(_ key: String, of object: JSON) throws(TokenizerError) -> String? {
        switch object[key] {
        case nil, .null?: return nil
        case .string(let text)?: return text
        case let other?: throw .malformed("\(key): expected a string, got \(other.kindName)")
        }
    }

    static func id(_ value: JSON, _ place: String) throws(TokenizerError) -> UInt32 {
        guard let id = value.integerValue, (0..<idMax).contains(id) else {
            throw .malformed("\(place): expected an id from 0 to \(idMax - 1)")
        }
        return UInt32(id)
    }

    /// The `type` of a part; the word "null" where there is none.
    static func type(of part: JSON) -> String {
        part["type"]?.stringValue ?? (part == .null ? "null" : "without a type")
    }

    static func refusal(_ name: String, _ type: String, supported: [String]) -> TokenizerError {
        .unsupported("\(name) \(type) is not supported yet; supported: \(supported.joined(separator: ", "))")
    }

    /// The parts of a Sequence (however deep), or the part itself; none of null.
    static func flattened(_ part: JSON, _ key: String, depth: Int = 0) throws(TokenizerError) -> [JSON] {
        if part == .null { return [] }
        guard type(of: part) == "Sequence" else { return [part] }
        guard let items = part[key]?.arrayValue, depth < 8, items.count <= 64 else {
            throw .malformed("a Sequence: expected an array of at most 64 \(key)")
        }
        var result: [JSON] = []
        for item in items { result += try flattened(item, key, depth: depth + 1) }
        return result
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
