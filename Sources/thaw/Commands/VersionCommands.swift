import ArgumentParser
import Foundation
import Registry

/// Shows the versions of a function: `thaw versions NAME`.
struct VersionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versions",
        abstract: "Show the versions of a function, and which of them serves."
    )

    @Argument(help: "Name of the function.")
    var name: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.get, "/functions/\(name.asPathSegment)/versions")
        if output.json { return try Output.document(document) }
        let list = try client.decode(Versions.self, from: document)
        var table = Table(["VERSION": .right, "DEPLOYED": .left, "SNAPSHOT": .left, "SIZE": .right, "": .left])
        for version in list.versions {
            var labels = list.aliases.filter { $0.value == version.version }.map(\.key).sorted()
            if version.version == list.serving { labels.insert("serves", at: 0) }
            table.add(
                "\(version.version)",
                version.createdAt,
                String(version.snapshot.digest.prefix(12)),
                Units.bytes(version.snapshot.byteCount),
                labels.joined(separator: ", ")
            )
        }
        try Output.line(table.text)
    }

    private struct Versions: Decodable {
        var serving: Int
        var aliases: [String: Int]
        var versions: [FunctionVersion]
    }
}

/// Lets a label mean a version: `thaw alias NAME LABEL VERSION`.
struct AliasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alias",
        abstract: "Let a label mean a version; a label that exists moves."
    )

    @Argument(help: "Name of the function.")
    var name: String

    @Argument(help: "A letter followed by letters, digits, - or _.")
    var label: String

    @Argument(help: "Version number.")
    var version: Int

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(
            .put,
            "/functions/\(name.asPathSegment)/aliases/\(label.asPathSegment)",
            contentType: "application/json",
            body: .bytes(Data(#"{"version":\#(version)}"#.utf8))
        )
        if output.json { return try Output.document(document) }
        try Output.line("\(label) of \(name) means version \(version)")
    }
}

/// Lets the version before serve again: `thaw rollback NAME`.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Let the version before the one that serves serve again."
    )

    @Argument(help: "Name of the function.")
    var name: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.post, "/functions/\(name.asPathSegment)/rollback")
        if output.json { return try Output.document(document) }
        let version = try client.decode(FunctionVersion.self, from: document)
        try Output.line("\(name) version \(version.version) serves")
    }
}
