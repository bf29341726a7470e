import Testing

@testable import Tasks

@Suite struct EmbedTaskTests {
    private func runner(tokensMax: Int = 8) throws -> TaskRunner {
        try TinyModels.runner(TaskConfiguration(kind: .embed, tokensMax: tokensMax), TinyModels.mean)
    }

    @Test func `one text becomes one embedding, special tokens counted`() throws {
        // [CLS] hello world [SEP]: ids 2 4 5 3, places 0 to 3.
        let expected = #"{"embeddings":[[3.5,1.5,1.0]],"tokens":4}"#
        #expect(try runner().reply(to: #"{"text": "Hello world"}"#) == expected)
    }

    @Test func `several texts come back in their order`() throws {
        let body = #"{"text": ["hello", "", "world hello world"]}"#
        let expected = #"{"embeddings":[[3.0,1.0,1.0],[2.5,0.5,1.0],[3.8,2.0,1.0]],"tokens":10}"#
        #expect(try runner().reply(to: body) == expected)
        #expect(try runner().reply(to: #"{"text": []}"#) == #"{"embeddings":[],"tokens":0}"#)
    }

    @Test func `a long text is cut at the model's limit`() throws {
        let body = #"{"text": "hello hello hello hello hello hello"}"#
        #expect(try runner(tokensMax: 3).reply(to: body) == #"{"embeddings":[[3.0,1.0,1.0]],"tokens":3}"#)
    }

    @Test func `a call larger than a slice answers as its parts would`() throws {
        let count = TaskLimits.textsMax
        let texts = (0..<count).map { $0.isMultiple(of: 3) ? "\"hello\"" : "\"world world\"" }
        let reply = try runner().reply(to: "{\"text\": [\(texts.joined(separator: ","))]}")
        let vectors = (0..<count).map { $0.isMultiple(of: 3) ? "[3.0,1.0,1.0]" : "[3.75,1.5,1.0]" }
        let tokens = (0..<count).map { $0.isMultiple(of: 3) ? 3 : 4 }.reduce(0, +)
        #expect(tokens > 2 * TaskLimits.sliceTokensMax)
        #expect(reply == "{\"embeddings\":[\(vectors.joined(separator: ","))],\"tokens\":\(tokens)}")
    }

    @Test(arguments: [
        (#"{"txt": "a"}"#, #"expected {"text": string or array of strings}; unknown key "txt""#),
        (#"{"text": "a", "more": 1}"#, #"expected {"text": string or array of strings}; unknown key "more""#),
        (#"{}"#, #"expected {"text": string or array of strings}; the key "text" is missing"#),
        (#"{"text": 7}"#, #"expected {"text": string or array of strings}; "text" is a number"#),
        (#"{"text": ["a", null]}"#, #"expected {"text": string or array of strings}; "text"[1] is null"#),
        (#"["a"]"#, #"expected {"text": string or array of strings}, got an array"#),
        ("{\"text\":\n \"a\" 1}", "the body is not valid JSON: line 2, column "),
        ("", "the body is not valid JSON: line 1, column 1: nothing here"),
    ])
    func `a body of another shape is refused with what was expected`(body: String, sentence: String) throws {
        #expect(try runner().refusal(of: body)?.contains(sentence) == true)
    }

    @Test func `too many texts are refused`() throws {
        let texts = [String](repeating: "\"a\"", count: TaskLimits.textsMax + 1).joined(separator: ",")
        let sentence = "expected at most 2048 texts in one call, got 2049"
        #expect(try runner().refusal(of: "{\"text\": [\(texts)]}") == sentence)
    }
}
