import GRDB

/// The ledger's table, as numbered steps.
///
/// A step that was released is never edited; a change is a new step.
enum LedgerSchema {
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            // Identifiers rise with time, so rows are appended, and the order of the key is that of acceptance.
            try database.execute(
                sql: """
                    CREATE TABLE receipts (
                        id TEXT NOT NULL,
                        attempt INTEGER NOT NULL,
                        node TEXT NOT NULL,
                        function TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        snapshot TEXT NOT NULL,
                        start TEXT,
                        acceptedUnixNanoseconds INTEGER NOT NULL,
                        queueNanoseconds INTEGER NOT NULL,
                        bindNanoseconds INTEGER NOT NULL,
                        runNanoseconds INTEGER NOT NULL,
                        cpuNanoseconds INTEGER NOT NULL,
                        memoryBytesPeak INTEGER NOT NULL,
                        bytesIn INTEGER NOT NULL,
                        bytesOut INTEGER NOT NULL,
                        outcome TEXT NOT NULL,
                        reason TEXT,
                        status INTEGER NOT NULL,
                        billedNanodollars INTEGER NOT NULL,
                        rateCard TEXT NOT NULL,
                        PRIMARY KEY (id, attempt)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX receiptsByFunction ON receipts (function, id);
                    """
            )
        }
        migrator.registerMigration("2") { database in
            try database.execute(sql: "ALTER TABLE receipts ADD COLUMN batchSize INTEGER NOT NULL DEFAULT 1")
        }
        migrator.registerMigration("3") { database in
            try database.execute(
                sql: """
                    ALTER TABLE receipts ADD COLUMN parent TEXT;
                    CREATE INDEX receiptsByParent ON receipts (parent) WHERE parent IS NOT NULL;
                    """
            )
        }
        return migrator
    }

    /// Opens the database, makes it where there is none, and brings it up to date.
    static func open(_ path: String) throws(LedgerError) -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "thaw.ledger"
        configuration.prepareDatabase { database in
            // A commit returns when its rows are on the disk: only what was not committed can be lost with the power.
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            // A pool, so that reading many receipts does not hold up the commits.
            let pool = try DatabasePool(path: path, configuration: configuration)
            let migrator = migrator()
            guard try !pool.read(migrator.hasBeenSuperseded) else { throw LedgerError.newerSchema(path: path) }
            try migrator.migrate(pool)
            return pool
        } catch {
            throw LedgerError(error, path: path)
        }
    }
}
