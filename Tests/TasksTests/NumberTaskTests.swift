import Testing

@testable import Tasks

@Suite struct NumberTaskTests {
    private func classifier(labels: [String]? = nil) throws -> TaskRunner {
        try TinyModels.runner(TaskConfiguration(kind: .classify, labels: labels), TinyModels.scaled)
    }

    private func tensor() throws -> TaskRunner {
        try TinyModels.runner(TaskConfiguration(kind: .tensor), TinyModels.scaled)
    }

    @Test func `a classifier answers the place of the best score, the first of equals`() throws {
        #expect(try classifier().reply(to: #"{"image": [1, 2, 0.5]}"#) == #"{"label":1,"scores":[1.0,4.0,1.5]}"#)
        #expect(try classifier().reply(to: #"{"image": [6, 3, 2]}"#) == #"{"label":0,"scores":[6.0,6.0,6.0]}"#)
    }

    @Test func `labels have names where the function gives them`() throws {
        let reply = try classifier(labels: ["cat", "dog", "\"cow\""]).reply(to: #"{"image": [0, 0, 1]}"#)
        #expect(reply == #"{"label":"\"cow\"","scores":[0.0,0.0,3.0]}"#)
    }

    @Test func `a batch comes back as a batch`() throws {
        let body = #"{"image": [[1, 0, 0], [0, 0, 1]]}"#
        #expect(try classifier().reply(to: body) == #"{"labels":[0,2],"scores":[[1.0,0.0,0.0],[0.0,0.0,3.0]]}"#)
        #expect(try tensor().reply(to: body) == #"{"scaled":[[1.0,0.0,0.0],[0.0,0.0,3.0]]}"#)
        #expect(try tensor().reply(to: #"{"image": [[1, -1, 1e-3]]}"#) == #"{"scaled":[[1.0,-2.0,0.003]]}"#)
    }

    @Test func `a tensor comes back under the name of the model's output`() throws {
        #expect(try tensor().reply(to: #"{"image": [1, 1, 1]}"#) == #"{"scaled":[1.0,2.0,3.0]}"#)
    }

    @Test(arguments: [
        (#"{"image": [1, 2]}"#, #""image": expected 3 numbers, got 2"#),
        (#"{"image": []}"#, #""image": expected 3 numbers, got 0"#),
        (#"{"image": [[1, 2, 3], [1]]}"#, #""image"[1]: expected 3 numbers, got 1"#),
        (#"{"image": [[1, 2, 3], 4]}"#, #"or an array of such}; "image"[1] is a number"#),
        (#"{"image": [1, "2", 3]}"#, #""image"[1]: expected a number, got a string"#),
        (#"{"image": [1, 1e39, 3]}"#, #""image"[1]: expected a number that fits 32-bit floating point, got 1e+39"#),
        (#"{"picture": [1, 2, 3]}"#, #"expected {"image": 3 numbers, or an array of such}; unknown key "picture""#),
        (#"{"image": {}}"#, #"or an array of such}; "image" is an object"#),
        (#"{"image": [1, 2, 3}"#, "the body is not valid JSON: line 1, column 19"),
    ])
    func `a body of another shape is refused with what was expected`(body: String, sentence: String) throws {
        let refusal = try #require(classifier().refusal(of: body))
        #expect(refusal.contains(sentence), "\(refusal)")
    }

    @Test func `too many examples are refused`() throws {
        let rows = [String](repeating: "[1,2,3]", count: TaskLimits.examplesMax + 1).joined(separator: ",")
        #expect(
            try tensor().refusal(of: "{\"image\":[\(rows)]}") == "expected at most 8192 examples in one call, got 8193"
        )
    }

    @Test func `an answer that is no number is the model's failure`() throws {
        #expect(throws: TaskFailure.model("the model answered inf where a number was due")) {
            _ = try tensor().reply(to: #"{"image": [1, 2, 3e38]}"#)
        }
    }
}
