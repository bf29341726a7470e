import ArgumentParser
import Foundation
import Linux
import Snapshots

/// Shows what a snapshot file holds: `thaw inspect SNAPSHOT`.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a snapshot file holds; no node is asked."
    )

    @Argument(help: "A snapshot file, such as DATA/snapshots/DIGEST.")
    var snapshot: String

    @Flag(help: "Read all of it and check every digest.")
    var verify = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report: SnapshotReport
        do {
            let file = try FileDescriptor.open(snapshot, .reading)
            let index = try SnapshotIndex(reading: file)
            if verify {
                _ = try LoadedSnapshot(file: file, verifying: .digests)
            }
            report = SnapshotReport(index, isVerified: verify)
        } catch {
            throw CommandFailure.file("\(snapshot): \(error)")
        }
        try output.json ? Output.document(report) : Output.line(report.text)
    }
}

/// A snapshot's index, for people and programs.
struct SnapshotReport: Encodable {
    struct Entry: Encodable {
        var name: String
        var element: String
        var shape: [Int]
        var layout: UInt8
        var byteCount: Int
        var storedByteCount: Int
    }

    var digest: String
    var producer: String
    var arenaByteCount: Int
    var storedByteCount: Int
    /// Whether every digest was checked, not only that of the index.
    var isVerified: Bool
    var entries: [Entry]

    init(_ index: SnapshotIndex, isVerified: Bool) {
        digest = index.digest.hex
        producer = index.producer
        arenaByteCount = index.arenaByteCount
        storedByteCount = index.storedByteCount
        self.isVerified = isVerified
        entries = index.entries.map { entry in
            Entry(
                name: entry.name,
                element: "\(entry.element)",
                shape: entry.shape,
                layout: entry.layout,
                byteCount: entry.byteCount,
                storedByteCount: entry.storedByteCount
            )
        }
    }

    var text: String {
        var table = Table([
            "ENTRY": .left, "TYPE": .left, "SHAPE": .left, "SIZE": .right, "STORED": .right, "RATIO": .right,
        ])
        for entry in entries {
            table.add(
                entry.name,
                entry.element,
                entry.shape.map(String.init).joined(separator: "×"),
                Units.bytes(entry.byteCount),
                Units.bytes(entry.storedByteCount),
                Units.ratio(entry.byteCount, entry.storedByteCount)
            )
        }
        let word = isVerified ? "every digest is right" : "the index is right, the entries are not checked (--verify)"
        return """
            \(table.text)

            snapshot \(digest), by \(producer)
            \(entries.count) entries, \(Units.bytes(arenaByteCount)) in memory, \(Units.bytes(storedByteCount)) stored, \
            \(Units.ratio(arenaByteCount, storedByteCount))
            \(word)
            """
    }
}
