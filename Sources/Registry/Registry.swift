import Foundation
import GRDB
package import Manifests
import Synchronization

/// Functions, their immutable versions and aliases.
///
/// Reads answer at once from memory. Writes return when they are on the disk; memory changes after that, so a caller
/// never meets a version that a power cut could take back.
package final class Registry: Sendable {
    private let path: String
    private let database: DatabaseQueue
    private let image: Mutex<RegistryImage>
    private let unixMilliseconds: @Sendable () -> Int64

    /// Opens the registry, makes it where there is none, and reads it whole.
    ///
    /// - Parameters:
    ///   - path: the database file; its directory exists.
    ///   - unixMilliseconds: the wall clock.
    /// - Throws: what is wrong with the file: `storage`, `corrupt` or `newerSchema`.
    package init(
        path: String,
        unixMilliseconds: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
    ) throws(RegistryError) {
        self.path = path
        self.unixMilliseconds = unixMilliseconds
        database = try RegistrySchema.open(path)
        do {
            image = Mutex(try database.read { try RegistryRows.image($0) })
        } catch {
            throw RegistryError(error, path: path)
        }
    }

    /// Finds the version that a call means: by number, alias or `latest`, without a qualifier the one that serves.
    package func resolve(_ name: String, qualifier: String? = nil) throws(RegistryError) -> FunctionVersion {
        let entry = try entry(name)
        guard let version = Qualifier(qualifier).flatMap({ entry.version($0) }) else {
            throw .unknownQualifier(function: name, qualifier: qualifier ?? "latest")
        }
        return version
    }

    /// Rises whenever a function, a version or an alias changes: until then ``resolve(_:qualifier:)`` answers as before.
    package var generation: UInt64 {
        image.withLock { $0.generation }
    }

    /// The function that a path reaches, if any.
    package func route(path: String) -> String? {
        image.withLock { $0.functionName(route: path) }
    }

    /// All functions, by name.
    package func list() -> [FunctionRecord] {
        image.withLock { $0.records }
    }

    /// Functions whose serving version's manifest is as wanted; nothing is made of the others.
    ///
    /// The manifest that is asked about has no name and no route.
    package func names(where isWanted: (Manifest) -> Bool) -> [String] {
        image.withLock { $0.names(where: isWanted) }
    }

    package func describe(_ name: String) throws(RegistryError) -> FunctionRecord {
        let found = image.withLock { try? $0.record(name) }
        guard let found else { throw .unknownFunction(name) }
        return found
    }

    /// All versions, the oldest first.
    package func versions(of name: String) throws(RegistryError) -> [FunctionVersion] {
        try entry(name).versions
    }

    private func entry(_ name: String) throws(RegistryError) -> FunctionEntry {
        let found = image.withLock { try? $0.entry(name) }
        guard let found else { throw .unknownFunction(name) }
        return found
    }

    /// Adds a version under the next number; from now on it serves.
    package func deploy(manifest: Manifest, snapshot: SnapshotRecord) async throws(RegistryError) -> FunctionVersion {
        let now = unixMilliseconds()
        return try await change(manifest.name) { database in
            let number = try RegistryWrites.nextNumber(manifest.name, database)
            try RegistryWrites.insert(snapshot, database)
            try RegistryWrites.insert(manifest, number, snapshot, unixMilliseconds: now, database)
            try RegistryWrites.serve(manifest.name, number, database)
        }
    }

    /// Lets a label point to a version; a label that exists moves.
    package func setAlias(_ name: String, label: String, version: Int) async throws(RegistryError) {
        guard Qualifier.isLabel(label) else { throw .invalidLabel(label) }
        _ = try await change(name) { database in
            try RegistryWrites.check(name, version, database)
            try database.execute(
                sql: """
                    INSERT INTO aliases (function, label, version) VALUES (?, ?, ?)
                    ON CONFLICT (function, label) DO UPDATE SET version = excluded.version
                    """,
                arguments: [name, label, version]
            )
        }
    }

    /// Lets the version before the one that serves serve again; aliases stay where they are.
    package func rollback(_ name: String) async throws(RegistryError) -> FunctionVersion {
        try await change(name) { database in
            let serving = try RegistryWrites.serving(name, database)
            let previous = try Int.fetchOne(
                database,
                sql: "SELECT max(version) FROM versions WHERE function = ? AND version < ?",
                arguments: [name, serving]
            )
            guard let previous else { throw RegistryError.nothingToRollBack(function: name, serving: serving) }
            try RegistryWrites.serve(name, previous, database)
        }
    }

    /// Removes a function with its versions and aliases; its receipts stay.
    package func delete(_ name: String) async throws(RegistryError) {
        try await write { database in
            var snapshots = SnapshotTable()
            try database.inTransaction(.immediate) {
                try database.execute(sql: "DELETE FROM functions WHERE name = ?", arguments: [name])
                guard database.changesCount == 1 else { throw RegistryError.unknownFunction(name) }
                try database.execute(sql: "DELETE FROM snapshots WHERE digest NOT IN (SELECT snapshot FROM versions)")
                snapshots = try RegistryRows.snapshots(database)
                return .commit
            }
            self.image.withLock {
                $0.set(name, nil)
                $0.snapshots = snapshots
            }
        }
    }

    /// What a snapshot that is about to be made may have in common with: the newest versions of its function, then the
    /// newest of each other, those deployed last first.
    ///
    /// - Parameters:
    ///   - ownMax: how many of the function's own.
    ///   - countMax: how many in all.
    package func recentSnapshots(for name: String, ownMax: Int, countMax: Int) -> [SnapshotRecord] {
        image.withLock { $0 }.recentSnapshots(for: name, ownMax: ownMax, countMax: countMax)
    }

    /// The snapshot of some version that holds exactly this, wherever its bytes lie.
    package func snapshot(ofContent digest: String) async throws(RegistryError) -> SnapshotRecord? {
        do {
            return try await database.read { try RegistryRows.snapshot(ofContent: digest, $0) }
        } catch {
            throw RegistryError(error, path: path)
        }
    }

    /// Which snapshots no version refers to, nor a snapshot of one: their files can go.
    ///
    /// - Parameters:
    ///   - digests: the snapshots on the disk.
    ///   - keeping: snapshots of deploys under way, which no version refers to yet.
    /// - Returns: those of `digests` that are neither referred to nor kept, in the same order.
    package func unusedSnapshots(onDisk digests: [String], keeping: Set<String> = []) -> [String] {
        image.withLock { image in
            digests.filter { !image.snapshots.needs($0) && !keeping.contains($0) }
        }
    }

    /// The states in which the snapshot's files were last verified byte by byte: its own, then those of its bases; empty if
    /// they never were.
    package func verifiedFiles(ofSnapshot digest: String) -> [SnapshotFileState] {
        image.withLock { $0.snapshots.verified[digest] ?? [] }
    }

    /// Remembers that a snapshot's files were verified byte by byte; one that no version refers to is passed over.
    ///
    /// - Parameter files: its own, then those of its bases, in their order.
    package func noteVerified(snapshot digest: String, files: [SnapshotFileState]) async throws(RegistryError) {
        try await write { database in
            var isKnown = false
            try database.inTransaction(.immediate) {
                isKnown = try RegistryWrites.noteVerified(digest, files, database)
                return isKnown ? .commit : .rollback
            }
            guard isKnown else { return }
            self.image.withLock { $0.snapshots.verified[digest] = files }
        }
    }

    /// Changes one function in a transaction, then its place in memory.
    ///
    /// - Returns: the version that serves afterwards.
    private func change(
        _ name: String,
        _ body: @escaping @Sendable (Database) throws -> Void
    ) async throws(RegistryError) -> FunctionVersion {
        try await write { database in
            var after: FunctionEntry?
            var snapshots = SnapshotTable()
            try database.inTransaction(.immediate) {
                try body(database)
                // Read before the commit: from there on nothing may fail.
                after = try RegistryRows.entry(name, database)
                snapshots = try RegistryRows.snapshots(database)
                return .commit
            }
            guard let after else { throw RegistryError.unknownFunction(name) }
            self.image.withLock {
                $0.set(name, after)
                $0.snapshots = snapshots
            }
            return after.serving
        }
    }

    /// Runs on the database's own queue: one writer at a time, so memory changes in the order of the commits.
    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(RegistryError) -> Value {
        do {
            return try await database.writeWithoutTransaction(body)
        } catch {
            throw RegistryError(error, path: path)
        }
    }
}
