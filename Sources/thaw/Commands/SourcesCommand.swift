import ArgumentParser
import Foundation

/// Shows what feeds functions: `thaw sources`.
struct SourcesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sources",
        abstract: "Show what feeds functions, and how far behind it is.",
        discussion: "Counts begin when the node does, or when the mapping is changed. LAG is what waits in the source."
    )

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.get, "/sources")
        if output.json { return try Output.document(document) }
        var table = Table([
            "FUNCTION": .left, "SOURCE": .left, "RECORDS": .right, "FAILED": .right, "FILTERED": .right, "LAG": .right,
            "LAST RESULT": .left,
        ])
        for source in try client.decode(Sources.self, from: document).sources {
            table.add(
                source.function + (source.qualifier.map { ":" + $0 } ?? ""),
                source.source,
                source.records.map(String.init) ?? "-",
                source.failed.map(String.init) ?? "-",
                source.filtered.map(String.init) ?? "-",
                source.lag.map(String.init) ?? "-",
                source.isEnabled ? source.lastResult ?? "-" : "disabled"
            )
        }
        try Output.line(table.text)
    }

    private struct Sources: Decodable {
        struct Source: Decodable {
            var function: String
            var qualifier: String?
            var source: String
            var isEnabled: Bool
            var lastResult: String?
            var records: Int?
            var failed: Int?
            var filtered: Int?
            var lag: Int?
        }

        var sources: [Source]
    }
}
