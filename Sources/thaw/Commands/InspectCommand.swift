import ArgumentParser
import Foundation
import Linux
import Snapshots

/// Shows what a snapshot file holds: `thaw inspect SNAPSHOT`.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a snapshot file holds; no node is asked.",
        discussion: """
            PLANES: of each byte of an element, the sign's last and the exponent's first, what is left of it in the \
            file. SPEED: how fast the entry is decoded here and now by one thread, into memory that is not fresh.
            """
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
            let bases = try bases(of: index)
            if verify {
                _ = try LoadedSnapshot(file: file, bases: bases, verifying: .digests)
            }
            report = try SnapshotReport(index, of: file, try index.baseFiles(bases), isVerified: verify)
        } catch {
            throw CommandFailure.file("\(snapshot): \(error)")
        }
        try output.json ? Output.document(report) : Output.line(report.text)
    }
}

extension InspectCommand {
    /// The files of its bases, which lie beside the snapshot's own.
    private func bases(of index: SnapshotIndex) throws -> [SharedDescriptor] {
        let folder = URL(fileURLWithPath: snapshot).deletingLastPathComponent()
        return try index.bases.map { base in
            let path = folder.appendingPathComponent("\(base.digest).thaw").path
            do {
                return SharedDescriptor(try FileDescriptor.open(path, .reading))
            } catch {
                throw SnapshotError.base(base.digest, "\(error)")
            }
        }
    }
}

/// A snapshot's index, for people and programs.
struct SnapshotReport: Encodable {
    struct Base: Encodable {
        var digest: String
        /// Bytes of its file, and those of them that are referred to.
        var byteCount: Int
        var sharedByteCount: Int
    }

    struct Entry: Encodable {
        var name: String
        var element: String
        var shape: [Int]
        var layout: UInt8
        var byteCount: Int
        var storedByteCount: Int
        /// The entry that lends it its bytes.
        var twin: String?
        /// The snapshot in whose file its bytes lie, if not in this one.
        var home: String?
        /// Whether its rows are decoded when a call asks for them.
        var isRowTable: Bool
        /// Names its content in any snapshot.
        var contentDigest: String
        /// Stored bytes of each plane, the exponents first; one plane where the entry is not taken apart.
        var planeByteCounts: [Int]
        /// Bytes of memory a second, of one thread.
        var decodedBytesPerSecond: Double
    }

    var digest: String
    var producer: String
    var arenaByteCount: Int
    var storedByteCount: Int
    /// Whether every digest was checked, not only that of the index.
    var isVerified: Bool
    /// Other snapshots in whose files entries lie.
    var bases: [Base]
    var entries: [Entry]

    init(
        _ index: SnapshotIndex,
        of file: borrowing FileDescriptor,
        _ files: [BaseFile],
        isVerified: Bool
    ) throws {
        digest = index.digest.hex
        producer = index.producer
        arenaByteCount = index.arenaByteCount
        storedByteCount = index.storedByteCount
        self.isVerified = isVerified
        bases = index.bases.enumerated().map { number, base in
            Base(
                digest: base.digest.hex,
                byteCount: base.fileByteCount,
                sharedByteCount: index.sharedByteCount(base: number)
            )
        }
        let trial = try DecodeTrial(arenaByteCount: index.arenaByteCount, threadsMax: 1)
        var entries: [Entry] = []
        for entry in index.entries {
            let item = Entry(
                name: entry.name,
                element: "\(entry.element)",
                shape: entry.shape,
                layout: entry.layout,
                byteCount: entry.byteCount,
                storedByteCount: entry.storedByteCount,
                twin: entry.twin.map { index.entries[$0].name },
                home: entry.home.map { index.bases[$0].digest.hex },
                isRowTable: entry.access == .rows,
                contentDigest: try entry.contentDigest().hex,
                planeByteCounts: entry.planeByteCounts.reversed(),
                decodedBytesPerSecond: try Self.speed(of: entry, file, files, trial)
            )
            entries.append(item)
        }
        self.entries = entries
    }

    /// The best of some tries: the first brings the file's pages and the decoder's tables into the caches.
    private static func speed(
        of entry: SnapshotEntry,
        _ file: borrowing FileDescriptor,
        _ files: [BaseFile],
        _ trial: DecodeTrial
    ) throws -> Double {
        guard entry.twin == nil, entry.byteCount > 0 else { return 0 }
        var best = UInt64.max
        for _ in 0..<5 {
            let begin = Clock.monotonicNanoseconds()
            try trial.decode([entry], from: file, files)
            best = min(best, max(Clock.monotonicNanoseconds() - begin, 1))
        }
        return Double(entry.byteCount) / (Double(best) / 1e9)
    }

    var text: String {
        var table = Table([
            "ENTRY": .left, "TYPE": .left, "SHAPE": .left, "SIZE": .right, "STORED": .right, "RATIO": .right,
            "PLANES": .left, "SPEED": .right, "NOTE": .left,
        ])
        for entry in entries {
            table.add(
                entry.name,
                entry.element,
                entry.shape.map(String.init).joined(separator: "×"),
                Units.bytes(entry.byteCount),
                Units.bytes(entry.storedByteCount),
                Units.ratio(entry.byteCount, entry.storedByteCount),
                entry.planes,
                entry.decodedBytesPerSecond > 0 ? Units.bytes(UInt64(entry.decodedBytesPerSecond)) + "/s" : "–",
                entry.note
            )
        }
        let word = isVerified ? "every digest is right" : "the index is right, the entries are not checked (--verify)"
        let shared = bases.map { base in
            "\n\(Units.bytes(base.sharedByteCount)) of it in the \(Units.bytes(base.byteCount)) of \(base.digest)"
        }
        return """
            \(table.text)

            snapshot \(digest), by \(producer)
            \(entries.count) entries, \(Units.bytes(arenaByteCount)) in memory, \(Units.bytes(storedByteCount)) stored, \
            \(Units.ratio(arenaByteCount, storedByteCount))\(shared.joined())
            \(word)
            """
    }
}

extension SnapshotReport.Entry {
    /// Where its bytes are, if not here, and when they are decoded.
    fileprivate var note: String {
        if let twin { return "the bytes of \(twin)" }
        let notes = [home.map { "in \($0.prefix(12))" }, isRowTable ? "row by row" : nil]
        return notes.compactMap { $0 }.joined(separator: ", ")
    }

    /// As in `33 % 100 % 100 % 97 %`.
    fileprivate var planes: String {
        let whole = max(byteCount / max(planeByteCounts.count, 1), 1)
        return planeByteCounts.map { "\(($0 * 100 + whole / 2) / whole) %" }.joined(separator: " ")
    }
}
