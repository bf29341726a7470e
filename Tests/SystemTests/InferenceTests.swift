import Foundation
import Testing
import Trials

/// The inference protocols, and calls that are run as one, on a real node.
@Suite(.serialized)
struct InferenceTests {
    private func withNode(_ body: (TrialNode) async throws -> Void) async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--resting-memory", "256MiB"])
        defer { node.removeData() }
        try await body(node)
        #expect(await node.stop() == 0)
    }

    private func post(_ node: TrialNode, _ path: String, _ body: String) async throws -> TrialClient.Answer {
        try await node.request("POST", path, body: Data(body.utf8), headers: ["content-type": "application/json"])
    }

    private func object(_ answer: TrialClient.Answer) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: answer.body) as? [String: Any], "\(answer.text)")
    }

    private var image: String {
        get throws {
            let url = Tree.functions.appendingPathComponent("digits/request.json")
            let request = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: [Double]]
            )
            return "\(try #require(request["image"]))"
        }
    }

    @Test func `digits answers Open Inference and named inputs as it answers its own door`() async throws {
        try await withNode { node in
            #expect(try await node.thaw("deploy", Tree.functions.appendingPathComponent("digits").path).status == 0)
            let metadata = try object(try await node.request("GET", "/v2/models/digits"))
            let inputs = try #require(metadata["inputs"] as? [[String: Any]])
            #expect(inputs.first?["datatype"] as? String == "FP32" && inputs.first?["shape"] as? [Int] == [-1, 64])
            let own = try object(try await node.invoke("digits", "{\"image\": \(try image)}"))
            let scores = try #require(own["scores"] as? [Double])
            let input = "{\"name\": \"image\", \"datatype\": \"FP32\", \"shape\": [1, 64], \"data\": \(try image)}"
            let infer = try await post(node, "/v2/models/digits/infer", "{\"id\": \"a\", \"inputs\": [\(input)]}")
            let reply = try object(infer)
            #expect(reply["id"] as? String == "a" && reply["model_version"] as? String == "1")
            let outputs = try #require(reply["outputs"] as? [[String: Any]])
            #expect(outputs.first?["data"] as? [Double] == scores)
            let predicted = try object(try await post(node, "/predict/digits", "{\"image\": \(try image)}"))
            #expect(predicted["scores"] as? [Double] == scores && predicted["label"] as? Int == own["label"] as? Int)
            // Every one of them has a receipt.
            let receipts = try object(try await node.request("GET", "/receipts?function=digits"))
            #expect((receipts["receipts"] as? [Any])?.count == 3)
            let stats = try await node.request("GET", "/v2/models/digits/stats")
            #expect(stats.text.contains(#""inference_count":3"#), "\(stats.text)")
        }
    }

    @Test func `failures are told in each protocol's own shape`() async throws {
        try await withNode { node in
            #expect(try await node.thaw("deploy", Tree.functions.appendingPathComponent("digits").path).status == 0)
            let unknown = try await post(node, "/v1/embeddings", #"{"model": "nope", "input": "a"}"#)
            #expect(unknown.status == 404 && unknown.headers["x-request-id"] != nil)
            let error = try #require(try object(unknown)["error"] as? [String: Any])
            #expect(error["code"] as? String == "model_not_found" && error["param"] is NSNull)
            let wrong = try await post(node, "/v2/models/digits/infer", #"{"inputs": []}"#)
            #expect(wrong.status == 400)
            #expect(try object(wrong)["error"] is String)
            let missing = try await post(node, "/predict/digits", #"{"imgae": []}"#)
            #expect(missing.status == 422)
            let detail = try #require(try object(missing)["detail"] as? [[String: Any]])
            #expect(
                detail.first?["loc"] as? [String] == ["body", "image"] && detail.first?["type"] as? String == "missing"
            )
            #expect(try await node.request("GET", "/v2/systemsharedmemory/status").status == 501)
        }
    }

    @Test func `a model is loaded and unloaded by Open Inference's own words`() async throws {
        try await withNode { node in
            #expect(try await node.thaw("deploy", Tree.functions.appendingPathComponent("digits").path).status == 0)
            func tier() async throws -> String {
                let answer = try await post(node, "/v2/repository/index", "")
                let index = try #require(try JSONSerialization.jsonObject(with: answer.body) as? [[String: Any]])
                return index.first?["reason"] as? String ?? ""
            }
            #expect(try await tier() == "disk")
            #expect(try await post(node, "/v2/repository/models/digits/load", "").status == 200)
            #expect(try await tier() == "resident")
            let warm = try await node.invoke("digits", "{\"image\": \(try image)}")
            #expect(warm.headers["thaw-start"] == "warm")
            #expect(try await post(node, "/v2/repository/models/digits/unload", "").status == 200)
            #expect(try await node.until(seconds: 10) { _ in try await tier() == "disk" })
        }
    }

    @Test func `calls that come together are run as one, each with its answer and its part of the cost`() async throws {
        let digits = Tree.functions.appendingPathComponent("digits")
        let bundle = try TrialBundle(
            """
            name: digits
            model: {source: digits.onnx, task: classify}
            batching: {max: 16, delay: 5ms}
            scaling: {max: 1}
            """,
            files: ["digits.onnx": Data(contentsOf: digits.appendingPathComponent("digits.onnx"))]
        )
        defer { bundle.remove() }
        try await withNode { node in
            #expect(try await node.thaw("deploy", bundle.path).status == 0)
            let image = try image
            let alone = try await node.invoke("digits", "{\"image\": \(image)}")
            #expect(alone.status == 200)
            // One in eight is wrong: it fails alone.
            let answers = try await withThrowingTaskGroup(of: [(Int, TrialClient.Answer)].self) { group in
                // Fewer at a time than may wait for one worker.
                for caller in 0..<32 {
                    group.addTask {
                        var answers: [(Int, TrialClient.Answer)] = []
                        for number in caller * 6..<caller * 6 + 6 {
                            let body = number.isMultiple(of: 8) ? "{\"image\": [1]}" : "{\"image\": \(image)}"
                            answers.append((number, try await node.invoke("digits", body)))
                        }
                        return answers
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(answers.count == 192)
            for (number, answer) in answers {
                #expect(answer.status == (number.isMultiple(of: 8) ? 400 : 200))
                if answer.status == 200 { #expect(answer.body == alone.body) }
            }
            let document = try object(try await node.request("GET", "/receipts?function=digits&last=1000"))
            let receipts = try #require(document["receipts"] as? [[String: Any]])
            #expect(receipts.count == 193)
            let sizes = receipts.compactMap { $0["batchSize"] as? Int }
            #expect(sizes.contains { $0 > 1 } && sizes.allSatisfy { $0 <= 16 }, "\(sizes)")
            #expect(receipts.allSatisfy { ($0["cpuNanoseconds"] as? Int ?? -1) >= 0 })
        }
    }

    /// The clients lie where `deploy/clients/transcript` has put them; it is not asked to bring them from a network here.
    private static let clientsPlace: String = {
        let environment = ProcessInfo.processInfo.environment
        return (environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache") + "/thaw-clients"
    }()

    private static var hasClients: Bool {
        FileManager.default.fileExists(atPath: clientsPlace + "/installed.txt") && Tree.hasModel
    }

    @Test(.enabled(if: hasClients, "deploy/clients/transcript and functions/embed/fetch bring what it needs"))
    func `unmodified clients pass over every call that they have`() async throws {
        try await withNode { node in
            for example in ["embed", "digits"] {
                let deployed = try await node.thaw("deploy", Tree.functions.appendingPathComponent(example).path)
                try #require(deployed.status == 0, "\(deployed.errors)")
            }
            let script = Tree.root.appendingPathComponent("deploy/clients/transcript").path
            let outcome = try await CommandOutcome.run(script, [node.url, Self.clientsPlace])
            #expect(outcome.status == 0, "\(outcome.errors)\n\(outcome.output.suffix(2000))")
            #expect(outcome.output.contains("as they should be"))
        }
    }
}
