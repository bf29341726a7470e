import Graphs
import Testing
import Wire

@testable import Tasks

@Suite struct BatchTests {
    private func requests(_ bodies: [(CallForm, String)]) -> [TaskRequest] {
        bodies.map { TaskRequest(form: $0, contentType: "application/json", body: Array($1.utf8)) }
    }

    private func alone(_ runner: TaskRunner, _ request: TaskRequest) -> Result<TaskReply, TaskFailure> {
        Result { () throws(TaskFailure) in try runner.run(request) }
    }

    @Test func `calls of several protocols in one batch are answered as each alone, and a bad one fails alone`() throws
    {
        let runner = try TinyModels.runner(TaskConfiguration(kind: .embed, tokensMax: 8), TinyModels.mean)
        let call = CallForm.openInference(OpenInferenceCall(model: "m", version: 1))
        let requests = requests([
            (.own, #"{"text": "hello"}"#), (.own, #"{"text": 7}"#), (.own, #"{"text": []}"#),
            (.openAIEmbeddings, #"{"input": ["world", "hello hello"], "encoding_format": "base64"}"#),
            (.openAIEmbeddings, #"{"input": [[2, 99]]}"#), (.prediction, #"{"text": ["", "world world world"]}"#),
            (call, #"{"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["hello"]}]}"#),
            (call, "{"),
        ])
        let together = runner.run(requests)
        #expect(together == requests.map { alone(runner, $0) })
        #expect(together.map { (try? $0.get()) != nil } == [true, false, true, true, false, true, true, false])
    }

    @Test func `examples are stacked along their first dimension, in one run`() throws {
        final class Runs { var shapes: [[Int]] = [] }
        let runs = Runs()
        let signature = TensorSignature(
            inputs: [.init("x", .f32, shape: [-1, -1])],
            outputs: [.init("y", .f32, shape: [-1, -1])]
        )
        let model = TensorModel(signature: signature) { (inputs) throws(TaskFailure) in
            guard let tensor = inputs["x"] else { throw .model("no x") }
            runs.shapes.append(tensor.shape)
            let numbers = tensor.array(of: Float.self)
            // 13 is a number that this model cannot bear.
            if numbers.contains(13) { throw .model("13 came") }
            return ["y": Tensor(numbers.map { $0 * 2 }, shape: tensor.shape)]
        }
        let runner = try TaskRunner(model)
        let stacked = requests([(.prediction, #"{"x": [1, 2]}"#), (.prediction, #"{"x": [[3, 4], [5, 6]]}"#)])
        let bodies = runner.run(stacked).map { (try? $0.get()).map { String(decoding: $0.body, as: UTF8.self) } }
        #expect(bodies == [#"{"y":[2.0,4.0]}"#, #"{"y":[[6.0,8.0],[10.0,12.0]]}"#])
        #expect(runs.shapes == [[3, 2]])
        // What cannot be stacked is run one by one.
        runs.shapes = []
        let odd = requests([(.prediction, #"{"x": [1, 2]}"#), (.prediction, #"{"x": [1, 2, 3]}"#)])
        #expect(runner.run(odd).allSatisfy { (try? $0.get()) != nil })
        #expect(runs.shapes == [[1, 2], [1, 3]])
        // A call that the model fails on takes nobody with it.
        let unlucky = requests([(.prediction, #"{"x": [1]}"#), (.prediction, #"{"x": [13]}"#)])
        #expect(runner.run(unlucky).map { (try? $0.get()) != nil } == [true, false])
    }
}
