import Foundation
import GRDB
package import Metering

/// Accepted events on the disk: what was answered with 202 is run, whatever happens to the node meanwhile.
///
/// One node claims from it; the verbs are those of a queue that many could claim from: accept, claim, acknowledge, send
/// back.
package final class EventQueue: Sendable {
    let database: DatabaseQueue

    package init(path: String) throws {
        var configuration = Configuration()
        configuration.label = "thaw.events"
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        database = try DatabaseQueue(path: path, configuration: configuration)
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
        migrator.registerMigration("2") { try $0.execute(sql: EventOrigins.schema) }
        guard try !database.read(migrator.hasBeenSuperseded) else {
            throw EventQueueError("\(path) was written by a newer Thaw; run that one")
        }
        try migrator.migrate(database)
        // Whoever had claimed them is no more; the attempts that were begun stay counted.
        try database.write { try $0.execute(sql: "UPDATE events SET isClaimed = 0") }
    }

    /// Writes events; they are on the disk when this returns.
    ///
    /// - Parameter isClaimed: the caller runs them at once; their first attempts are counted.
    package func accept(_ events: [QueuedEvent], isClaimed: Bool) async throws {
        try await database.write { database in
            for event in events { try Self.insert(event, isClaimed: isClaimed, database) }
        }
    }

    static func insert(_ event: QueuedEvent, isClaimed: Bool, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO events (
                    id, function, qualifier, contentType, body, clientContext, acceptedUnixMilliseconds,
                    dueUnixMilliseconds, attempts, throttles, isClaimed
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                event.id.description, event.function, event.qualifier, event.contentType, Data(event.body),
                event.clientContext, event.acceptedUnixMilliseconds, event.acceptedUnixMilliseconds,
                isClaimed ? 1 : 0, event.throttles, isClaimed,
            ]
        )
    }

    /// Takes events that are due, the longest due first, and counts their attempts.
    package func claim(countMax: Int, nowUnixMilliseconds now: Int64) async throws -> [QueuedEvent] {
        try await database.write { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM events WHERE isClaimed = 0 AND dueUnixMilliseconds <= ?
                    ORDER BY dueUnixMilliseconds LIMIT ?
                    """,
                arguments: [now, countMax]
            )
            return try rows.compactMap { row in
                guard var event = QueuedEvent(row) else { return nil }
                event.attempts += 1
                try database.execute(
                    sql: "UPDATE events SET isClaimed = 1, attempts = ? WHERE id = ?",
                    arguments: [event.attempts, event.id.description]
                )
                return event
            }
        }
    }

    /// Forgets an event that is over, and writes what it led to, in one step.
    package func acknowledge(_ id: InvocationID, thenAccept events: [QueuedEvent] = []) async throws {
        try await database.write { try $0.execute(sql: "DELETE FROM events WHERE id = ?", arguments: [id.description]) }
        if !events.isEmpty { try await accept(events, isClaimed: false) }
    }

    /// Lets an event wait for its next attempt.
    package func sendBack(_ event: QueuedEvent, untilUnixMilliseconds due: Int64) async throws {
        try await database.write { database in
            try database.execute(
                sql: """
                    UPDATE events SET isClaimed = 0, dueUnixMilliseconds = ?, attempts = ?, throttles = ? WHERE id = ?
                    """,
                arguments: [due, event.attempts, event.throttles, event.id.description]
            )
        }
    }

    /// When the next unclaimed event is due; nil where there is none.
    package func nextDueUnixMilliseconds() async throws -> Int64? {
        try await database.read { database in
            try Int64.fetchOne(database, sql: "SELECT min(dueUnixMilliseconds) FROM events WHERE isClaimed = 0")
        }
    }

    package func count() async throws -> Int {
        try await database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM events") ?? 0 }
    }
}

/// Why the queue cannot be opened.
package struct EventQueueError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension QueuedEvent {
    fileprivate init?(_ row: Row) {
        guard let id = InvocationID(row["id"] as String) else { return nil }
        let body: Data = row["body"]
        self.init(
            id: id,
            function: row["function"],
            qualifier: row["qualifier"],
            contentType: row["contentType"],
            body: Array(body),
            clientContext: row["clientContext"],
            acceptedUnixMilliseconds: row["acceptedUnixMilliseconds"],
            attempts: row["attempts"],
            throttles: row["throttles"]
        )
    }
}
