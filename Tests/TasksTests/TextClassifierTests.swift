import Testing
import Wire

@testable import Tasks

/// The mean of (id, place, 1) as scores of three classes.
@Suite struct TextClassifierTests {
    private func runner(_ labels: [String]? = ["ids", "places", "ones"]) throws -> TaskRunner {
        try TinyModels.runner(TaskConfiguration(kind: .classify, tokensMax: 8, labels: labels), TinyModels.mean)
    }

    @Test func `one text gets its label, several theirs`() throws {
        #expect(try runner().reply(to: #"{"text": "Hello world"}"#) == #"{"label":"ids","scores":[3.5,1.5,1.0]}"#)
        let expected = #"{"labels":["ids","ids"],"scores":[[3.0,1.0,1.0],[2.5,0.5,1.0]]}"#
        #expect(try runner().reply(to: #"{"text": ["hello", ""]}"#) == expected)
    }

    @Test func `classes without names are numbers`() throws {
        #expect(try runner(nil).reply(to: #"{"text": "hello"}"#) == #"{"label":0,"scores":[3.0,1.0,1.0]}"#)
    }

    @Test func `labels must be as many as the scores`() {
        #expect(throws: TaskError.self) { try runner(["a", "b"]) }
    }

    @Test func `it is no embedder`() throws {
        let request = TaskRequest(
            form: .openAIEmbeddings,
            contentType: "application/json",
            body: Array(#"{"model": "m", "input": "hello"}"#.utf8)
        )
        let runner = try runner()
        #expect(throws: TaskFailure.self) { try runner.run(request) }
    }
}
