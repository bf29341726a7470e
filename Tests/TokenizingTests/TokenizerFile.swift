import Foundation

@testable import Tokenizing

extension Fixtures {
    /// A tokenizer.json like that of a BERT, with the small vocabulary.
    ///
    /// - Parameter added: entries of `added_tokens`, as a JSON array.
    static func tokenizerJSON(lowercases: Bool = true, added: String = "[]") throws -> [String: Any] {
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map { content in
            ["content": content, "special": true, "normalized": false] as [String: Any]
        }
        let more = try JSONSerialization.jsonObject(with: Data(added.utf8)) as? [[String: Any]] ?? []
        let ids = vocabulary.enumerated().map { ($1, $0) }
        return [
            "version": "1.0",
            "truncation": ["max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"],
            "padding": NSNull(),
            "added_tokens": special + more,
            "normalizer": [
                "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": NSNull(),
                "lowercase": lowercases,
            ],
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "post_processor": ["type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]],
            "decoder": NSNull(),
            "model": [
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 12,
                "vocab": Dictionary(uniqueKeysWithValues: ids),
            ],
        ]
    }

    static func tokenizer(lowercases: Bool = true, added: String = "[]") throws -> Tokenizer {
        try tokenizer(tokenizerJSON(lowercases: lowercases, added: added))
    }

    static func tokenizer(_ file: [String: Any]) throws -> Tokenizer {
        let definition = try TokenizerDefinition(parsing: [UInt8](JSONSerialization.data(withJSONObject: file)))
        return try Tokenizer(definition) { table(of: $0) }
    }

    /// Tables of characters, made once: a debug build takes a good part of a second for one.
    static func table(of rules: NormalizerRules) -> CharacterTable {
        switch rules {
        case NormalizerRules(): uncasedTable
        case NormalizerRules(stripsAccents: false, lowercases: false): casedTable
        default: CharacterTable(rules: rules)
        }
    }

    private static let uncasedTable = CharacterTable(rules: NormalizerRules())
    private static let casedTable = CharacterTable(rules: NormalizerRules(stripsAccents: false, lowercases: false))

    /// A text and the ids that it has.
    struct Case: Decodable {
        let text: String
        let ids: [Int32]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            text = try container.decode(String.self)
            ids = try container.decode([Int32].self)
        }
    }

    static func cases(_ json: String) throws -> [Case] {
        try JSONDecoder().decode([Case].self, from: Data(json.utf8))
    }
}

/// The small tokenizer, made once.
enum SharedTokenizer {
    static let uncased = Result { try Fixtures.tokenizer() }
    static let added = Result { try Fixtures.tokenizer(added: Fixtures.addedTokens) }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
