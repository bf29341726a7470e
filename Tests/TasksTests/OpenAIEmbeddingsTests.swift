import Foundation
import JSON
import Testing
import Wire

@testable import Tasks

@Suite struct OpenAIEmbeddingsTests {
    private func reply(to body: String) throws -> JSON {
        let runner = try TinyModels.runner(TaskConfiguration(kind: .embed, tokensMax: 8), TinyModels.mean)
        let request = TaskRequest(form: .openAIEmbeddings, contentType: "application/json", body: Array(body.utf8))
        return try JSON.parse(try runner.run(request).body)
    }

    private func vectors(_ reply: JSON) -> [[Double]] {
        (reply["data"]?.arrayValue ?? []).map { ($0["embedding"]?.arrayValue ?? []).compactMap(\.doubleValue) }
    }

    @Test func `a text has one vector, the model's name comes back, and tokens are counted`() throws {
        let reply = try reply(to: #"{"input": "Hello world", "model": "tiny:blue", "user": "someone"}"#)
        #expect(vectors(reply) == [[3.5, 1.5, 1]])
        #expect(reply["model"] == .string("tiny:blue") && reply["object"] == .string("list"))
        #expect(reply["usage"]?["prompt_tokens"] == .integer(4) && reply["usage"]?["total_tokens"] == .integer(4))
        #expect(reply["data"]?.arrayValue?.first?["object"] == .string("embedding"))
    }

    @Test func `texts, ids and lists of ids come back in their order with their index`() throws {
        let texts = try reply(to: #"{"input": ["hello", "world hello world"]}"#)
        #expect(vectors(texts) == [[3, 1, 1], [3.8, 2, 1]])
        #expect(texts["data"]?.arrayValue?.compactMap { $0["index"]?.integerValue } == [0, 1])
        // The ids go to the model as they are: [CLS] hello [SEP].
        #expect(vectors(try reply(to: #"{"input": [2, 4, 3]}"#)) == [[3, 1, 1]])
        #expect(vectors(try reply(to: #"{"input": [[2, 4, 3], [5]]}"#)) == [[3, 1, 1], [5, 0, 1]])
    }

    @Test func `base64 holds the little-endian floats`() throws {
        let reply = try reply(to: #"{"input": "hello", "encoding_format": "base64"}"#)
        let text = try #require(reply["data"]?.arrayValue?.first?["embedding"]?.stringValue)
        let bytes = try #require(Data(base64Encoded: text))
        let floats = stride(from: 0, to: bytes.count, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
        }
        #expect(floats == [3, 1, 1])
    }

    @Test func `fewer dimensions are the first ones, at length 1 again`() throws {
        let vector = vectors(try reply(to: #"{"input": "hello", "dimensions": 2}"#))[0]
        #expect(abs(vector[0] - 3 / 10.0.squareRoot()) < 1e-6 && abs(vector[1] - 1 / 10.0.squareRoot()) < 1e-6)
        #expect(vectors(try reply(to: #"{"input": "hello", "dimensions": 3}"#)) == [[3, 1, 1]])
    }

    @Test(arguments: [
        (#"{"model": "tiny"}"#, "input", "missing"), (#"{"input": []}"#, "input", "empty"),
        (#"{"input": 7}"#, "input", "not a number"), (#"{"input": ["a", null]}"#, "input.1", "null"),
        (#"{"input": [2, 99]}"#, "input", "0 to 5"), (#"{"input": [[2], [-1]]}"#, "input.1", "0 to 5"),
        (#"{"input": [[2], []]}"#, "input.1", "1 to 8"), (#"{"input": [1,1,1,1,1,1,1,1,1]}"#, "input", "got 9"),
        (#"{"input": "a", "dimensions": 4}"#, "dimensions", "1 to 3"),
        (#"{"input": "a", "encoding_format": "hex"}"#, "encoding_format", "base64"), (#"["a"]"#, "", "an array"),
        (#"{"input": "a""#, "", "not valid JSON"),
    ])
    func `a request that is wrong is told where`(body: String, path: String, words: String) throws {
        let failure = #expect(throws: TaskFailure.self) { _ = try reply(to: body) }
        guard case .badPart(let fault, let sentence) = failure else {
            Issue.record("\(body): \(String(describing: failure))")
            return
        }
        #expect(fault.path == path && sentence.contains(words), "\(fault) \(sentence)")
    }

    @Test func `a model that makes no embeddings says so`() throws {
        let runner = try TinyModels.runner(TaskConfiguration(kind: .tensor), TinyModels.scaled)
        let body = Array(#"{"input": "a", "model": "m"}"#.utf8)
        let failure = #expect(throws: TaskFailure.self) {
            _ = try runner.run(TaskRequest(form: .openAIEmbeddings, contentType: "", body: body))
        }
        guard case .badPart(let fault, _) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(fault.path == "model")
    }
}
