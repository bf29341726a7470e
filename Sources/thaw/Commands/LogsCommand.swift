import ArgumentParser
import AsyncHTTPClient
import Foundation
import Invoking
import NIOCore

/// Shows what a function's workers wrote: `thaw logs NAME [--follow]`.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a function's workers wrote.",
        discussion: "With --json: one document; with --json --follow: one document a line."
    )

    @Argument(help: "Name of the function.")
    var name: String

    @Flag(name: .shortAndLong, help: "Go on with new lines as they come.")
    var follow = false

    @Option(help: "How many of the newest lines to begin with.")
    var last = 100

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let path = "/functions/\(name.asPathSegment)/logs?last=\(last)"
        guard follow else {
            let document = try await client.document(.get, path)
            if output.json { return try Output.document(document) }
            for line in try client.decode(Lines.self, from: document).lines { try show(line) }
            return
        }
        let reply = try await client.send(.get, path + "&follow=true")
        if !reply.isSuccess {
            try client.check(reply, try await client.collect(reply, bytesMax: 1 << 20))
        }
        var lines = LineSplitter()
        for try await piece in reply.body {
            for line in lines.split(piece) {
                if output.json {
                    try Output.document(line)
                } else {
                    try show(client.decode(LogLine.self, from: line))
                }
            }
        }
    }

    private func show(_ line: LogLine) throws {
        try Output.line("\(line.time)  v\(line.version)  \(line.message)")
    }

    private struct Lines: Decodable {
        var lines: [LogLine]
    }
}

/// Cuts a stream of pieces into lines.
struct LineSplitter {
    private var rest = Data()

    /// The lines that `piece` completes, without their ends.
    mutating func split(_ piece: ByteBuffer) -> [Data] {
        rest += Data(piece.readableBytesView)
        var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = Data(lines.popLast() ?? Data())
        return lines.filter { !$0.isEmpty }.map { Data($0) }
    }
}
