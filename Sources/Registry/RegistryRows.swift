import Foundation
import GRDB
import Manifests

/// Rows to values and back.
enum RegistryRows {
    static func image(_ database: Database) throws -> RegistryImage {
        var image = RegistryImage()
        for name in try String.fetchAll(database, sql: "SELECT name FROM functions") {
            image.set(name, try entry(name, database))
        }
        image.snapshots = try snapshots(database)
        return image
    }

    /// A function as the tables hold it now; nil where there is none.
    static func entry(_ name: String, _ database: Database) throws -> FunctionEntry? {
        guard
            let serving = try Int.fetchOne(
                database,
                sql: "SELECT serving FROM functions WHERE name = ?",
                arguments: [name]
            )
        else { return nil }
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT version, manifest, createdUnixMilliseconds, digest, content, byteCount, arenaByteCount, task,
                    signature
                FROM versions JOIN snapshots ON snapshot = digest
                WHERE function = ? ORDER BY version
                """,
            arguments: [name]
        )
        let bases = try bases(of: name, database)
        let aliases = try Row.fetchAll(
            database,
            sql: "SELECT label, version FROM aliases WHERE function = ?",
            arguments: [name]
        )
        let entry = FunctionEntry(
            name: name,
            serving: serving,
            versions: try rows.map { try version(of: name, $0, bases) },
            aliases: Dictionary(aliases.map { ($0["label"], $0["version"]) }) { first, _ in first }
        )
        guard let entry else {
            throw RegistryError.storage("version \(serving) of \"\(name)\" should serve, but is not in the database")
        }
        return entry
    }

    static func snapshots(_ database: Database) throws -> SnapshotTable {
        var table = SnapshotTable()
        var states: [String: [SnapshotFileState?]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT * FROM snapshots") {
            states[row["digest"]] = [fileState(row)]
        }
        for row in try Row.fetchAll(database, sql: "SELECT * FROM snapshotBases ORDER BY snapshot, position") {
            states[row["snapshot"]]?.append(fileState(row))
            table.bases.insert(row["base"])
        }
        table.verified = states.mapValues { states in states.contains(nil) ? [] : states.compactMap { $0 } }
        return table
    }

    /// The snapshot that holds what this digest stands for, wherever its bytes lie; nil where no version has it.
    static func snapshot(ofContent digest: String, _ database: Database) throws -> SnapshotRecord? {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT * FROM snapshots WHERE content = ? ORDER BY digest LIMIT 1",
            arguments: [digest]
        )
        guard let row, let task = TaskKind(rawValue: row["task"]) else { return nil }
        let bases = try Row.fetchAll(
            database,
            sql: "SELECT * FROM snapshotBases WHERE snapshot = ? ORDER BY position",
            arguments: [row["digest"] as String]
        )
        return snapshot(row, task, [row["digest"]: bases.map(base)])
    }

    /// The bases of all snapshots of a function, by snapshot, in their order.
    private static func bases(of function: String, _ database: Database) throws -> [String: [SnapshotBaseRecord]] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT * FROM snapshotBases
                WHERE snapshot IN (SELECT snapshot FROM versions WHERE function = ?) ORDER BY snapshot, position
                """,
            arguments: [function]
        )
        return Dictionary(rows.map { ($0["snapshot"], [base($0)]) }, uniquingKeysWith: +)
    }

    private static func base(_ row: Row) -> SnapshotBaseRecord {
        SnapshotBaseRecord(
            digest: row["base"],
            byteCount: row["byteCount"],
            sharedByteCount: row["sharedByteCount"]
        )
    }

    private static func snapshot(
        _ row: Row,
        _ task: TaskKind,
        _ bases: [String: [SnapshotBaseRecord]]
    ) -> SnapshotRecord {
        let digest: String = row["digest"]
        return SnapshotRecord(
            digest: digest,
            contentDigest: row["content"],
            byteCount: row["byteCount"],
            arenaByteCount: row["arenaByteCount"],
            task: task,
            signature: signature(row["signature"]),
            bases: bases[digest] ?? []
        )
    }

    static func encoded(_ document: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    private static func version(
        of function: String,
        _ row: Row,
        _ bases: [String: [SnapshotBaseRecord]]
    ) throws -> StoredVersion {
        let number: Int = row["version"]
        let manifest: String = row["manifest"]
        let task: String = row["task"]
        guard
            let manifest = try? JSONDecoder().decode(Manifest.self, from: Data(manifest.utf8)),
            let task = TaskKind(rawValue: task)
        else {
            throw RegistryError.storage(
                "version \(number) of \"\(function)\" has a manifest that this Thaw cannot read"
            )
        }
        return StoredVersion(
            number: number,
            manifest: manifest,
            snapshot: snapshot(row, task, bases),
            createdUnixMilliseconds: row["createdUnixMilliseconds"]
        )
    }

    private static func signature(_ text: String?) -> ModelSignature? {
        guard let text else { return nil }
        return try? JSONDecoder().decode(ModelSignature.self, from: Data(text.utf8))
    }

    private static func fileState(_ row: Row) -> SnapshotFileState? {
        guard
            let device: Int64 = row["verifiedDevice"],
            let inode: Int64 = row["verifiedInode"],
            let byteCount: Int = row["verifiedByteCount"],
            let modifiedNanoseconds: Int64 = row["verifiedModifiedNanoseconds"],
            let changedNanoseconds: Int64 = row["verifiedChangedNanoseconds"]
        else { return nil }
        // SQLite knows signed integers only: device and inode keep their bits.
        return SnapshotFileState(
            device: UInt64(bitPattern: device),
            inode: UInt64(bitPattern: inode),
            byteCount: byteCount,
            modifiedNanoseconds: modifiedNanoseconds,
            changedNanoseconds: changedNanoseconds
        )
    }
}
