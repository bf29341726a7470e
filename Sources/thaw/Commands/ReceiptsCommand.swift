import ArgumentParser
import Foundation
import Metering
import Scheduling

/// Shows what calls took and cost: `thaw receipts [NAME] [--last N]`.
struct ReceiptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipts",
        abstract: "Show what calls took and cost, the newest last.",
        discussion: "With --json: an array."
    )

    @Argument(help: "Name of a function; all functions without it.")
    var name: String?

    @Option(help: "How many receipts, at most 1000.")
    var last = 20

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let query = name.map { "&function=\($0.asPathSegment)" } ?? ""
        let document = try await client.document(.get, "/receipts?last=\(last)\(query)")
        let receipts = try client.decode(Receipts.self, from: document).receipts
        if output.json { return try Output.document(receipts) }
        try Output.line(Self.table(receipts).text)
    }

    static func table(_ receipts: [Receipt]) -> Table {
        var table = Table([
            "ACCEPTED": .left, "FUNCTION": .left, "VERSION": .right, "START": .left, "QUEUE": .right, "BIND": .right,
            "RUN": .right, "CPU": .right, "PEAK": .right, "BILLED": .right, "OUTCOME": .left, "ID": .left,
        ])
        for receipt in receipts {
            table.add(
                receipt.acceptedAt,
                receipt.function,
                "\(receipt.version)",
                receipt.start?.rawValue ?? "–",
                Units.duration(nanoseconds: receipt.queueNanoseconds),
                Units.duration(nanoseconds: receipt.bindNanoseconds),
                Units.duration(nanoseconds: receipt.runNanoseconds),
                Units.duration(nanoseconds: receipt.cpuNanoseconds),
                Units.bytes(receipt.memoryBytesPeak),
                Units.money(nanodollars: receipt.billedNanodollars),
                receipt.reason.map { "\(receipt.outcome.rawValue): \($0)" } ?? receipt.outcome.rawValue,
                receipt.id.description
            )
        }
        return table
    }

    private struct Receipts: Decodable {
        var receipts: [Receipt]
    }
}
