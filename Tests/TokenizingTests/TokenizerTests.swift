import Foundation
import Testing

@testable import Tokenizing

@Suite struct TokenizerTests {
    private func expectSame(_ tokenizer: Tokenizer, as cases: String) throws {
        let cases = try Fixtures.cases(cases)
        #expect(cases.count >= 10)
        for one in cases {
            #expect(tokenizer.encode(one.text, tokensMax: 64) == one.ids, "\(one.text.debugDescription)")
        }
    }

    @Test func `ids are those of Hugging Face, lower case`() throws {
        try expectSame(SharedTokenizer.uncased.get(), as: Fixtures.uncased)
    }

    @Test func `ids are those of Hugging Face, case and accents kept`() throws {
        try expectSame(Fixtures.tokenizer(lowercases: false), as: Fixtures.cased)
    }

    @Test func `ids are those of Hugging Face with added tokens of every kind`() throws {
        try expectSame(SharedTokenizer.added.get(), as: Fixtures.added)
        try expectSame(Fixtures.tokenizer(lowercases: false, added: Fixtures.addedTokens), as: Fixtures.addedCased)
    }

    @Test func `a long text loses its end, never its special tokens`() throws {
        let tokenizer = try SharedTokenizer.uncased.get()
        let whole = tokenizer.encode("hello unaffable world", tokensMax: 64)
        #expect(whole.count == 7)
        #expect(tokenizer.specialTokensCount == 2)
        for tokensMax in 2...8 {
            let cut = tokenizer.encode("hello unaffable world", tokensMax: tokensMax)
            #expect(cut.count == min(7, tokensMax))
            #expect(Array(cut.dropLast()) == Array(whole.dropLast().prefix(tokensMax - 1)))
            #expect(cut.last == 3)
        }
        #expect(tokenizer.encode("hello", tokensMax: 0) == [2, 3])
    }

    @Test func `texts are appended one after the other`() throws {
        let tokenizer = try SharedTokenizer.uncased.get()
        var ids: [Int32] = []
        #expect(tokenizer.append("hello", tokensMax: 64, to: &ids) == 3)
        #expect(tokenizer.append("unaffable", tokensMax: 4, to: &ids) == 4)
        #expect(ids == tokenizer.encode("hello", tokensMax: 64) + tokenizer.encode("unaffable", tokensMax: 4))
    }

    @Test func `a template stands for its special tokens`() throws {
        var file = try Fixtures.tokenizerJSON()
        let item = { (kind: String, id: String) in [kind: ["id": id, "type_id": 0] as [String: Any]] }
        file["post_processor"] = [
            "type": "TemplateProcessing",
            "single": [item("SpecialToken", "[CLS]"), item("Sequence", "A"), item("SpecialToken", "[SEP]")],
            "pair": [],
            "special_tokens": [
                "[CLS]": ["id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]],
                "[SEP]": ["id": "[SEP]", "ids": [3, 4], "tokens": ["[SEP]"]],
            ],
        ]
        #expect(try Fixtures.tokenizer(file).encode("the", tokensMax: 9) == [2, 5, 3, 4])
    }

    @Test(.enabled(if: Model.isFetched, "functions/embed/fetch brings the tokenizer.json of the real model"))
    func `ids of the real model are those of Hugging Face on all golden texts`() throws {
        let made = try Tokenizer(tokenizerJSON: [UInt8](Data(contentsOf: Model.file("model/tokenizer.json"))))
        let tokenizer = try Tokenizer(compiled: made.compiled())
        #expect(tokenizer.vocabularyCount == 30522)
        let decoder = JSONDecoder()
        let texts = try decoder.decode([String].self, from: Data(contentsOf: Model.file("golden/texts.json")))
        let ids = try decoder.decode([[Int32]].self, from: Data(contentsOf: Model.file("golden/ids.json")))
        #expect(texts.count == 300 && ids.count == 300)
        for (text, expected) in zip(texts, ids) {
            #expect(tokenizer.encode(text, tokensMax: 256) == expected, "\(text.prefix(80).debugDescription)")
            // The way of all other tokenizers, step by step.
            let stepped = tokenizer.encodeWithOrigins(text, tokensMax: 256)
            #expect(stepped.ids == expected, "\(text.prefix(80).debugDescription)")
        }
    }

    private enum Model {
        static func file(_ name: String) -> URL {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            return root.deletingLastPathComponent().appendingPathComponent("functions/embed/\(name)")
        }

        static var isFetched: Bool { FileManager.default.fileExists(atPath: file("model/tokenizer.json").path) }
    }
}
