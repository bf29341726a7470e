import JSON

/// How words become pieces, as the file says it.
enum ModelDefinition {
    case wordPiece(prefix: String, wordScalarsMax: Int)
    case bytePair(BytePairDefinition)
    /// Scores by id.
    case unigram(scores: [Double], usesBytes: Bool)
    case words
}

struct BytePairDefinition {
    var merges: [(left: String, right: String)]
    var prefix: String
    var suffix: String
    var fusesUnknown: Bool
    /// Scalars that are no piece become the pieces of their bytes.
    var usesBytes: Bool
    /// A word that is a piece becomes that, whatever the merges make of it.
    var takesWholeWords: Bool
}

extension TokenizerDefinition {
    mutating func readModel(_ model: JSON) throws(TokenizerError) {
        var type = Self.type(of: model)
        // Old files name no type.
        if type == "without a type", model["merges"] != nil { type = "BPE" }
        switch type {
        case "WordPiece": try readWordPiece(model)
        case "BPE": try readBytePair(model)
        case "Unigram": try readUnigram(model)
        case "WordLevel":
            try Self.refuseUnknownKeys(of: model, known: ["type", "vocab", "unk_token"], in: "model")
            try readVocabulary(model)
            unknownID = try unknown(model, default: "<unk>")
        default: throw Self.refusal("model", type, supported: ["WordPiece", "BPE", "Unigram", "WordLevel"])
        }
        guard !isByteLevel || type == "BPE" else {
            throw .unsupported("pre_tokenizer ByteLevel with the model \(type) is not supported; supported: BPE")
        }
    }

    /// The member `"vocab": {"piece": id, …}`.
    private mutating func readVocabulary(_ model: JSON) throws(TokenizerError) {
        guard let members = model["vocab"]?.objectMembers, !members.isEmpty else {
            throw .malformed("model.vocab: expected an object of pieces and ids")
        }
        vocabulary.reserveCapacity(members.count)
        for member in members {
            vocabulary.append((member.key, try Self.id(member.value, "model.vocab \"\(member.key)\"")))
        }
    }

    private func unknown(_ model: JSON, default text: String?) throws(TokenizerError) -> UInt32? {
        guard let unknown = try Self.text("unk_token", of: model) ?? text else { return nil }
        guard let entry = vocabulary.first(where: { $0.piece.utf8.elementsEqual(unknown.utf8) }) else {
            throw .malformed("model.unk_token \"\(unknown)\" is not in the vocabulary")
        }
        return entry.id
    }

    private mutating func readWordPiece(_ model: JSON) throws(TokenizerError) {
        let known = ["type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"]
        try Self.refuseUnknownKeys(of: model, known: known, in: "model")
        let prefix = try Self.text("continuing_subword_prefix", of: model) ?? "##"
        guard !prefix.isEmpty else {
            throw .unsupported("an empty continuing_subword_prefix is not supported; supported: such as \"##\"")
        }
        let scalarsMax = model["max_input_chars_per_word"]?.integerValue ?? 100
        // A word is held whole while it is read; 10,000 is a hundred times what models use.
        guard (1...10_000).contains(scalarsMax) else {
            throw .unsupported("max_input_chars_per_word \(scalarsMax) is not supported; supported: 1 to 10000")
        }
        try readVocabulary(model)
        unknownID = try unknown(model, default: "[UNK]")
        self.model = .wordPiece(prefix: prefix, wordScalarsMax: Int(scalarsMax))
    }

    private mutating func readBytePair(_ model: JSON) throws(TokenizerError) {
        let known = [
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
            "byte_fallback", "ignore_merges", "vocab", "merges",
        ]
        try Self.refuseUnknownKeys(of: model, known: known, in: "model")
        guard model["dropout"]?.doubleValue ?? 0 == 0 else {
            throw .unsupported("model.dropout is for training; supported: null or 0")
        }
        try readVocabulary(model)
        // An unk_token that is no piece is never asked for by models that have a piece for every byte.
        let unknownText = try Self.text("unk_token", of: model)
        if let unknownText {
            unknownID = vocabulary.first { $0.piece.utf8.elementsEqual(unknownText.utf8) }?.id
        }
        guard let items = model["merges"]?.arrayValue else { throw .malformed("model.merges: expected an array") }
        var merges: [(left: String, right: String)] = []
        merges.reserveCapacity(items.count)
        for item in items {
            if let text = item.stringValue {
                let parts = text.split(separator: " ", omittingEmptySubsequences: false)
                guard parts.count == 2 else { throw .malformed("model.merges \"\(text)\": expected two pieces") }
                merges.append((String(parts[0]), String(parts[1])))
            } else if let pair = item.arrayValue, pair.count == 2, let left = pair[0].stringValue,
                let right = pair[1].stringValue
            {
                merges.append((left, right))
            } else {
                throw .malformed("model.merges: expected \"left right\" or [left, right]")
            }
        }
        self.model = .bytePair(
            BytePairDefinition(
                merges: merges,
                prefix: try Self.text("continuing_subword_prefix", of: model) ?? "",
                suffix: try Self.text("end_of_word_suffix", of: model) ?? "",
                fusesUnknown: try Self.flag("fuse_unk", of: model, default: false),
                usesBytes: try Self.flag("byte_fallback", of: model, default: false),
                takesWholeWords: try Self.flag("ignore_merges", of: model, default: false)
            )
        )
    }

    private mutating func readUnigram(_ model: JSON) throws(TokenizerError) {
        try Self.refuseUnknownKeys(of: model, known: ["type", "unk_id", "vocab", "byte_fallback"], in: "model")
        guard let items = model["vocab"]?.arrayValue, !items.isEmpty, items.count < Self.idMax else {
            throw .malformed("model.vocab: expected an array of pieces and scores")
        }
        var scores: [Double] = []
        scores.reserveCapacity(items.count)
        vocabulary.reserveCapacity(items.count)
        for item in items {
            guard let pair = item.arrayValue, pair.count == 2, let piece = pair[0].stringValue,
                let score = pair[1].doubleValue
            else { throw .malformed("model.vocab: expected [piece, score]") }
            vocabulary.append((piece, UInt32(scores.count)))
            scores.append(Self.asSerdeReads(score))
        }
        if let unknown = model["unk_id"], unknown != .null {
            let id = try Self.id(unknown, "model.unk_id")
            guard id < scores.count else { throw .malformed("model.unk_id is beyond the vocabulary") }
            unknownID = id
        }
        self.model = .unigram(scores: scores, usesBytes: try Self.flag("byte_fallback", of: model, default: false))
    }

    /// A score as the reference has it: its JSON parser divides the digits by a power of ten, and so may be off by one
    /// in the last place, which decides between ways of equal score.
    static func asSerdeReads(_ score: Double) -> Double {
        let text = score.magnitude.description
        let parts = text.split(separator: "e")
        let digits = parts[0].split(separator: ".")
        guard let whole = digits.first, let significand = UInt64(digits.joined()) else { return score }
        let fraction = digits.count > 1 ? digits[1].utf8.count : 0
        let exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) - fraction
        guard !whole.isEmpty, (-22...22).contains(exponent) else { return score }
        // Powers of ten up to 22 are exact.
        let power = (0..<abs(exponent)).reduce(1.0) { value, _ in value * 10 }
        let read = exponent < 0 ? Double(significand) / power : Double(significand) * power
        return score < 0 ? -read : read
    }
}
