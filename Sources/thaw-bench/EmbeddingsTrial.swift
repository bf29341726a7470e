import Foundation
import NIOPosix
import Trials

/// Embeddings end to end: requests a second over HTTP, in OpenAI's protocol, in turns with a rival.
struct EmbeddingsTrial {
    static let rows = ["embeddings c=1", "embeddings c=8", Self.togetherRow]
    private static let togetherRow = "embeddings c=8 together"

    private let row: String
    private let connections: Int
    private let isBesideRival: Bool

    /// Turns of each, and seconds of one: long enough for a batch to find its size, short enough for both to see the
    /// same neighbours on the machine.
    private static let turns = 5
    private static let turnSeconds = 1.5
    /// Sums of some thousand float32 products in another order.
    private static let differenceMax = 1e-4

    init(_ row: String, isBesideRival: Bool) {
        self.row = row
        connections = row == "embeddings c=1" ? 1 : 8
        self.isBesideRival = isBesideRival && row != Self.togetherRow
    }

    func run() async throws -> Figure {
        let node = try await TrialNode(programs: Programs.directory)
        defer { node.removeData() }
        try await Self.deploy("together", "batching: {max: 32, delay: 2ms}", on: node)
        let ours = LoadClient(port: node.port, path: "/v1/embeddings", body: Self.body("together"))
        let figure: Figure
        if isBesideRival {
            let port = try await TrialClient.freePort()
            let server = try RivalServer("fastapi", place: try await ColdRivals.prepare(), port: port)
            defer { server.stop() }
            try await server.waitUntilListening(port)
            let theirs = LoadClient(port: port, path: "/v1/embeddings", body: Self.body("minilm"))
            figure = try await compare(ours, theirs, against: "fastapi with ONNX Runtime")
        } else {
            try await Self.deploy("alone", "", on: node)
            let theirs = LoadClient(port: node.port, path: "/v1/embeddings", body: Self.body("alone"))
            figure = try await compare(ours, theirs, against: "each call by itself")
        }
        await node.stop()
        return figure
    }

    private func compare(_ ours: LoadClient, _ theirs: LoadClient, against name: String) async throws -> Figure {
        try await Self.checkEqual(ours, theirs)
        let group = MultiThreadedEventLoopGroup.singleton
        var (best, rival) = (0.0, 0.0)
        for turn in 0...Self.turns {
            let first = try await ours.run(connections: connections, seconds: Self.turnSeconds, on: group)
            let second = try await theirs.run(connections: connections, seconds: Self.turnSeconds, on: group)
            // The first turn warms both up.
            guard turn > 0 else { continue }
            best = max(best, first.callsPerSecond)
            rival = max(rival, second.callsPerSecond)
        }
        return Figure(name: row, value: best, unit: "requests/s", against: name, againstValue: rival)
    }

    private static func body(_ model: String) -> String {
        let text = "the quick brown fox jumps over the lazy dog while it rains outside"
        return #"{"input": "\#(text)", "model": "\#(model)", "encoding_format": "base64"}"#
    }

    private static func deploy(_ name: String, _ settings: String, on node: TrialNode) async throws {
        guard let model = Programs.model, FileManager.default.fileExists(atPath: model + "/model.safetensors") else {
            throw BenchError.noModel("functions/embed/model")
        }
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: model, toPath: folder + "/model")
        let manifest = "name: \(name)\nmodel: {source: model, task: embed}\n\(settings)\n"
        try Data(manifest.utf8).write(to: URL(fileURLWithPath: folder + "/function.yaml"))
        try await node.deploy(bundle: folder, as: name)
    }

    /// A rival that answered something else would not be one.
    private static func checkEqual(_ ours: LoadClient, _ theirs: LoadClient) async throws {
        let (left, right) = (try await vector(ours), try await vector(theirs))
        let difference = zip(left, right).map { abs($0 - $1) }.max() ?? 1
        guard left.count == right.count, Double(difference) <= differenceMax else {
            throw BenchError.refuted("the two vectors differ by \(difference)")
        }
    }

    private static func vector(_ client: LoadClient) async throws -> [Float] {
        struct Reply: Decodable {
            struct Item: Decodable { var embedding: String }
            var data: [Item]
        }
        let answer = try await TrialClient.request(
            "POST",
            "http://127.0.0.1:\(client.port)\(client.path)",
            body: Data(client.body.utf8),
            headers: ["content-type": "application/json"]
        )
        guard answer.status == 200 else { throw BenchError.answered(answer.status, body: answer.text) }
        let text = try JSONDecoder().decode(Reply.self, from: answer.body).data.first?.embedding ?? ""
        let bytes = Data(base64Encoded: text) ?? Data()
        return stride(from: 0, to: bytes.count - 3, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
        }
    }
}
