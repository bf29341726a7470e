import Testing

@testable import Doors

@Suite struct InferencePathTests {
    private func read(_ path: String) -> (function: String, qualifier: String?, door: CallDoor)? {
        InferencePath(path.utf8[...]).map { ($0.model.function, $0.model.qualifier, $0.door) }
    }

    @Test func `paths of calls name the function, and what the protocol adds`() throws {
        #expect(try #require(read("/v1/embeddings")) == ("", nil, .openAIEmbeddings))
        #expect(try #require(read("/v1/rerank")) == ("", nil, .rerank))
        #expect(try #require(read("/v2/rerank")) == ("", nil, .rerank))
        #expect(try #require(read("/predict/embed")) == ("embed", nil, .prediction))
        #expect(try #require(read("/predict/embed%3Ablue")) == ("embed", "blue", .prediction))
        #expect(try #require(read("/v2/models/embed/infer")) == ("embed", nil, .openInference(model: "embed")))
        let versioned = try #require(read("/v2/models/embed/versions/3/infer"))
        #expect(versioned == ("embed", "3", .openInference(model: "embed")))
        let alias = try #require(read("/v2/models/embed:blue/infer"))
        #expect(alias == ("embed", "blue", .openInference(model: "embed:blue")))
        #expect(try #require(read("//v2/models//embed@2/infer/")).qualifier == "2")
    }

    @Test(arguments: [
        "/", "/v1", "/v1/models", "/v1/embeddings/x", "/v2", "/v2/models", "/v2/models/a", "/v2/models/a/ready",
        "/v2/models/a/versions/1", "/v2/models/a/versions/1/ready", "/v2/models/a/infer/x", "/predict", "/predict/a/b",
        "/predict/%", "/predict/%zz", "/predict/%ff", "/functions/a/invocations",
    ])
    func `other paths are none of calls`(path: String) {
        #expect(read(path) == nil)
    }
}

@Suite struct ModelFieldTests {
    private func find(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        return ModelField.find(in: bytes.span)
    }

    @Test func `the model is found wherever it stands at the top`() {
        #expect(find(#"{"model":"embed"}"#) == "embed")
        #expect(find(#"{ "input" : "a \"model\": \\" , "model" : "embed:blue" }"#) == "embed:blue")
        #expect(find(#"{"input":[{"model":"inner"}],"x":{"model":"inner"},"model":"outer","y":1}"#) == "outer")
        #expect(find(#"{"input":"model","model":"embed"}"#) == "embed")
        #expect(find(#"{"a":["model","b"],"model":"embed"}"#) == "embed")
    }

    @Test(arguments: [
        "", "{", "[]", #"["model","a"]"#, #"{"model":7}"#, #"{"model":"a"#, #"{"model""#, #"{"model":"#,
        #"{"input":"a"}"#, #"{"x":{"model":"inner"}}"#, #"{"model":"a\u0062"}"#, #"{"a":"\"#,
    ])
    func `where there is none, none is found`(text: String) {
        #expect(find(text) == nil)
    }

    @Test func `a name is short, or it is none`() {
        #expect(find("{\"model\":\"" + String(repeating: "a", count: 300) + "\"}") == nil)
    }

    @Test func `damaged bodies are passed over`() {
        var random = SeededRandom(state: 3)
        let seed = Array(#"{"input":["a\"b",{"model":"x"}],"model":"embed:blue","encoding_format":"base64"}"#.utf8)
        var found = 0
        for _ in 0..<4_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            if ModelField.find(in: bytes.span) != nil { found += 1 }
        }
        #expect(found > 500)
    }
}
