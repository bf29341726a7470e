import Testing
import Wire

@testable import Tasks

/// The mean of a pair's ids, and a hundredth of the share of type 1, as its score.
@Suite struct RankTests {
    private func runner() throws -> TaskRunner {
        try TinyModels.runner(TaskConfiguration(kind: .rank, tokensMax: 8), TinyModels.pairs)
    }

    private func reply(_ form: CallForm, _ body: String) throws -> String {
        let request = TaskRequest(form: form, contentType: "application/json", body: Array(body.utf8))
        return String(decoding: try runner().run(request).body, as: UTF8.self)
    }

    /// What a reply holds of numbers.
    private func numbers(_ text: String) -> [Float] {
        text.split { !"0123456789.e-".contains($0) }.compactMap { Float($0) }
    }

    // [CLS] hello [SEP] … = 2 4 3, of type 0; then ids and [SEP] of type 1.
    private let hello: Float = (2 + 4 + 3 + 4 + 3 + 0.02) / 5
    private let both: Float = (2 + 4 + 3 + 4 + 5 + 3 + 0.03) / 6
    private let empty: Float = (2 + 4 + 3 + 3 + 0.01) / 4

    private func expect(_ text: String, _ expected: [Float]) {
        let found = numbers(text)
        #expect(
            found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 },
            "\(text), expected \(expected)"
        )
    }

    @Test func `documents are scored in their order, pairs too`() throws {
        let query = #"{"query": "hello", "documents": ["hello", {"text": "hello world"}, ""]}"#
        expect(try runner().reply(to: query), [hello, both, empty])
        let pairs = #"{"pairs": [["hello", "hello"], ["hello", "hello world"], ["hello", ""]]}"#
        #expect(try runner().reply(to: pairs) == runner().reply(to: query))
        #expect(try runner().reply(to: #"{"query": "hello", "documents": []}"#) == #"{"scores":[]}"#)
    }

    @Test func `the reranker's door answers best first, as many as were asked for`() throws {
        let body = #"{"model": "m", "query": "hello", "documents": ["", "hello", "hello world"], "top_n": 2"#
        let reply = try reply(.rerank, body + "}")
        #expect(reply.hasPrefix(#"{"model":"m","results":[{"index":2,"relevance_score":3."#), "\(reply)")
        #expect(reply.hasSuffix(#"}],"usage":{"total_tokens":15}}"#))
        #expect(numbers(reply).map { $0.rounded() } == [2, both.rounded(), 1, hello.rounded(), 15])
        #expect(!reply.contains("document"))
        let whole = try self.reply(.rerank, body + #", "return_documents": true}"#)
        #expect(whole.contains(#","document":{"text":"hello world"}},{"index":1,"#), "\(whole)")
    }

    @Test(arguments: [
        (#"{"documents": ["a"]}"#, "query"), (#"{"query": 1, "documents": ["a"]}"#, "query"),
        (#"{"query": "a"}"#, "documents"), (#"{"query": "a", "documents": []}"#, "documents"),
        (#"{"query": "a", "documents": ["a", 1]}"#, "documents.1"),
        (#"{"query": "a", "documents": ["a"], "top_n": 0}"#, "top_n"),
        (#"{"query": "a", "documents": ["a"], "return_documents": 1}"#, "return_documents"),
        (#"{"query": "a", "documents": ["a"], "rank_fields": ["b"]}"#, "rank_fields"),
    ])
    func `a request that is wrong is told where`(body: String, path: String) throws {
        let failure = #expect(throws: TaskFailure.self) { _ = try reply(.rerank, body) }
        guard case .badPart(let fault, _) = failure else {
            Issue.record("\(body): \(String(describing: failure))")
            return
        }
        #expect(fault.path == path)
    }

    @Test(arguments: [
        (#"{"query": "a"}"#, "the key \"documents\" is missing"), (#"{"text": "a"}"#, "unknown key \"text\""),
        (#"{"pairs": [["a"]]}"#, "\"pairs\"[0] is no array of two strings"),
        (#"{"pairs": [["a", "b"]], "query": "a"}"#, "unknown key \"query\""),
    ])
    func `its own door says what it expects`(body: String, words: String) throws {
        let refusal = try #require(runner().refusal(of: body))
        #expect(refusal.contains(words), "\(refusal)")
    }

    @Test func `protocols of tensors take a query and documents`() throws {
        let named = #"{"query": "hello", "document": ["hello", "hello world"]}"#
        expect(try reply(.prediction, named), [hello, both])
        expect(try reply(.prediction, #"{"query": "hello", "document": "hello"}"#), [hello])
        let inputs =
            #"{"inputs":[{"name":"query","datatype":"BYTES","shape":[2],"data":["hello","hello"]},"#
            + #"{"name":"document","datatype":"BYTES","shape":[2],"data":["hello","hello world"]}]}"#
        let answer = try reply(.openInference(OpenInferenceCall(model: "m", version: 1)), inputs)
        let head =
            #"{"model_name":"m","model_version":"1","outputs":[{"name":"score","datatype":"FP32","shape":[2],"data":"#
        #expect(answer.hasPrefix(head), "\(answer)")
        expect(String(answer.dropFirst(head.count)), [hello, both])
        #expect(throws: TaskFailure.self) { _ = try reply(.prediction, #"{"query": ["a", "b"], "document": ["c"]}"#) }
    }

    @Test func `calls of a batch are answered as alone`() throws {
        let bodies = [
            #"{"query": "hello", "documents": ["hello"]}"#, #"{"query": "hello", "documents": ["hello world", ""]}"#,
        ]
        let requests = bodies.map { TaskRequest(contentType: "application/json", body: Array($0.utf8)) }
        let replies = try runner().run(requests).map { String(decoding: try $0.get().body, as: UTF8.self) }
        expect(replies[0], [hello])
        expect(replies[1], [both, empty])
    }

    @Test func `a classifier takes pairs, and a model of texts ranks nothing`() throws {
        let configuration = TaskConfiguration(kind: .classify, tokensMax: 8)
        let classifier = try TinyModels.runner(configuration, TinyModels.mean)
        let reply = try classifier.reply(to: #"{"pairs": [["hello", "world"]]}"#)
        // [CLS] hello [SEP] world [SEP]: the last two of type 1.
        #expect(reply.hasPrefix(#"{"labels":[0],"scores":[["#))
        expect(String(reply.dropFirst(12)), [3.4, 2, 1.4])
        #expect(throws: TaskFailure.self) {
            _ = try classifier.run(
                TaskRequest(form: .rerank, contentType: "", body: Array(#"{"query": "a", "documents": ["b"]}"#.utf8))
            )
        }
        #expect(throws: TaskError.self) {
            _ = try TinyModels.runner(TaskConfiguration(kind: .rank, tokensMax: 8), TinyModels.mean)
        }
    }
}
