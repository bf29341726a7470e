import ArgumentParser
import Foundation
import Linux
import Manifests
import Registry
import Trials

/// What functions cost while nobody calls them.
struct DensityBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "density",
        abstract: "Memory of the scheduler with many deployed functions, and of many parked workers.",
        discussion: """
            Rows: scheduler resident (MB, VmRSS with --functions deployed and idle), against the same node with none; \
            bytes a function (anonymous memory above that of a node with none), against the function's bytes in the registry's file; \
            parked worker private (MB, private pages and page tables of one of --workers parked forks of digits, the mean), \
            against a bare sandboxed fork of as much memory.

            One bundle is really deployed; its version is then entered under the other names through the registry's own deploy, \
            in the data directory of the stopped node, and a node is started on it.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Functions deployed and idle.")
    var functions = 10_000

    @Option(help: "Functions with a resting template and a parked worker.")
    var workers = 200

    func validate() throws {
        guard functions >= 100, (1...1000).contains(workers) else {
            throw ValidationError("--functions takes 100 or more, --workers 1 to 1000")
        }
    }

    func run() async throws {
        var misses = Misses()
        await misses.attempt("scheduler resident, bytes a function") { try await measureScheduler() }
        await misses.attempt("parked worker private") { try await measureWorkers() }
        try misses.check()
    }

    private func measureScheduler() async throws {
        let empty = try await TrialNode(programs: Programs.directory)
        defer { empty.removeData() }
        let without = try await Self.memoryAtRest(empty)
        await empty.stop()

        let directory = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await Self.seed("echo", copies: functions - 1, in: directory)
        let node = try await TrialNode(programs: Programs.directory, dataDirectory: directory)
        guard try await node.pools().count == functions else {
            throw BenchError.refuted("GET /pools does not name \(functions) functions")
        }
        // One of them is called, so that it is a node in use, and comes to rest.
        _ = try await node.timedCall("echo-7", "{}")
        // Not by asking for all pools: the answer itself is a megabyte.
        let isAtRest = try await node.until(seconds: 20) { ProcessTable.children(of: $0.pid).isEmpty }
        guard isAtRest else { throw BenchError.refuted("the node still has processes 20 s after its only call") }
        let with = try await Self.memoryAtRest(node)
        await node.stop()

        try Figure(
            name: "scheduler resident",
            value: Double(with.residentBytes) / 1e6,
            unit: "MB",
            against: "the same node without functions",
            againstValue: Double(without.residentBytes) / 1e6
        ).show(json: json)
        let stored = (try FileIdentity(ofPath: directory + "/registry.sqlite")).byteCount
        try Figure(
            name: "bytes a function",
            value: (Double(with.anonymousBytes) - Double(without.anonymousBytes)) / Double(functions),
            unit: "B",
            against: "its rows in the registry's file",
            againstValue: Double(stored) / Double(functions)
        ).show(json: json)
    }

    private func measureWorkers() async throws {
        let directory = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await Self.seed("digits", copies: workers - 1, in: directory)
        let node = try await TrialNode(
            programs: Programs.directory,
            dataDirectory: directory,
            arguments: ["--resting-memory", "16GiB", "--reserve", "1", "--workers-max", "\(workers * 2 + 8)"]
        )
        guard let examples = Programs.examples else { throw BenchError.noExamples }
        let body = try String(contentsOf: examples.appendingPathComponent("digits/request.json"), encoding: .utf8)
        for number in 0..<workers { _ = try await node.timedCall(Self.name("digits", number), body) }
        let isParked = try await node.until(seconds: 30, everyMilliseconds: 100) { node in
            let pools = try await node.pools()
            return pools.allSatisfy { $0.workers == 0 && $0.parked == 1 }
        }
        guard isParked else { throw BenchError.refuted("not every function came to rest with one parked worker") }
        let parked = ProcessTable.grandchildren(of: node.pid)
        guard parked.count == workers else {
            throw BenchError.refuted("\(parked.count) workers stand for \(workers) functions")
        }
        let alone = parked.compactMap { ProcessMemory.aloneBytes(pid: $0) }.reduce(0, +)
        let bytes = try await node.pools().map(\.bytes).max() ?? 0
        await node.stop()
        let floor = try ForkFloor(byteCount: bytes)
        let fork = try await floor.turn()
        floor.stop()
        try Figure(
            name: "parked worker private",
            value: Double(alone) / Double(parked.count) / 1e6,
            unit: "MB",
            against: "bare sandboxed fork of \(bytes) bytes",
            againstValue: Double(fork.privateBytes) / 1e6
        ).show(json: json)
    }

    /// Memory of a scheduler that has nothing to do.
    private static func memoryAtRest(_ node: TrialNode) async throws -> ProcessMemory {
        _ = try await node.request("GET", "/healthz")
        // Longer than any commit or clean-up that a request leaves behind.
        try await Task.sleep(for: .seconds(1))
        guard let memory = ProcessMemory.of(pid: node.pid) else { throw BenchError.floorSilent("/proc/\(node.pid)") }
        return memory
    }

    private static func name(_ example: String, _ number: Int) -> String {
        number == 0 ? example : "\(example)-\(number)"
    }

    /// Deploys an example in a data directory, and enters its version under further names.
    private static func seed(_ example: String, copies: Int, in directory: String) async throws {
        let node = try await TrialNode(programs: Programs.directory, dataDirectory: directory)
        try await node.deploy(example: example)
        await node.stop()
        let registry = try Registry(path: directory + "/registry.sqlite")
        let original = try registry.resolve(example)
        for number in 0..<copies {
            var manifest = original.manifest
            manifest.name = name(example, number + 1)
            // A route belongs to one function.
            manifest.route = nil
            manifest.scaling.idleMilliseconds = 500
            _ = try await registry.deploy(manifest: manifest, snapshot: original.snapshot)
        }
    }
}
