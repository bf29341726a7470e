import Foundation
import Testing

@testable import Tokenizing

@Suite struct TokenizerDefinitionTests {
    /// Puts `value` at `path`, or takes what is there away.
    private func file(_ path: String, _ value: Any?) throws -> [String: Any] {
        func put(_ keys: ArraySlice<Substring>, in object: [String: Any]) -> [String: Any] {
            guard let key = keys.first.map(String.init) else { return object }
            var object = object
            object[key] = keys.count == 1 ? value : put(keys.dropFirst(), in: object[key] as? [String: Any] ?? [:])
            return object
        }
        return put(path.split(separator: ".")[...], in: try Fixtures.tokenizerJSON())
    }

    private static let refusals: [(path: String, json: String, sentence: String)] = [
        (
            "normalizer.type", #""Spelling""#,
            "normalizer Spelling is not supported yet; supported: BertNormalizer, NFC"
        ),
        ("normalizer.type", #""Precompiled""#, "precompiled_charsmap: expected Base64"),
        ("normalizer", #"{"type": "Replace", "pattern": {"Regex": "(?<n>a)"}, "content": ""}"#, "has the group (?<n"),
        (
            "normalizer", #"{"type": "Replace", "pattern": {"Regex": "(a*)*"}, "content": ""}"#,
            "repeats what may be empty"
        ),
        ("pre_tokenizer.type", #""UnicodeScripts""#, "pre_tokenizer UnicodeScripts is not supported yet"),
        ("pre_tokenizer.type", #""ByteLevel""#, "ByteLevel with the model WordPiece is not supported"),
        (
            "pre_tokenizer", #"{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]}"#,
            "pre_tokenizer ByteLevel before others is not supported yet"
        ),
        (
            "pre_tokenizer", #"{"type": "Split", "pattern": {"String": "a"}, "behavior": "Odd"}"#,
            "the behavior Odd is not"
        ),
        ("model.type", #""Tiktoken""#, "model Tiktoken is not supported yet; supported: WordPiece, BPE"),
        ("model", #"{"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}"#, "a piece of it is not in the vocabulary"),
        ("model", #"{"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}"#, "expected two pieces"),
        (
            "model", #"{"type": "BPE", "dropout": 0.1, "vocab": {"a": 0}, "merges": []}"#,
            "model.dropout is for training"
        ),
        ("model", #"{"type": "Unigram", "vocab": [["a"]]}"#, "model.vocab: expected [piece, score]"),
        ("model", #"{"type": "Unigram", "unk_id": 1, "vocab": [["a", -1]]}"#, "model.unk_id is beyond the vocabulary"),
        ("model.dropout", "0.1", "\"dropout\" in model is not supported yet"),
        ("model.continuing_subword_prefix", #""""#, "an empty continuing_subword_prefix is not supported"),
        ("model.max_input_chars_per_word", "0", "max_input_chars_per_word 0 is not supported"),
        ("model.unk_token", #""<unk>""#, "model.unk_token \"<unk>\" is not in the vocabulary"),
        ("model.vocab", "{}", "model.vocab: expected an object of pieces and ids"),
        ("model.vocab", #"{"a": -1}"#, "model.vocab \"a\": expected an id from 0 to 4194303"),
        ("model.vocab", #"{"a": 1.5}"#, "model.vocab \"a\": expected an id from 0 to 4194303"),
        ("post_processor.type", #""Padding""#, "post_processor Padding is not supported yet"),
        ("post_processor.cls", #"["[CLS]"]"#, "post_processor.cls: expected [token, id]"),
        ("truncation.direction", #""Left""#, "truncation direction Left is not supported yet"),
        ("normalizer.lowercase", "3", "lowercase: expected true or false, got a number"),
        ("added_tokens", "7", "added_tokens: expected an array"),
        ("added_tokens", #"[{"id": 1, "content": ""}]"#, "added_tokens: expected a content that is not empty"),
        ("added_tokens", #"[{"content": "\u0301", "normalized": true}]"#, "is empty once normalized"),
        ("extra", "1", "\"extra\" in the file is not supported yet"),
    ]

    @Test func `whatever Thaw does not do is refused by name`() throws {
        for (path, json, sentence) in Self.refusals {
            let value = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
            let changed = try file(path, value)
            let error = #expect(throws: TokenizerError.self) { try Fixtures.tokenizer(changed) }
            #expect(error?.description.contains(sentence) == true, "\(path): \(error?.description ?? "accepted")")
        }
    }

    @Test func `a file that is no JSON is refused with its place`() {
        let error = #expect(throws: TokenizerError.self) {
            try Tokenizer(tokenizerJSON: Array("{\n \"model\" 1}".utf8))
        }
        #expect(error?.description.contains("line 2") == true)
    }

    @Test func `a template must hold the text once, and one type only`() throws {
        let sequence = ["Sequence": ["id": "A", "type_id": 0] as [String: Any]]
        let template = { (items: [Any]) in
            ["type": "TemplateProcessing", "single": items, "special_tokens": [:] as [String: Any]] as [String: Any]
        }
        for items in [
            [], [sequence, sequence], [["SpecialToken": ["id": "[CLS]", "type_id": 0] as [String: Any]], sequence],
            [["Sequence": ["id": "A", "type_id": 1] as [String: Any]]],
        ] as [[Any]] {
            let changed = try file("post_processor", template(items))
            #expect(throws: TokenizerError.self) { try Fixtures.tokenizer(changed) }
        }
    }

    @Test func `mutated files are read or refused, never a crash`() throws {
        // A definition is cheap to read; the table of characters, which is not, never sees a byte of the file.
        let bytes = [UInt8](
            try JSONSerialization.data(withJSONObject: Fixtures.tokenizerJSON(added: Fixtures.addedTokens))
        )
        var random = SeededGenerator(state: 5)
        var outcomes = (read: 0, refused: 0)
        for _ in 0..<1_000 {
            var mutant = bytes
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let place = Int.random(in: 0..<mutant.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: mutant[place] = UInt8.random(in: 0x20...0x7E, using: &random)
                case 1: mutant[place] = Array("0123456789-[]{},\"".utf8).randomElement(using: &random) ?? 0
                default: mutant.remove(at: place)
                }
            }
            do {
                _ = try TokenizerDefinition(parsing: mutant)
                outcomes.read += 1
            } catch {
                outcomes.refused += 1
            }
        }
        #expect(outcomes.read > 50 && outcomes.refused > 50)
    }
}
