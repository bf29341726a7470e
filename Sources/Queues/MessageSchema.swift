import GRDB

/// The store's tables, as numbered steps.
///
/// A step that was released is never edited; a change is a new step.
enum MessageSchema {
    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE events (
                        id TEXT PRIMARY KEY,
                        function TEXT NOT NULL,
                        qualifier TEXT,
                        contentType TEXT NOT NULL,
                        body BLOB NOT NULL,
                        clientContext TEXT NOT NULL,
                        acceptedUnixMilliseconds INTEGER NOT NULL,
                        dueUnixMilliseconds INTEGER NOT NULL,
                        attempts INTEGER NOT NULL,
                        throttles INTEGER NOT NULL,
                        isClaimed INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX eventsByDue ON events (isClaimed, dueUnixMilliseconds);
                    """
            )
        }
        migrator.registerMigration("2") { database in
            try database.execute(sql: tables)
            try database.execute(sql: carryingOver)
        }
        migrator.registerMigration("3") { database in
            try database.execute(
                sql: "CREATE TABLE series (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID"
            )
        }
        return migrator
    }

    /// ```
    /// messages: isBehind  of a group, all but the first: only the others are looked through for what is due
    ///           visible   when it may be claimed; of a claimed one, when its claim is over
    ///           claim     0 where nobody holds it
    /// ```
    private static let tables = """
        CREATE TABLE queues (
            number INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            settings TEXT NOT NULL,
            createdUnixMilliseconds INTEGER NOT NULL,
            changedUnixMilliseconds INTEGER NOT NULL,
            UNIQUE (kind, name)
        ) STRICT;
        CREATE TABLE messages (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            queue INTEGER NOT NULL,
            id TEXT NOT NULL,
            body BLOB NOT NULL,
            attributes TEXT NOT NULL,
            groupKey TEXT,
            isBehind INTEGER NOT NULL,
            acceptedUnixMilliseconds INTEGER NOT NULL,
            visibleUnixMilliseconds INTEGER NOT NULL,
            claim INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            throttles INTEGER NOT NULL,
            firstClaimedUnixMilliseconds INTEGER,
            origin TEXT
        ) STRICT;
        CREATE UNIQUE INDEX messagesByID ON messages (id);
        CREATE INDEX messagesByVisible ON messages (queue, isBehind, visibleUnixMilliseconds);
        CREATE INDEX messagesByGroup ON messages (queue, groupKey) WHERE groupKey IS NOT NULL;
        CREATE TABLE deduplications (
            queue INTEGER NOT NULL,
            key TEXT NOT NULL,
            id TEXT NOT NULL,
            untilUnixMilliseconds INTEGER NOT NULL,
            PRIMARY KEY (queue, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX deduplicationsByEnd ON deduplications (untilUnixMilliseconds);
        CREATE TABLE outcomes (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            queue TEXT NOT NULL,
            condition TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            acceptedUnixMilliseconds INTEGER NOT NULL,
            endedUnixMilliseconds INTEGER NOT NULL,
            result BLOB,
            note TEXT
        ) STRICT;
        """

    /// Events that an earlier Thaw accepted, a queue a function.
    private static let carryingOver = """
        INSERT INTO queues (kind, name, settings, createdUnixMilliseconds, changedUnixMilliseconds)
            SELECT 'function', function, '{}', min(acceptedUnixMilliseconds), min(acceptedUnixMilliseconds)
            FROM events GROUP BY function;
        INSERT INTO messages (
            queue, id, body, attributes, isBehind, acceptedUnixMilliseconds, visibleUnixMilliseconds, claim, attempts, throttles
        ) SELECT
            (SELECT number FROM queues WHERE kind = 'function' AND name = function),
            id, body,
            json_object('qualifier', qualifier, 'contentType', contentType, 'clientContext', clientContext),
            0, acceptedUnixMilliseconds, dueUnixMilliseconds, 0, attempts, throttles
            FROM events ORDER BY acceptedUnixMilliseconds, id;
        DROP TABLE events;
        """

    /// Opens the database, makes it where there is none, and brings it up to date.
    static func open(_ path: String) throws(QueueError) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "thaw.events"
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // A commit returns when its rows are on the disk: accepted means that.
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let migrator = migrator()
            guard try !queue.read(migrator.hasBeenSuperseded) else { throw QueueError.newerSchema(path: path) }
            try migrator.migrate(queue)
            return queue
        } catch let error as QueueError {
            throw error
        } catch {
            throw .storage("\(error)")
        }
    }
}
