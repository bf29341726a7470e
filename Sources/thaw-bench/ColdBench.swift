import ArgumentParser
import Foundation
import Linux
import Trials

/// What a caller feels of a function that had scaled to zero: its first call against a hot one, for each tier that the
/// snapshot may have stayed in.
struct ColdBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cold",
        abstract: "The first call after scale to zero, above a hot call, beside a bare fork of the same memory.",
        discussion: """
            Rows: minilm warm p50 (the template rested in memory), minilm cold p50 (nothing but the file was left). \
            Needs functions/embed/model: functions/embed/fetch brings it.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Scalings to zero of each tier.")
    var rounds = 9

    /// A sentence of 16 tokens, the length of the recorded rivals.
    private static let body = #"{"text": "the quick brown fox jumps over the lazy dog while it rains outside"}"#
    /// Short, so that a round is: a call would still find its worker within it.
    private static let idle = "200ms"

    func run() async throws {
        let bundle = try Self.bundle()
        defer { try? FileManager.default.removeItem(atPath: bundle) }
        var arenaBytes = 0
        for tier in [Tier.warm, .cold] {
            let node = try await TrialNode(programs: Programs.directory, arguments: tier.arguments)
            defer { node.removeData() }
            try await node.deploy(bundle: bundle, as: "minilm")
            let (first, hot, bytes) = try await measure(tier, on: node)
            arenaBytes = max(arenaBytes, bytes)
            await node.stop()
            try Figure(
                name: "minilm \(tier.rawValue) p50",
                value: first.median - hot.median,
                unit: "us",
                against: "bare fork of \(arenaBytes >> 20) MiB in huge pages",
                againstValue: try BareFork.medianMicroseconds(byteCount: arenaBytes)
            ).show(json: json)
        }
    }

    private enum Tier: String {
        case warm, cold

        var arguments: [String] {
            self == .warm ? ["--resting-memory", "4GiB"] : []
        }
    }

    private func measure(_ tier: Tier, on node: TrialNode) async throws -> (first: Sample, hot: Sample, bytes: Int) {
        var (first, hot): ([Double], [Double]) = ([], [])
        var bytes = 0
        // The first round reads the file from the disk and verifies every digest: it is not counted.
        for round in 0...rounds {
            let start = try await timedCall(node)
            if round > 0 {
                guard start.kind == tier.rawValue else {
                    throw BenchError.wrongStart(expected: tier.rawValue, got: start.kind)
                }
                first.append(start.microseconds)
            }
            for _ in 0..<5 { hot.append(try await timedCall(node).microseconds) }
            bytes = max(bytes, try await node.pool().bytes)
            let isAtRest = try await node.until(seconds: 10) { node in
                let pool = try await node.pool()
                return pool.workers == 0 && pool.tier == (tier == .warm ? "resident" : "disk")
            }
            guard isAtRest else { throw BenchError.neverCameToRest("minilm") }
        }
        return (Sample(first), Sample(hot), bytes)
    }

    private func timedCall(_ node: TrialNode) async throws -> (microseconds: Double, kind: String) {
        let begin = ContinuousClock.now
        let answer = try await node.invoke("minilm", Self.body)
        let elapsed = ContinuousClock.now - begin
        guard answer.status == 200 else { throw BenchError.answered(answer.status, body: answer.text) }
        let microseconds = Double(elapsed.components.attoseconds) / 1e12 + Double(elapsed.components.seconds) * 1e6
        return (microseconds, answer.headers["thaw-start"] ?? "")
    }

    /// The embed example with a short idle time.
    private static func bundle() throws -> String {
        guard let functions = Programs.examples else { throw BenchError.noExamples }
        let folder = try TrialNode.freshDirectory()
        try FileManager.default.copyItem(
            atPath: functions.appendingPathComponent("embed/model").path,
            toPath: folder + "/model"
        )
        let manifest = """
            name: minilm
            runtime: model
            model:
              source: model
              task: embed
            scaling:
              idle: \(idle)
            """
        try Data(manifest.utf8).write(to: URL(fileURLWithPath: folder + "/function.yaml"))
        return folder
    }
}

/// What one function holds, from `GET /pools`.
private struct PoolState: Decodable {
    var name: String
    var workers: Int
    var tier: String
    var bytes: Int
}

extension TrialNode {
    fileprivate func pool() async throws -> PoolState {
        struct Pools: Decodable { var functions: [PoolState] }
        let answer = try await request("GET", "/pools")
        let pools = try JSONDecoder().decode(Pools.self, from: answer.body)
        guard let pool = pools.functions.first else { throw BenchError.answered(answer.status, body: answer.text) }
        return pool
    }
}

/// The floor of a warm start: a process with this much memory in huge pages forks, and its child says a word.
enum BareFork {
    static func medianMicroseconds(byteCount: Int, rounds: Int = 21) throws -> Double {
        var memory = try Mapping.anonymous(byteCount: max(byteCount, Mapping.pageByteCount), hugePages: true)
        memory.withMutableBytes { bytes in
            for offset in stride(from: 0, to: bytes.byteCount, by: Mapping.pageByteCount) {
                bytes.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
            }
        }
        var times: [Double] = []
        for _ in 0..<rounds {
            let pipe = try DescriptorPair.pipe()
            let begin = Clock.monotonicNanoseconds()
            switch try CurrentProcess.fork() {
            case .child:
                try? pipe.second.writeAll([1])
                CurrentProcess.exit(0)
            case .parent(let child):
                _ = try pipe.first.read(countMax: 1)
                times.append(Double(Clock.monotonicNanoseconds() - begin) / 1000)
                _ = try ProcessHandle.wait(pid: child)
            }
        }
        return Sample(times).median
    }
}
