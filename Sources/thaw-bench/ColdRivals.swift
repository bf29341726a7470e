import Foundation
import Trials

/// Other servers with the same model: from starting their process to their first reply, above a hot one.
struct ColdRivals {
    let json: Bool

    /// Starts of each; the first, which fills the page cache, is not counted.
    private static let rounds = 3
    /// Sums of some thousand float32 products in another order.
    private static let differenceMax = 1e-4
    private static let function = ColdFunction.minilm

    func run(_ misses: inout Misses) async {
        var (ours, ourEmbedding) = (0.0, [Double]())
        await misses.attempt("minilm resident, ours") {
            ourEmbedding = try await self.ourEmbedding()
            ours = try await ColdTiers(function: .minilm, tier: .resident, rounds: 40, json: json).aboveHot()
        }
        var place: String?
        await misses.attempt("rivals") { place = try await Self.prepare() }
        guard let place, ours > 0 else { return }
        for rival in ["fastapi", "functions-framework"] {
            await misses.attempt("\(rival) start") {
                try Figure(
                    name: "\(rival) start",
                    value: try await start(rival, place: place, embedding: ourEmbedding),
                    unit: "us",
                    against: "thaw, minilm resident",
                    againstValue: ours
                ).show(json: json)
            }
        }
    }

    /// Brings the rivals and the model in their format, where they are not there yet.
    ///
    /// - Returns: the directory they are in.
    static func prepare() async throws -> String {
        guard let scripts = Programs.rivals, let model = Programs.model else { throw BenchError.noExamples }
        let caches = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
        let place = caches + "/thaw-bench/rivals"
        let outcome = try await CommandOutcome.run(scripts.appendingPathComponent("prepare").path, [place, model])
        guard outcome.status == 0 else {
            throw BenchError.rival("deploy/rivals/prepare", outcome.errors + outcome.output)
        }
        return place
    }

    /// - Returns: microseconds above a hot reply, the median.
    private func start(_ rival: String, place: String, embedding ours: [Double]) async throws -> Double {
        var above: [Double] = []
        for round in 0...Self.rounds {
            let port = try await TrialClient.freePort()
            let begin = ContinuousClock.now
            let server = try RivalServer(rival, place: place, port: port)
            defer { server.stop() }
            try await server.waitUntilListening(port)
            let theirs = try await embedding("http://127.0.0.1:\(port)/")
            let first = (ContinuousClock.now - begin).microseconds
            let difference = zip(ours, theirs).map { abs($0 - $1) }.max() ?? 1
            guard ours.count == theirs.count, difference <= Self.differenceMax else {
                throw BenchError.rival(rival, "its embedding differs from ours by \(difference)")
            }
            var hot: [Double] = []
            for _ in 0..<20 {
                let begin = ContinuousClock.now
                _ = try await embedding("http://127.0.0.1:\(port)/")
                hot.append((ContinuousClock.now - begin).microseconds)
            }
            if round > 0 { above.append(first - Sample(hot).median) }
        }
        return Sample(above).median
    }

    private func ourEmbedding() async throws -> [Double] {
        let node = try await TrialNode(programs: Programs.directory)
        defer { node.removeData() }
        try await Self.function.deploy(on: node, idle: "1s")
        let embedding = try await embedding(node.url + "/functions/\(Self.function.rawValue)/invocations")
        await node.stop()
        return embedding
    }

    private func embedding(_ url: String) async throws -> [Double] {
        struct Reply: Decodable { var embeddings: [[Double]] }
        let answer = try await TrialClient.request(
            "POST",
            url,
            body: Data(Self.function.body.utf8),
            headers: ["content-type": "application/json"]
        )
        guard answer.status == 200 else { throw BenchError.answered(answer.status, body: answer.text) }
        return try JSONDecoder().decode(Reply.self, from: answer.body).embeddings.first ?? []
    }
}

/// One of the servers of `deploy/rivals`, as a child process.
final class RivalServer: Sendable {
    private let name: String
    private let process = Process()

    init(_ name: String, place: String, port: Int) throws {
        guard let scripts = Programs.rivals else { throw BenchError.noExamples }
        self.name = name
        process.executableURL = URL(fileURLWithPath: scripts.appendingPathComponent("serve").path)
        process.arguments = [name, place, "\(port)"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Asks every millisecond: its way of saying so would cost a rival more.
    func waitUntilListening(_ port: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline, process.isRunning {
            if await TrialClient.isListening(port: port) { return }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw BenchError.rival(name, "did not listen within 60 s, or ended")
    }

    /// Without a farewell: asked to end, a server first waits for our connection to close.
    func stop() {
        let children = ProcessTable.children(of: process.processIdentifier)
        // The parent first: it would put another in the place of a child that died.
        kill(process.processIdentifier, SIGKILL)
        for child in children { kill(child, SIGKILL) }
        process.waitUntilExit()
    }
}
