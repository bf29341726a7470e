package import Foundation

/// A real node: `thaw serve` as a child process, with a data directory and a port of its own.
///
/// For benchmarks and tests of the whole.
package final class TrialNode: Sendable {
    /// Directory that holds `thaw` and its sibling programs.
    package let programs: String
    package let dataDirectory: String
    package let port: Int
    package let pid: Int32
    private let process: Process
    private let output: LineStream
    /// Ends with this process, however that ends, and the node with it.
    private let lifeline = Pipe()

    package var url: String { "http://127.0.0.1:\(port)" }

    /// Starts a node and waits for its ready line.
    ///
    /// - Parameters:
    ///   - programs: where the programs were built.
    ///   - dataDirectory: nil for a fresh one.
    ///   - arguments: further options of `thaw serve`.
    package init(
        programs: String,
        dataDirectory: String? = nil,
        arguments: [String] = [],
        environment: [String: String] = [:]
    ) async throws {
        self.programs = programs
        self.dataDirectory = try dataDirectory ?? Self.freshDirectory()
        process = Process()
        process.executableURL = URL(fileURLWithPath: programs + "/thaw")
        process.arguments = [
            "serve", "--data", self.dataDirectory, "--listen", "127.0.0.1:0", "--json", "--end-with-input",
        ]
        process.arguments? += arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = lifeline
        output = LineStream(pipe.fileHandleForReading)
        try process.run()
        pid = process.processIdentifier
        guard let line = await output.next() else {
            process.waitUntilExit()
            throw TrialError.notReady(status: process.terminationStatus)
        }
        struct Ready: Decodable { var url: String }
        let ready = try JSONDecoder().decode(Ready.self, from: Data(line.utf8))
        guard let port = ready.url.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw TrialError.notReady(status: 0)
        }
        self.port = port
    }

    deinit {
        if process.isRunning { kill(pid, SIGKILL) }
    }

    package static func freshDirectory() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("thaw-trial-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        return path.path
    }

    /// Drains and waits for the end.
    ///
    /// - Returns: the exit status; 128 + the number of the signal that ended it.
    @discardableResult
    package func stop() async -> Int32 {
        kill(pid, SIGTERM)
        return await end()
    }

    /// As the end of whoever started it would end it.
    ///
    /// - Returns: as ``stop()``.
    @discardableResult
    package func abandon() async -> Int32 {
        try? lifeline.fileHandleForWriting.close()
        return await end()
    }

    /// As a crash would end it.
    package func crash() async {
        kill(pid, SIGKILL)
        _ = await end()
    }

    private func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [process] in
                process.waitUntilExit()
                let signal: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
                continuation.resume(returning: signal + process.terminationStatus)
            }
        }
    }

    package func removeData() {
        try? FileManager.default.removeItem(atPath: dataDirectory)
    }

    // MARK: The command line

    /// Runs `thaw` against this node.
    @discardableResult
    package func thaw(_ arguments: String..., input: String = "") async throws -> CommandOutcome {
        try await CommandOutcome.run(programs + "/thaw", arguments, environment: ["THAW_URL": url], input: input)
    }

    // MARK: HTTP

    package typealias Answer = TrialClient.Answer

    package func request(
        _ method: String,
        _ path: String,
        body: Data? = nil,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        try await TrialClient.request(method, url + path, body: body, headers: headers)
    }

    package func invoke(_ function: String, _ body: String) async throws -> Answer {
        try await request("POST", "/functions/\(function)/invocations", body: Data(body.utf8))
    }

    /// How often any thread of the scheduler went to sleep of its own accord in this time: at rest, as often as it woke.
    package func wakeUps(duringSeconds seconds: Double) async throws -> Int {
        let before = voluntarySwitches
        try await Task.sleep(for: .seconds(seconds))
        return voluntarySwitches - before
    }

    private var voluntarySwitches: Int {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return tasks.reduce(0) { sum, task in
            let status = try? String(contentsOfFile: "/proc/\(pid)/task/\(task)/status", encoding: .utf8)
            let line = status?.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
            return sum + (line?.split(separator: "\t").last.flatMap { Int($0) } ?? 0)
        }
    }

    /// Asks until the answer is as wanted; the node has no event for "came to rest".
    ///
    /// - Returns: whether it became so within the time.
    package func until(
        seconds: Double,
        everyMilliseconds: Int = 20,
        _ condition: (TrialNode) async throws -> Bool
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            if try await condition(self) { return true }
            try await Task.sleep(for: .milliseconds(everyMilliseconds))
        }
        return false
    }
}

/// Why there is no node.
package enum TrialError: Error, CustomStringConvertible {
    case notReady(status: Int32)

    package var description: String {
        switch self {
        case .notReady(let status): "thaw serve ended with status \(status) before it was ready"
        }
    }
}
