import Foundation
import Trials

/// A function whose first calls are measured, deployed with the idle time that a measurement needs.
enum ColdFunction: String {
    case minilm, echo

    /// For the embed task a sentence of 16 tokens, the length of the recorded rivals.
    var body: String {
        switch self {
        case .minilm: #"{"text": "the quick brown fox jumps over the lazy dog while it rains outside"}"#
        case .echo: #"{"text": "a body of some fifty bytes, to be echoed"}"#
        }
    }

    private func manifest(idle: String) -> String {
        switch self {
        case .minilm:
            """
            name: minilm
            runtime: model
            model:
              source: model
              task: embed
            scaling:
              idle: \(idle)
            """
        case .echo:
            """
            name: echo
            runtime: model
            model:
              task: none
            scaling:
              idle: \(idle)
            """
        }
    }

    /// - Parameter idle: how long an unused worker stays, as a manifest says it.
    func deploy(on node: TrialNode, idle: String) async throws {
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        if self == .minilm {
            guard let model = Programs.model, FileManager.default.fileExists(atPath: model + "/model.safetensors")
            else { throw BenchError.noModel("functions/embed/model") }
            try FileManager.default.copyItem(atPath: model, toPath: folder + "/model")
        }
        try Data(manifest(idle: idle).utf8).write(to: URL(fileURLWithPath: folder + "/function.yaml"))
        try await node.deploy(bundle: folder, as: rawValue)
    }
}

/// What `GET /functions/{name}` says of the snapshot that serves.
struct DeployedSnapshot: Decodable {
    var digest: String
    var byteCount: Int
    var arenaByteCount: Int

    static func of(_ function: ColdFunction, on node: TrialNode) async throws -> DeployedSnapshot {
        struct Record: Decodable { var serving: Version }
        struct Version: Decodable { var snapshot: DeployedSnapshot }
        let answer = try await node.request("GET", "/functions/\(function.rawValue)")
        guard answer.status == 200 else { throw BenchError.answered(answer.status, body: answer.text) }
        return try JSONDecoder().decode(Record.self, from: answer.body).serving.snapshot
    }
}
