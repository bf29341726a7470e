import ArgumentParser
import Foundation
import Invoking

/// Shows what each function holds: `thaw pools`.
struct PoolsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pools",
        abstract: "Show what each function holds at this moment.",
        discussion: "WORKERS have served a call, PARKED ones are ready and never have."
    )

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let client = try Client()
        let document = try await client.document(.get, "/pools")
        if output.json { return try Output.document(document) }
        var table = Table(["NAME": .left, "WORKERS": .right, "PARKED": .right, "TIER": .left, "MEMORY": .right])
        for pool in try client.decode(PoolsReport.self, from: document).functions {
            table.add(pool.name, "\(pool.workers)", "\(pool.parked)", pool.tier.rawValue, Units.bytes(pool.bytes))
        }
        try Output.line(table.text)
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
