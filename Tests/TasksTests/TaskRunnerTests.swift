import Inference
import Testing

@testable import Tasks

@Suite struct TaskRunnerTests {
    @Test func `without a model the body comes back, any bytes, with its type`() throws {
        let runner = try TinyModels.runner(TaskConfiguration(kind: .none), nil)
        let body: [UInt8] = [0, 0xFF, 0x7B, 0x0A]
        #expect(
            try runner.run(TaskRequest(contentType: "image/png", body: body))
                == TaskReply(contentType: "image/png", body: body)
        )
        #expect(try runner.run(TaskRequest(contentType: "", body: [])).body.isEmpty)
    }

    @Test func `parts that do not fit each other are refused before the first call`() throws {
        let embed = TaskConfiguration(kind: .embed, tokensMax: 8)
        #expect(throws: TaskError.mismatch("the model takes texts, and the task is tensor")) {
            _ = try TinyModels.runner(TaskConfiguration(kind: .tensor), TinyModels.mean)
        }
        #expect(throws: TaskError.mismatch("the model has 8 positions, and tokensMax is 9")) {
            _ = try TinyModels.runner(TaskConfiguration(kind: .embed, tokensMax: 9), TinyModels.mean)
        }
        #expect(throws: TaskError.mismatch("tokensMax is 2, which leaves no room for a text")) {
            _ = try TinyModels.runner(TaskConfiguration(kind: .embed, tokensMax: 2), TinyModels.mean)
        }
        #expect(throws: TaskError.mismatch("the model has 3 scores, and there are 2 labels")) {
            _ = try TinyModels.runner(TaskConfiguration(kind: .classify, labels: ["a", "b"]), TinyModels.scaled)
        }
        #expect(throws: TaskError.self) { _ = try TinyModels.runner(embed, nil) }
        #expect(throws: TaskError.self) {
            _ = try TaskRunner(embed, plan: TinyModels.meanPlan.encoded(), tokenizer: [1, 2, 3]) { _ in nil }
        }
    }

    @Test(arguments: [
        TaskConfiguration(kind: .none), TaskConfiguration(kind: .embed, tokensMax: 256),
        TaskConfiguration(kind: .classify, labels: ["a", "\"b\"\n", ""]), TaskConfiguration(kind: .tensor),
    ])
    func `a configuration is read as it was written`(configuration: TaskConfiguration) throws {
        #expect(try TaskConfiguration(decoding: configuration.encoded()) == configuration)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"kind": "sing", "tokensMax": 1}"#, #"{"kind": "embed"}"#,
        #"{"kind": "embed", "tokensMax": -1}"#,
        #"{"kind": "embed", "tokensMax": 9e99}"#, #"{"kind": "tensor", "tokensMax": 0, "labels": {}}"#,
        #"{"kind": "tensor", "tokensMax": 0, "labels": [1]}"#,
    ])
    func `a damaged configuration is refused`(text: String) {
        #expect(throws: TaskError.self) { try TaskConfiguration(decoding: Array(text.utf8)) }
    }

    @Test func `hostile bodies are answered or refused, never a crash`() throws {
        let runners = [
            try TinyModels.runner(TaskConfiguration(kind: .embed, tokensMax: 8), TinyModels.mean),
            try TinyModels.runner(TaskConfiguration(kind: .classify), TinyModels.scaled),
        ]
        let seeds = [
            #"{"text": ["hello \u00e9", "wor\ud83d\ude00ld [MASK]"]}"#, #"{"image": [[1, -2.5e3, 3], [0, 0, 1e-9]]}"#,
        ]
        var random: UInt64 = 99
        func next(_ bound: Int) -> Int {
            // Knuth's linear congruential generator: the same bodies in every run.
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        var answered = 0
        for round in 0..<6_000 {
            var body = Array(seeds[round % 2].utf8)
            for _ in 0...next(3) {
                let place = next(body.count)
                switch next(3) {
                case 0: body[place] = UInt8(next(256))
                case 1: body.insert(Array("[]{}\",:0e-\\".utf8)[next(11)], at: place)
                default: body.remove(at: place)
                }
            }
            if (try? runners[round % 2].run(TaskRequest(contentType: "application/json", body: body))) != nil {
                answered += 1
            }
        }
        #expect(answered > 100)
    }
}
