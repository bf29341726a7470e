import ArgumentParser
import Foundation
import Invoking

/// Shows what each function holds: `thaw pools`.
struct PoolsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pools",
        abstract: "Show what each function holds at this moment.",
        discussion: """
            WORKERS have served a call, PARKED ones are ready and never have. TIER is how near the snapshot is to a worker: \
            disk, packed (its file in memory), booting, resident (decoded), bound (it has workers). PREWARMS were made \
            resident ahead of a call; HITS of them were called in time, WASTE were not.
            """
    )

    @OptionGroup var output: OutputOptions

    @Flag(help: "Show it again every second, until interrupted.")
    var watch = false

    func run() async throws {
        let client = try Client()
        try await show(client)
        while watch {
            // The node is asked once a second: it has better to do than to push what a person may look at.
            try await Task.sleep(for: .seconds(1))
            try await show(client)
        }
    }

    private func show(_ client: Client) async throws {
        let document = try await client.document(.get, "/pools")
        if output.json { return try Output.document(document) }
        let text = PoolsTable(try client.decode(PoolsReport.self, from: document)).text
        try Output.line(watch && Output.isTerminal ? Output.clearScreen + text : text)
    }
}

/// The report as a person reads it.
struct PoolsTable {
    let text: String

    init(_ report: PoolsReport) {
        var table = Table([
            "NAME": .left, "WORKERS": .right, "PARKED": .right, "TIER": .left, "MEMORY": .right,
            "PREWARMS": .right, "HITS": .right, "WASTE": .right,
        ])
        for pool in report.functions {
            table.add(
                pool.name,
                "\(pool.workers)",
                "\(pool.parked)",
                pool.tier.rawValue,
                Units.bytes(pool.bytes),
                "\(pool.prewarms)",
                "\(pool.hits)",
                "\(pool.waste)"
            )
        }
        var lines = [table.text, "", Self.resting(report.resting)]
        switch report.hugePages {
        case "none":
            lines.append("huge pages: none; the kernel offers none, so workers are slower to fork")
        default:
            lines.append("huge pages: \(report.hugePages)")
        }
        text = lines.joined(separator: "\n")
    }

    private static func resting(_ resting: PoolsReport.Resting) -> String {
        guard resting.bytesMax > 0 else { return "at rest: nothing is kept (serve --resting-memory)" }
        let used = "at rest: \(Units.bytes(resting.bytes)) of \(Units.bytes(resting.bytesMax))"
        guard resting.unlockedFiles > 0 else { return used }
        return used + "; packed files not locked in memory: \(resting.unlockedFiles) (raise RLIMIT_MEMLOCK)"
    }
}

/// Removes the snapshots that no version needs: `thaw gc`.
struct CollectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Remove the snapshots that no version needs."
    )

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.post, "/gc")
        if output.json { return try Output.document(document) }
        let report = try client.decode(GarbageReport.self, from: document)
        try Output.line("\(report.snapshots) snapshots removed, \(Units.bytes(report.bytes)) free")
    }
}
