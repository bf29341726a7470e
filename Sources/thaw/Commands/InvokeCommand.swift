import ArgumentParser
import Foundation

/// Calls a function: `thaw invoke NAME [-d JSON|@file|-]`.
struct InvokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invoke",
        abstract: "Call a function and print its reply as it is.",
        discussion: "With --json: {status, id, start, timing in milliseconds, contentType, body}."
    )

    @Argument(help: "Name of the function.")
    var name: String

    @Option(name: .shortAndLong, help: "The body: text, @FILE, or - for the standard input.")
    var data: String?

    @Option(help: "Version number or alias.")
    var qualifier: String?

    @Option(help: "Media type of the body.")
    var contentType = "application/json"

    @Flag(
        name: .customLong("async"),
        help: "Return when the call is on the disk, with its id; `thaw events ID` says what became of it."
    )
    var isAsynchronous = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        if isAsynchronous { return try await accept(client) }
        let query = qualifier.map { "?qualifier=\($0.asPathSegment)" } ?? ""
        let reply = try await client.send(
            .post,
            "/functions/\(name.asPathSegment)/invocations\(query)",
            contentType: contentType,
            body: .bytes(try readBody())
        )
        let body = try await client.collect(reply, bytesMax: Client.replyBytesMax)
        if output.json {
            try Output.document(InvocationReport(reply, body).document)
            guard reply.isSuccess else { throw ExitCode.failure }
        } else {
            try client.check(reply, body)
            try Output.write(body)
        }
    }

    private func accept(_ client: Client) async throws {
        let query = qualifier.map { "&qualifier=\($0.asPathSegment)" } ?? ""
        let document = try await client.document(
            .post,
            "/events?function=\(name.asPathSegment)\(query)",
            contentType: contentType,
            body: .bytes(try readBody())
        )
        let accepted = try client.decode(Accepted.self, from: document)
        if output.json { return try Output.document(accepted) }
        try Output.line(accepted.id)
    }

    private struct Accepted: Codable {
        var id: String
    }

    private func readBody() throws(CommandFailure) -> Data {
        switch data {
        case nil:
            return Data()
        case "-"?:
            do {
                return try FileHandle.standardInput.readToEnd() ?? Data()
            } catch {
                throw .file("the standard input cannot be read: \(error.localizedDescription)")
            }
        case let data? where data.hasPrefix("@"):
            let file = String(data.dropFirst())
            guard let contents = FileManager.default.contents(atPath: file) else {
                throw .file("\(file) cannot be read")
            }
            return contents
        case let data?:
            return Data(data.utf8)
        }
    }
}
