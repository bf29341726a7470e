import Foundation
import Invoking
import NIOCore
import Testing
import Wire

@testable import Doors

/// The doors of the inference protocols; the function behind them returns its body.
@Suite struct InferenceDoorTests {
    private static let json = ["Content-Type": "application/json"]

    private func error(_ body: String) throws -> [String: Any] {
        let document = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        return try #require(document?["error"] as? [String: Any], "\(body)")
    }

    @Test func `an OpenAI call goes to the function that its body names`() async throws {
        try await DoorHarness.run { doors async throws in
            let body = #"{"input": "a", "model": "echo@1"}"#
            let reply = try await doors.ask("POST", "/v1/embeddings", headers: Self.json, body: body)
            #expect(reply.status == 200 && reply.body == body)
            #expect(reply.headers["x-request-id"] == reply.headers["thaw-invocation-id"])
            let call = try #require(doors.seen.calls.first)
            #expect(call.function == "echo" && call.qualifier == "1" && call.form == .openAIEmbeddings)
            let missing = try await doors.ask("POST", "/v1/embeddings", headers: Self.json, body: #"{"input": "a"}"#)
            #expect(missing.status == 400)
            let told = try error(missing.body)
            #expect(told["param"] as? String == "model" && told["type"] as? String == "invalid_request_error")
        }
    }

    @Test func `a reranker's call goes to the function that its body names`() async throws {
        try await DoorHarness.run { doors async throws in
            for path in ["/v1/rerank", "/v2/rerank"] {
                let body = #"{"query": "a", "documents": ["b"], "model": "echo"}"#
                let reply = try await doors.ask("POST", path, headers: Self.json, body: body)
                #expect(reply.status == 200 && reply.body == body)
                #expect(doors.seen.calls.last?.form == .rerank)
                let missing = try await doors.ask("POST", path, headers: Self.json, body: "{}")
                #expect(missing.status == 400)
                #expect(try error(missing.body)["param"] as? String == "model")
            }
        }
    }

    /// A failure, and what OpenAI's client is told of it.
    struct Told: Sendable {
        var failure: Failure
        var status: Int
        var code: String
        /// Of `x-should-retry`; the header is absent where that is nil.
        var shouldRetry: String?
    }

    static let told = [
        Told(failure: .overloaded(retryAfterSeconds: 7), status: 429, code: "rate_limit_exceeded", shouldRetry: "true"),
        Told(failure: .unavailable("full"), status: 503, code: "unavailable", shouldRetry: "true"),
        Told(failure: .draining, status: 503, code: "draining", shouldRetry: "true"),
        Told(failure: .died(reason: "signal 9"), status: 502, code: "workerDied", shouldRetry: "true"),
        Told(failure: .model("a defect"), status: 500, code: "modelFailed", shouldRetry: "false"),
        Told(failure: .timedOut(milliseconds: 5), status: 504, code: "timedOut", shouldRetry: "false"),
        Told(failure: .badInput("wrong", InputFault(.invalid, path: "input.3")), status: 400, code: "badInput"),
    ]

    @Test(arguments: told)
    func `a failure is one of OpenAI's, and says whether to try again`(expected: Told) async throws {
        var options = DoorHarness.Options()
        options.failure = expected.failure
        try await DoorHarness.run(options) { doors async throws in
            let reply = try await doors.ask("POST", "/v1/embeddings", body: #"{"input": "a", "model": "echo"}"#)
            #expect(reply.status == expected.status && reply.headers["x-should-retry"] == expected.shouldRetry)
            #expect(reply.headers["x-request-id"] != nil)
            if expected.status == 429 {
                #expect(reply.headers["retry-after-ms"] == "7000" && reply.headers["retry-after"] == "7")
            }
            let told = try error(reply.body)
            #expect(told["code"] as? String == expected.code && told["message"] is String)
            #expect(told.keys.sorted() == ["code", "message", "param", "type"])
            if expected.status == 400 { #expect(told["param"] as? String == "input.3") }
        }
    }

    @Test func `an inference request carries what its headers say`() async throws {
        try await DoorHarness.run { doors async throws in
            let path = "/v2/models/echo%3Alatest/infer"
            let headers = ["Inference-Header-Content-Length": "2", "Content-Encoding": "gzip"]
            #expect(try await doors.ask("POST", path, headers: headers, body: "{}rest").status == 200)
            let call = try #require(doors.seen.calls.first)
            #expect(call.function == "echo" && call.qualifier == "1")
            let expected = OpenInferenceCall(model: "echo:latest", version: 1, encoding: .gzip, jsonByteCount: 2)
            #expect(call.form == .openInference(expected))
            for (wrong, status) in [
                (["Inference-Header-Content-Length": "x"], 400), (["Inference-Header-Content-Length": "-1"], 400),
                (["Inference-Header-Content-Length": "4294967295"], 400), (["Content-Encoding": "br"], 415),
            ] {
                let reply = try await doors.ask("POST", path, headers: wrong, body: "{}")
                #expect(reply.status == status)
                let document = try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: String]
                #expect(document?.keys.sorted() == ["error"])
            }
        }
    }

    @Test func `named inputs that are wrong are told as FastAPI tells them`() async throws {
        var options = DoorHarness.Options()
        options.failure = .badInput("too short", InputFault(.invalid, path: "inputs.0.data"))
        try await DoorHarness.run(options) { doors async throws in
            let reply = try await doors.ask("POST", "/predict/echo", body: "{}")
            #expect(reply.status == 422)
            let expected = #"{"detail":[{"loc":["body","inputs",0,"data"],"msg":"too short","type":"value_error"}]}"#
            #expect(reply.body.trimmingCharacters(in: .newlines) == expected)
            let unknown = try await doors.ask("POST", "/predict/nobody", body: "{}")
            #expect(unknown.status == 404 && unknown.body.hasPrefix(#"{"detail":"there is no function"#))
        }
    }

    @Test func `refusals before any call have the words of their path`() async throws {
        var options = DoorHarness.Options()
        options.token = "secret"
        try await DoorHarness.run(options) { doors async throws in
            let openAI = try await doors.ask("GET", "/v1/models")
            let told = try error(openAI.body)
            #expect(openAI.status == 401 && told["code"] as? String == "invalid_api_key")
            let inference = try await doors.ask("GET", "/v2/models/echo")
            #expect(inference.status == 401 && inference.body.hasPrefix(#"{"error":"this node asks"#))
            let lane = try await doors.ask("POST", "/v2/models/echo/infer", body: "{}")
            #expect(lane.status == 401 && lane.body.hasPrefix(#"{"error":"this node asks"#))
            #expect(try await doors.ask("POST", "/predict/echo", body: "{}").body.hasPrefix(#"{"detail":"this node"#))
        }
    }

    @Test func `metadata, repository and what is not here answer as the protocol has it`() async throws {
        try await DoorHarness.run { doors async throws in
            #expect(try await doors.ask("GET", "/v2/health/ready").body.contains(#""ready":true"#))
            #expect(try await doors.ask("GET", "/v2").body.contains("binary_tensor_data"))
            #expect(try await doors.ask("GET", "/v2/models/echo").body.contains(#""versions":["1"]"#))
            #expect(try await doors.ask("GET", "/v2/models/echo/versions/1/ready").body.contains(#""ready":true"#))
            #expect(try await doors.ask("GET", "/v2/models/echo/versions/9/ready").status == 404)
            #expect(try await doors.ask("GET", "/v2/models/nobody/ready").status == 404)
            #expect(try await doors.ask("GET", "/v2/models/echo/stats").body.contains(#""inference_count":0"#))
            #expect(try await doors.ask("POST", "/v2/repository/index").body.contains(#""state":"READY""#))
            #expect(try await doors.ask("POST", "/v2/repository/models/echo/load").status == 200)
            #expect(try await doors.ask("POST", "/v2/repository/models/echo/unload").status == 200)
            #expect(doors.seen.moved == ["load echo 1", "unload echo 1"])
            for path in ["/v2/logging", "/v2/trace/setting", "/v2/cudasharedmemory/region/r/register"] {
                let reply = try await doors.ask("POST", path, body: "{}")
                #expect(reply.status == 501 && reply.body.hasPrefix(#"{"error":""#))
            }
            // A function without a model is none of OpenAI's.
            #expect(try await doors.ask("GET", "/v1/models").body.contains(#""data":[]"#))
            let model = try await doors.ask("GET", "/v1/models/echo")
            #expect(model.status == 200 && !model.body.contains(#""created":0"#))
            #expect(try await doors.ask("DELETE", "/v1/models").status == 405)
        }
    }
}
