import ArgumentParser
import Foundation

/// Values that only a function's own code may read: `thaw secret set NAME KEY < file`.
struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret",
        abstract: "Keep values that only a function's own code may read.",
        discussion: """
            The code finds them in its environment. They are encrypted on the node's disk and shown by no command.
            """,
        subcommands: [SetSecret.self, ListSecrets.self, RemoveSecret.self]
    )

    fileprivate struct Secrets: Decodable {
        struct Entry: Decodable {
            var name: String
            var updatedUnixMilliseconds: Int64
        }

        var function: String
        var secrets: [Entry]
    }

    fileprivate static func path(_ function: String, _ secret: String? = nil) -> String {
        "/functions/\(function.asPathSegment)/secrets" + (secret.map { "/" + $0.asPathSegment } ?? "")
    }

    fileprivate static func show(_ document: Data, _ client: Client, _ output: OutputOptions) throws {
        if output.json { return try Output.document(document) }
        let list = try client.decode(Secrets.self, from: document)
        var table = Table(["SECRET": .left, "SET": .left])
        for secret in list.secrets {
            let date = Date(timeIntervalSince1970: Double(secret.updatedUnixMilliseconds) / 1000)
            table.add(secret.name, date.formatted(.iso8601))
        }
        try Output.line(table.text)
    }
}

struct SetSecret: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Set a secret to what the standard input says, without the line end behind it.",
        discussion: "A value on the command line would stand in the shell's history and in the process table."
    )

    @Argument(help: "Name of the function.")
    var function: String

    @Argument(help: "Name of the variable.")
    var name: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        if Terminal.isAt(descriptor: 0) { Output.note("value of \(name), then a line end and Ctrl-D:") }
        var value = FileHandle.standardInput.readDataToEndOfFile()
        if value.last == UInt8(ascii: "\n") { value.removeLast() }
        let document = try await client.document(
            .put,
            SecretCommand.path(function, name),
            contentType: "text/plain",
            body: .bytes(value)
        )
        try SecretCommand.show(document, client, output)
    }
}

struct ListSecrets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show the names of the secrets.")

    @Argument(help: "Name of the function.")
    var function: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        try SecretCommand.show(try await client.document(.get, SecretCommand.path(function)), client, output)
    }
}

struct RemoveSecret: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget a secret.")

    @Argument(help: "Name of the function.")
    var function: String

    @Argument(help: "Name of the variable.")
    var name: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.delete, SecretCommand.path(function, name))
        try SecretCommand.show(document, client, output)
    }
}
