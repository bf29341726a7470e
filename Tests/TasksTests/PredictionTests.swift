import Graphs
import Testing
import Wire

@testable import Tasks

@Suite struct PredictionTests {
    private func reply(_ runner: TaskRunner, _ body: String) throws -> String {
        let request = TaskRequest(form: .prediction, contentType: "application/json", body: Array(body.utf8))
        return String(decoding: try runner.run(request).body, as: UTF8.self)
    }

    private func embed() throws -> TaskRunner {
        try TinyModels.runner(TaskConfiguration(kind: .embed, tokensMax: 8), TinyModels.mean)
    }

    private func classify() throws -> TaskRunner {
        try TinyModels.runner(TaskConfiguration(kind: .classify, labels: ["a", "b", "c"]), TinyModels.scaled)
    }

    @Test(arguments: [
        #"{"text": "hello"}"#, #"{"inputs": {"text": "hello"}}"#, #"{"inputs": "hello"}"#,
    ])
    func `one example in, one out, however it is named`(body: String) throws {
        #expect(try reply(embed(), body) == #"{"embedding":[3.0,1.0,1.0]}"#)
    }

    @Test func `a batch in, a batch out`() throws {
        let expected = #"{"embedding":[[3.0,1.0,1.0],[2.5,0.5,1.0]]}"#
        #expect(try reply(embed(), #"{"text": ["hello", ""]}"#) == expected)
        #expect(try reply(embed(), #"{"text": []}"#) == #"{"embedding":[]}"#)
    }

    @Test func `a classifier names the class`() throws {
        #expect(try reply(classify(), #"{"image": [1, 1, 1]}"#) == #"{"label":"c","scaled":[1.0,2.0,3.0]}"#)
        let batch = #"{"inputs": [[1, 1, 1], [-1, -1, -1]]}"#
        #expect(try reply(classify(), batch) == #"{"labels":["c","a"],"scaled":[[1.0,2.0,3.0],[-1.0,-2.0,-3.0]]}"#)
    }

    @Test func `a model of any engine is asked by its names`() throws {
        let signature = TensorSignature(
            inputs: [.init("left", .i64, shape: [-1]), .init("right", .i64, shape: [-1])],
            outputs: [.init("sum", .i64, shape: [-1])]
        )
        let model = TensorModel(signature: signature) { (inputs) throws(TaskFailure) in
            let (left, right) = (inputs["left"], inputs["right"])
            let sums = zip(left?.array(of: Int64.self) ?? [], right?.array(of: Int64.self) ?? []).map { $0 &+ $1 }
            return ["sum": Tensor(sums, shape: [sums.count])]
        }
        let runner = try TaskRunner(model)
        #expect(try reply(runner, #"{"left": [1, 2], "right": [10, 20]}"#) == #"{"sum":[11,22]}"#)
        #expect(try reply(runner, #"{"left": 1, "right": 10}"#) == #"{"sum":11}"#)
        #expect(throws: TaskFailure.self) { _ = try reply(runner, #"{"left": [1, 2], "right": [10]}"#) }
    }

    @Test(arguments: [
        ("{", InputFault.Kind.malformed, ""), ("[]", .malformed, ""), ("{}", .missing, "image"),
        (#"{"imgae": [1, 2, 3]}"#, .missing, "image"), (#"{"inputs": {}}"#, .missing, "inputs.image"),
        (#"{"image": [1, 2]}"#, .invalid, "image"), (#"{"image": [1, 2, "x"]}"#, .invalid, "image"),
        (#"{"image": [1, 2, 3], "more": 1}"#, .invalid, "more"), (#"{"image": []}"#, .invalid, "image"),
        (#"{"image": [[1, 2, 3], [1, 2]]}"#, .invalid, "image"),
    ])
    func `what is wrong is told with its place`(body: String, kind: InputFault.Kind, path: String) throws {
        let failure = #expect(throws: TaskFailure.self) { _ = try reply(classify(), body) }
        guard case .badPart(let fault, _) = failure else {
            Issue.record("\(body): \(String(describing: failure))")
            return
        }
        #expect(fault == InputFault(kind, path: path))
    }
}
