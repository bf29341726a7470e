import GRDB

/// The tables of schedules, as numbered steps; a step that was released is never edited.
enum ScheduleSchema {
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            // Documents as in the control plane; beside them what is asked for. An id is never given twice: what has run of
            // a schedule is remembered by it.
            try database.execute(
                sql: """
                    CREATE TABLE schedules (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        "group" TEXT NOT NULL,
                        name TEXT NOT NULL,
                        isEnabled INTEGER NOT NULL,
                        owner TEXT,
                        document TEXT NOT NULL,
                        UNIQUE ("group", name)
                    ) STRICT;
                    CREATE INDEX schedulesByOwner ON schedules (owner) WHERE owner IS NOT NULL;

                    CREATE TABLE groups (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
                    """
            )
        }
        return migrator
    }

    static func open(_ path: String) throws(ScheduleStoreError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "thaw.schedules"
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
                throw ScheduleStoreError(
                    "\(path) was written by a newer Thaw; run that one, or restore the file from before the upgrade"
                )
            }
            try migrator.migrate(queue)
            return queue
        } catch let error as ScheduleStoreError {
            throw error
        } catch {
            throw ScheduleStoreError("\(path) cannot be read or written: \(error)")
        }
    }
}

/// Why the schedules are not there: a sentence that names the file.
package struct ScheduleStoreError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
