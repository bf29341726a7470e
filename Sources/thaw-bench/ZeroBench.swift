import ArgumentParser
import Foundation
import Linux
import Trials

/// How soon nothing is left of a function that nobody calls any more.
struct ZeroBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zero",
        abstract: "The time from the last reply to no worker process, and the scheduler's memory after a busy spell.",
        discussion: """
            Rows: time to zero (s, the longest of --rounds busy spells of digits with an idle time of 1 s, until /proc shows no \
            process of the node but the scheduler), against the idle time; memory at rest (MB, resident memory of the scheduler \
            after the last spell), against its memory at rest before them, after two more that are not counted.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Busy spells.")
    var rounds = 5

    @Option(help: "Seconds of each spell.")
    var seconds = 2.0

    private static let idleSeconds = 1.0
    private static let warmUps = 2

    func run() async throws {
        var misses = Misses()
        await misses.attempt("time to zero, memory at rest") { try await measure() }
        try misses.check()
    }

    private func measure() async throws {
        guard let examples = Programs.examples else { throw BenchError.noExamples }
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let model = examples.appendingPathComponent("digits/digits.onnx").path
        try FileManager.default.copyItem(atPath: model, toPath: folder + "/digits.onnx")
        let manifest = """
            name: digits
            runtime: model
            model:
              source: digits.onnx
              task: classify
            scaling:
              idle: \(Int(Self.idleSeconds))s
            """
        try Data(manifest.utf8).write(to: URL(fileURLWithPath: folder + "/function.yaml"))
        let node = try await TrialNode(programs: Programs.directory)
        defer { node.removeData() }
        try await node.deploy(bundle: folder, as: "digits")
        let body = try String(contentsOf: examples.appendingPathComponent("digits/request.json"), encoding: .utf8)

        var times: [Double] = []
        var resident: [Double] = []
        // The first spells read code, and fill tables that are made once.
        for _ in 0..<Self.warmUps { _ = try await spell(on: node, body) }
        resident.append(try await memory(of: node))
        for _ in 0..<rounds {
            times.append(try await spell(on: node, body))
            resident.append(try await memory(of: node))
        }
        await node.stop()
        try Figure(
            name: "time to zero",
            value: Sample(times).percentile(1),
            unit: "s",
            against: "the idle time",
            againstValue: Self.idleSeconds
        ).show(json: json)
        try Figure(
            name: "memory at rest",
            value: (resident.last ?? 0) / 1e6,
            unit: "MB",
            against: "at rest before those spells",
            againstValue: (resident.first ?? 0) / 1e6
        ).show(json: json)
    }

    /// Calls from eight connections for a while, then waits for the last process to go.
    ///
    /// - Returns: seconds from the last reply to no process.
    private func spell(on node: TrialNode, _ body: String) async throws -> Double {
        let end = ContinuousClock.now + .seconds(seconds)
        try await withThrowingTaskGroup(of: Void.self) { callers in
            for _ in 0..<8 {
                callers.addTask {
                    while ContinuousClock.now < end { _ = try await node.timedCall("digits", body) }
                }
            }
            try await callers.waitForAll()
        }
        let lastReply = ContinuousClock.now
        let isZero = try await node.until(seconds: 30, everyMilliseconds: 5) { node in
            ProcessTable.children(of: node.pid).isEmpty
        }
        guard isZero else { throw BenchError.refuted("the node still has processes 30 s after the last reply") }
        return (ContinuousClock.now - lastReply).seconds
    }

    private func memory(of node: TrialNode) async throws -> Double {
        // Commits and clean-ups that follow the last call are over by then.
        try await Task.sleep(for: .seconds(1))
        guard let memory = ProcessMemory.of(pid: node.pid) else { throw BenchError.floorSilent("/proc/\(node.pid)") }
        return Double(memory.residentBytes)
    }
}
