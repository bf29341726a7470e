import GRDB

/// The control plane's tables, as numbered steps.
///
/// A step that was released is never edited; a change is a new step.
enum ControlSchema {
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            // Documents, because the API's shapes grow every year and nobody asks for a part of one.
            try database.execute(
                sql: """
                    CREATE TABLE functions (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID;

                    CREATE TABLE mappings (uuid TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID;

                    CREATE TABLE layers (
                        name TEXT NOT NULL,
                        number INTEGER NOT NULL,
                        document TEXT,
                        PRIMARY KEY (name, number)
                    ) STRICT, WITHOUT ROWID;

                    CREATE TABLE uploads (
                        key TEXT PRIMARY KEY,
                        archive TEXT NOT NULL,
                        byteCount INTEGER NOT NULL,
                        modifiedUnixMilliseconds INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """
            )
        }
        return migrator
    }

    /// Opens the database, makes it where there is none, and brings it up to date.
    static func open(_ path: String) throws(ControlStoreError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "thaw.control"
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // What was answered survives a power cut.
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let migrator = migrator()
            guard try !queue.read(migrator.hasBeenSuperseded) else {
                throw ControlStoreError(
                    "\(path) was written by a newer Thaw; run that one, or restore the file from before the upgrade"
                )
            }
            try migrator.migrate(queue)
            return queue
        } catch let error as ControlStoreError {
            throw error
        } catch {
            throw ControlStoreError("\(path) cannot be read or written: \(error)")
        }
    }
}

/// Why the control plane's records are not there: a sentence that names the file.
package struct ControlStoreError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
