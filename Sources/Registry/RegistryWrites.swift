import GRDB
import Manifests

/// The statements behind the registry's verbs; each runs inside the transaction of its caller.
enum RegistryWrites {
    /// Takes the next number of a name, which outlives the function.
    static func nextNumber(_ name: String, _ database: Database) throws -> Int {
        let number = try Int.fetchOne(
            database,
            sql: """
                INSERT INTO numbering (function, versionLast) VALUES (?, 1)
                ON CONFLICT (function) DO UPDATE SET versionLast = versionLast + 1
                RETURNING versionLast
                """,
            arguments: [name]
        )
        guard let number else { throw RegistryError.storage("the database gave \"\(name)\" no version number") }
        return number
    }

    static func insert(_ snapshot: SnapshotRecord, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO snapshots (digest, content, byteCount, arenaByteCount, task, signature)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (digest) DO NOTHING
                """,
            arguments: [
                snapshot.digest, snapshot.contentDigest, snapshot.byteCount, snapshot.arenaByteCount,
                snapshot.task.rawValue, try snapshot.signature.map { try RegistryRows.encoded($0) },
            ]
        )
        // The digest is over its bases, too: who is there already has the same.
        guard database.changesCount == 1 else { return }
        for (position, base) in snapshot.bases.enumerated() {
            try database.execute(
                sql: """
                    INSERT INTO snapshotBases (snapshot, position, base, byteCount, sharedByteCount)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [snapshot.digest, position, base.digest, base.byteCount, base.sharedByteCount]
            )
        }
    }

    /// Adds a version, and its function where this is the first.
    static func insert(
        _ manifest: Manifest,
        _ number: Int,
        _ snapshot: SnapshotRecord,
        unixMilliseconds: Int64,
        _ database: Database
    ) throws {
        try database.execute(
            sql: "INSERT INTO functions (name, serving) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
            arguments: [manifest.name, number]
        )
        try database.execute(
            sql: """
                INSERT INTO versions (function, version, manifest, snapshot, createdUnixMilliseconds)
                VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                manifest.name, number, try RegistryRows.encoded(manifest), snapshot.digest, unixMilliseconds,
            ]
        )
    }

    /// Lets a version serve, and gives the function that version's route.
    static func serve(_ name: String, _ number: Int, _ database: Database) throws {
        let route = try RegistryRows.entry(name, database)?.version(.version(number))?.manifest.route
        if let route {
            let owner = try String.fetchOne(
                database,
                sql: "SELECT name FROM functions WHERE route = ? AND name <> ?",
                arguments: [route, name]
            )
            if let owner { throw RegistryError.routeTaken(route: route, by: owner) }
        }
        try database.execute(
            sql: "UPDATE functions SET serving = ?, route = ? WHERE name = ?",
            arguments: [number, route, name]
        )
    }

    static func serving(_ name: String, _ database: Database) throws -> Int {
        let serving = try Int.fetchOne(
            database,
            sql: "SELECT serving FROM functions WHERE name = ?",
            arguments: [name]
        )
        guard let serving else { throw RegistryError.unknownFunction(name) }
        return serving
    }

    /// Refuses a function or version that does not exist.
    static func check(_ name: String, _ number: Int, _ database: Database) throws {
        _ = try serving(name, database)
        let found = try Int.fetchOne(
            database,
            sql: "SELECT 1 FROM versions WHERE function = ? AND version = ?",
            arguments: [name, number]
        )
        guard found != nil else { throw RegistryError.unknownQualifier(function: name, qualifier: "\(number)") }
    }

    /// - Parameter files: the states of its own file and of its bases', in their order.
    /// - Returns: whether the registry knows the snapshot, with so many bases.
    static func noteVerified(_ digest: String, _ files: [SnapshotFileState], _ database: Database) throws -> Bool {
        for (number, file) in files.enumerated() {
            // SQLite knows signed integers only: device and inode keep their bits.
            let state: StatementArguments = [
                Int64(bitPattern: file.device), Int64(bitPattern: file.inode), file.byteCount,
                file.modifiedNanoseconds, file.changedNanoseconds,
            ]
            let table = number == 0 ? "snapshots" : "snapshotBases"
            let row = number == 0 ? "digest = ?" : "snapshot = ? AND position = ?"
            try database.execute(
                sql: """
                    UPDATE \(table) SET verifiedDevice = ?, verifiedInode = ?, verifiedByteCount = ?,
                        verifiedModifiedNanoseconds = ?, verifiedChangedNanoseconds = ?
                    WHERE \(row)
                    """,
                arguments: state + (number == 0 ? [digest] : [digest, number - 1])
            )
            guard database.changesCount == 1 else { return false }
        }
        return true
    }
}
