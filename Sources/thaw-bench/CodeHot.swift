import Foundation
import NIOPosix
import Trials

/// Hot calls of code functions, one at a time, turn by turn with another server.
struct CodeHot {
    let turns: Int
    let seconds: Double
    let group: MultiThreadedEventLoopGroup

    private static let name = "python-hot"
    private static let manifest = """
        name: \(name)
        runtime: python3
        handler: app.handler
        """
    /// As `deploy/rivals/functions_noop.py` has it.
    private static let code = """
        def handler(event, context):
            return {"ok": True}
        """
    /// As hello-swift reads it; the others take it and do nothing.
    private static let body = #"{"name": "Ada"}"#

    func python() async throws -> Figure {
        let place = try await Self.prepare()
        let node = try await TrialNode(programs: Programs.directory)
        defer { node.removeData() }
        try await node.deploy(code: Self.name, Self.manifest, ["app.py": Self.code])
        let port = try await TrialClient.freePort()
        let rival = try RivalServer("functions-framework-noop", place: place, port: port)
        defer { rival.stop() }
        try await rival.waitUntilListening(port)
        let (ours, theirs) = try await medians(
            client(node.port, "/functions/\(Self.name)/invocations"),
            client(port, "/")
        )
        await node.stop()
        return Figure(
            name: "python hot p50",
            value: ours,
            unit: "us",
            against: "functions-framework p50",
            againstValue: theirs
        )
    }

    func swift() async throws -> Figure {
        guard let bundle = Programs.examples?.appendingPathComponent("hello-swift"),
            FileManager.default.isExecutableFile(atPath: bundle.path + "/bundle/bootstrap")
        else {
            throw BenchError.refuted("functions/hello-swift has no executable: functions/hello-swift/build makes it")
        }
        let node = try await TrialNode(programs: Programs.directory)
        defer { node.removeData() }
        try await node.deploy(example: "echo")
        try await node.deploy(bundle: bundle.path, as: "hello-swift")
        let (ours, echo) = try await medians(
            client(node.port, "/functions/hello-swift/invocations"),
            client(node.port, "/functions/echo/invocations")
        )
        await node.stop()
        return Figure(name: "swift hot p50", value: ours, unit: "us", against: "echo p50", againstValue: echo)
    }

    private func client(_ port: Int, _ path: String) -> LoadClient {
        LoadClient(port: port, path: path, body: Self.body)
    }

    /// Microseconds of a call: medians of the turns' medians.
    private func medians(_ ours: LoadClient, _ theirs: LoadClient) async throws -> (ours: Double, theirs: Double) {
        var (mine, others): ([Double], [Double]) = ([], [])
        // The first turn of each warms both up and is not counted.
        for turn in -1..<turns {
            let our = try await ours.run(connections: 1, seconds: seconds, on: group).medianMicroseconds
            let their = try await theirs.run(connections: 1, seconds: seconds, on: group).medianMicroseconds
            guard turn >= 0 else { continue }
            mine.append(our)
            others.append(their)
        }
        return (Sample(mine).median, Sample(others).median)
    }

    /// Brings functions-framework, where it is not there yet.
    ///
    /// - Returns: the directory it is in.
    private static func prepare() async throws -> String {
        guard let scripts = Programs.rivals else { throw BenchError.noExamples }
        let caches = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
        let place = caches + "/thaw-bench/code"
        let outcome = try await CommandOutcome.run(scripts.appendingPathComponent("prepare-code").path, [place])
        guard outcome.status == 0 else {
            throw BenchError.rival("deploy/rivals/prepare-code", outcome.errors + outcome.output)
        }
        return place
    }
}
