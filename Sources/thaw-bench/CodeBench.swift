import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import Trials

/// What a call of a code function costs: first calls in Python, and hot ones in Python and in Swift.
struct CodeBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "code",
        abstract: "Functions in Python and in Swift, beside what else would run them.",
        discussion: """
            Rows, all in microseconds. python cold p50: the first call of a function that imports numpy, its template resting and \
            no worker there, against /usr/bin/python3 -c 'import numpy'. python hot p50: a handler that does nothing, over HTTP, \
            against the same under functions-framework, which deploy/rivals/prepare-code brings from PyPI into a cache. swift hot \
            p50: functions/hello-swift, built by its script, against echo, both on one node.

            Needs the Debian packages python3 and python3-numpy.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "First calls, and starts of Python.")
    var rounds = 40

    @Option(help: "Turns of each server with hot calls.")
    var turns = 5

    @Option(help: "Seconds of each turn.")
    var seconds = 0.5

    func run() async throws {
        var misses = Misses()
        await misses.attempt("python cold p50") { try await PythonCold(rounds: rounds).figure().show(json: json) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let hot = CodeHot(turns: turns, seconds: seconds, group: group)
        await misses.attempt("python hot p50") { try await hot.python().show(json: json) }
        await misses.attempt("swift hot p50") { try await hot.swift().show(json: json) }
        try await group.shutdownGracefully()
        try misses.check()
    }
}

/// First calls of a Python function that imports numpy, turn by turn with an interpreter that does.
private struct PythonCold {
    let rounds: Int

    private static let interpreter = "/usr/bin/python3"
    private static let name = "python-cold"
    private static let manifest = """
        name: \(name)
        runtime: python3
        handler: app.handler
        scaling:
          idle: 100ms
        """
    private static let code = """
        from numpy import dot

        def handler(event, context):
            return float(dot(event, event))
        """

    func figure() async throws -> Figure {
        let node = try await TrialNode(
            programs: Programs.directory,
            arguments: ColdTier.resident.arguments(fileBytes: 0, arenaBytes: 0)
        )
        defer { node.removeData() }
        try await node.deploy(code: Self.name, Self.manifest, ["app.py": Self.code])
        var (first, imports): ([Double], [Double]) = ([], [])
        // The first call makes the template; it and a first start, which fills the page cache, are not counted.
        for round in -1..<rounds {
            if round >= 0 {
                try await node.wait(for: Self.name, toBe: "resident without workers") {
                    ColdTier.resident.isReached($0)
                }
            }
            let begin = ContinuousClock.now
            let answer = try await node.invoke(Self.name, "[3, 4]")
            let microseconds = (ContinuousClock.now - begin).microseconds
            guard answer.status == 200, answer.text == "25.0" else {
                throw BenchError.answered(answer.status, body: answer.text)
            }
            let start = try Self.importMicroseconds()
            guard round >= 0 else { continue }
            guard answer.headers["thaw-start"] == "warm" else {
                throw BenchError.wrongStart(expected: "warm", got: answer.headers["thaw-start"] ?? "")
            }
            first.append(microseconds)
            imports.append(start)
        }
        await node.stop()
        return Figure(
            name: "python cold p50",
            value: Sample(first).median,
            unit: "us",
            against: "\(Self.interpreter) -c 'import numpy'",
            againstValue: Sample(imports).median
        )
    }

    private static func importMicroseconds() throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: interpreter)
        process.arguments = ["-c", "import numpy"]
        process.standardInput = FileHandle.nullDevice
        let begin = ContinuousClock.now
        try process.run()
        process.waitUntilExit()
        let microseconds = (ContinuousClock.now - begin).microseconds
        guard process.terminationStatus == 0 else {
            throw BenchError.rival(interpreter, "does not import numpy; the package python3-numpy brings it")
        }
        return microseconds
    }
}

extension TrialNode {
    /// Deploys a manifest with files beside it.
    func deploy(code name: String, _ manifest: String, _ files: [String: String]) async throws {
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (path, text) in files.merging(["function.yaml": manifest], uniquingKeysWith: { $1 }) {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(path)"))
        }
        try await deploy(bundle: folder, as: name)
    }
}
