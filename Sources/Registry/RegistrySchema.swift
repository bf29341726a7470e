import GRDB

/// The registry's tables, as numbered steps.
///
/// A step that was released is never edited; a change is a new step.
enum RegistrySchema {
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE numbering (
                        function TEXT PRIMARY KEY,
                        versionLast INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;

                    CREATE TABLE snapshots (
                        digest TEXT PRIMARY KEY,
                        byteCount INTEGER NOT NULL,
                        arenaByteCount INTEGER NOT NULL,
                        task TEXT NOT NULL,
                        verifiedDevice INTEGER,
                        verifiedInode INTEGER,
                        verifiedByteCount INTEGER,
                        verifiedModifiedNanoseconds INTEGER,
                        verifiedChangedNanoseconds INTEGER
                    ) STRICT, WITHOUT ROWID;

                    CREATE TABLE functions (
                        name TEXT PRIMARY KEY,
                        serving INTEGER NOT NULL,
                        route TEXT UNIQUE,
                        FOREIGN KEY (name, serving) REFERENCES versions (function, version)
                            DEFERRABLE INITIALLY DEFERRED
                    ) STRICT, WITHOUT ROWID;

                    CREATE TABLE versions (
                        function TEXT NOT NULL REFERENCES functions (name) ON DELETE CASCADE,
                        version INTEGER NOT NULL,
                        manifest TEXT NOT NULL,
                        snapshot TEXT NOT NULL REFERENCES snapshots (digest),
                        createdUnixMilliseconds INTEGER NOT NULL,
                        PRIMARY KEY (function, version)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX versionsBySnapshot ON versions (snapshot);

                    CREATE TABLE aliases (
                        function TEXT NOT NULL,
                        label TEXT NOT NULL,
                        version INTEGER NOT NULL,
                        PRIMARY KEY (function, label),
                        FOREIGN KEY (function, version) REFERENCES versions (function, version) ON DELETE CASCADE
                    ) STRICT, WITHOUT ROWID;
                    """
            )
        }
        migrator.registerMigration("2") { database in
            try database.execute(sql: "ALTER TABLE snapshots ADD COLUMN signature TEXT")
        }
        migrator.registerMigration("3") { database in
            // A snapshot from before has no bases: its content has its own digest.
            try database.execute(
                sql: """
                    ALTER TABLE snapshots ADD COLUMN content TEXT;
                    UPDATE snapshots SET content = digest;
                    CREATE INDEX snapshotsByContent ON snapshots (content);

                    CREATE TABLE snapshotBases (
                        snapshot TEXT NOT NULL REFERENCES snapshots (digest) ON DELETE CASCADE,
                        position INTEGER NOT NULL,
                        base TEXT NOT NULL,
                        byteCount INTEGER NOT NULL,
                        sharedByteCount INTEGER NOT NULL,
                        verifiedDevice INTEGER,
                        verifiedInode INTEGER,
                        verifiedByteCount INTEGER,
                        verifiedModifiedNanoseconds INTEGER,
                        verifiedChangedNanoseconds INTEGER,
                        PRIMARY KEY (snapshot, position)
                    ) STRICT, WITHOUT ROWID;
                    """
            )
        }
        migrator.registerMigration("4") { database in
            // Versions from before there was code: what their manifests did not say has the defaults.
            try database.execute(
                sql: """
                    UPDATE versions SET manifest = json_insert(
                        manifest,
                        '$.precision', 'f32', '$.network', 'none', '$.calls', json('[]'),
                        '$.limits.tmpBytes', 536870912, '$.limits.initMilliseconds', 10000
                    );
                    """
            )
        }
        return migrator
    }

    /// Opens the database, makes it where there is none, and brings it up to date.
    static func open(_ path: String) throws(RegistryError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "thaw.registry"
        configuration.journalMode = .wal
        // Someone may look at the file with a tool of their own; a short wait is no reason to refuse a deploy.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // A deploy that was answered survives a power cut.
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let migrator = migrator()
            try queue.writeWithoutTransaction { database in
                // Small enough to be read whole at each start: damage is found here, not in the middle of a call.
                let verdict = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)")
                guard verdict == "ok" else { throw RegistryError.corrupt(path: path, detail: verdict ?? "no answer") }
                guard try !migrator.hasBeenSuperseded(database) else { throw RegistryError.newerSchema(path: path) }
            }
            try migrator.migrate(queue)
            return queue
        } catch {
            throw RegistryError(error, path: path)
        }
    }
}
