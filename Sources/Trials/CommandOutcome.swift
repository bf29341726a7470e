import Foundation

/// How a command ended and what it printed.
package struct CommandOutcome: Sendable {
    package let status: Int32
    package let output: String
    package let errors: String

    package static func run(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        directory: String? = nil,
        input: String = ""
    ) async throws -> CommandOutcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try runWaiting(path, arguments, environment, directory, input)
                    }
                )
            }
        }
    }

    private static func runWaiting(
        _ path: String,
        _ arguments: [String],
        _ environment: [String: String],
        _ directory: String?,
        _ input: String
    ) throws -> CommandOutcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        // Files instead of pipes: whatever it prints, it never waits for us.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("thaw-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ contents: String = "") throws -> FileHandle {
            let url = folder.appendingPathComponent(name)
            try Data(contents.utf8).write(to: url)
            return try FileHandle(forUpdating: url)
        }
        process.standardInput = try file("in", input)
        process.standardOutput = try file("out")
        process.standardError = try file("err")
        try process.run()
        process.waitUntilExit()
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
        }
        return CommandOutcome(status: process.terminationStatus, output: try text("out"), errors: try text("err"))
    }
}
