import Foundation
import Trials

/// Many simultaneous first calls of a function that is nothing but a file: all are answered, and it is loaded once.
struct ColdBurst {
    let sizes: [Int]
    let json: Bool

    /// Turns of each size: the middle one is shown.
    private static let rounds = 5
    private static let function = ColdFunction.minilm

    func run() async throws {
        let node = try await TrialNode(programs: Programs.directory)
        defer { node.removeData() }
        // Long enough for a hot call to follow the burst.
        try await Self.function.deploy(on: node, idle: "300ms")
        // The first burst verifies every digest and is not counted.
        _ = try await burst(of: 1, on: node)
        var alone: [Burst] = []
        for _ in 0..<Self.rounds { alone.append(try await burst(of: 1, on: node)) }
        let hot = Sample(alone.flatMap(\.hot)).median
        let load = Sample(alone.map(\.last)).median - hot
        for size in sizes {
            var bursts = alone
            if size > 1 {
                bursts = []
                for _ in 0..<Self.rounds { bursts.append(try await burst(of: size, on: node)) }
            }
            let bound = Double(size) * hot + load
            try Figure(
                name: "minilm burst \(size) last",
                value: Sample(bursts.map(\.last)).median,
                unit: "us",
                against: "\(size) hot calls of \(Int(hot)) us and one load of \(Int(load)) us",
                againstValue: bound
            ).show(json: json)
        }
        await node.stop()
    }

    private struct Burst {
        /// Microseconds until the last reply.
        var last: Double
        /// Microseconds of each of some hot calls after it.
        var hot: [Double]
    }

    private func burst(of size: Int, on node: TrialNode) async throws -> Burst {
        let (name, body) = (Self.function.rawValue, Self.function.body)
        try await node.wait(for: name, toBe: "only on the disk, without a process") {
            $0.isOnDisk && ProcessTable.children(of: node.pid).isEmpty
        }
        let begin = ContinuousClock.now
        let starts = try await withThrowingTaskGroup(of: String.self) { calls in
            for _ in 0..<size {
                calls.addTask { try await node.timedCall(name, body).start }
            }
            return try await calls.reduce(into: []) { $0.append($1) }
        }
        let last = (ContinuousClock.now - begin).microseconds
        // One load: one template stands, and whoever came before it was there is cold.
        let templates = ProcessTable.children(of: node.pid).count
        guard templates == 1 else { throw BenchError.refuted("\(size) calls left \(templates) templates, not one") }
        guard starts.contains("cold") else { throw BenchError.refuted("none of \(size) first calls was cold") }
        var hot: [Double] = []
        for _ in 0..<9 { hot.append(try await node.timedCall(name, body).microseconds) }
        return Burst(last: last, hot: hot)
    }
}
