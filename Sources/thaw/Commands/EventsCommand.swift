import ArgumentParser
import Foundation

/// Shows queues and events: `thaw events [ID]`, `thaw events --redrive NAME`.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show the queues, or what became of one call that nobody waits for.",
        discussion: "With --json: the node's document."
    )

    @Argument(help: "Id of an event; all queues without it.")
    var id: String?

    @Option(help: "Send the calls of this function again that came to nothing.")
    var redrive: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard id == nil || redrive == nil else { throw ValidationError("give an id or --redrive, not both") }
    }

    func run() async throws {
        let client = try Client()
        if let redrive {
            let path = "/events/redrive?function=\(redrive.asPathSegment)"
            let document = try await client.document(.post, path)
            let moved = try client.decode(Redriven.self, from: document).moved
            return output.json
                ? try Output.document(["moved": moved]) : try Output.line("\(moved) calls of \(redrive) are sent again")
        }
        if let id {
            let document = try await client.document(.get, "/events/\(id.asPathSegment)")
            try Output.write(document)
            return try Output.line("")
        }
        let document = try await client.document(.get, "/events")
        if output.json {
            try Output.write(document)
            return try Output.line("")
        }
        let listing = try client.decode(Listing.self, from: document)
        var table = Table([
            "KIND": .left, "QUEUE": .left, "DEPTH": .right, "IN FLIGHT": .right, "DELAYED": .right, "OLDEST": .right,
        ])
        for queue in listing.queues {
            let age = queue.oldestSeconds.map { Units.duration(nanoseconds: UInt64(max($0, 0) * 1e9)) } ?? "–"
            table.add(queue.kind, queue.name, "\(queue.depth)", "\(queue.inFlight)", "\(queue.delayed)", age)
        }
        try Output.line(table.text)
        for (condition, count) in listing.outcomes.sorted(by: { $0.key < $1.key }) {
            try Output.line("\(condition): \(count)")
        }
    }

    private struct Redriven: Decodable {
        var moved: Int
    }

    private struct Listing: Decodable {
        var queues: [Queue]
        var outcomes: [String: Int]
    }

    private struct Queue: Decodable {
        var kind: String
        var name: String
        var depth: Int
        var inFlight: Int
        var delayed: Int
        var oldestSeconds: Double?
    }
}
