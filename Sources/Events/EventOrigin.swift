import GRDB
package import Metering

/// Where an event comes from that may be handed in more than once and is to be run once.
package enum EventOrigin: Equatable, Sendable {
    /// One of a row of events that come in order: it is accepted where it is later than the last one was.
    ///
    /// The position is written in the step that writes the event, so that whoever counts on finds both or neither.
    case series(String, position: Int64)
    /// One that is known by a key: it is accepted once within so many milliseconds.
    case message(key: String, keptMilliseconds: Int64)
}

/// What became of an event that was handed in.
package enum EventAcceptance: Equatable, Sendable {
    case accepted(InvocationID)
    /// It was accepted before; the id is that of the event that was run, where it is still known.
    case known(InvocationID?)
}

/// What the queue remembers of origins, in the queue's own file: one step writes an event and its origin.
enum EventOrigins {
    static let schema = """
        CREATE TABLE series (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE seen (
            key TEXT PRIMARY KEY,
            id TEXT NOT NULL,
            untilUnixMilliseconds INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX seenByEnd ON seen (untilUnixMilliseconds);
        """

    /// Notes an origin; nil where its event is new, and to be written in the same step.
    static func note(
        _ origin: EventOrigin,
        of id: InvocationID,
        nowUnixMilliseconds now: Int64,
        _ database: Database
    ) throws -> EventAcceptance? {
        switch origin {
        case .series(let name, let position):
            let sql = "SELECT position FROM series WHERE name = ?"
            if let last = try Int64.fetchOne(database, sql: sql, arguments: [name]), last >= position {
                return .known(nil)
            }
            try database.execute(
                sql: "INSERT OR REPLACE INTO series (name, position) VALUES (?, ?)",
                arguments: [name, position]
            )
        case .message(let key, let keptMilliseconds):
            try database.execute(sql: "DELETE FROM seen WHERE untilUnixMilliseconds <= ?", arguments: [now])
            if let known = try String.fetchOne(database, sql: "SELECT id FROM seen WHERE key = ?", arguments: [key]) {
                return .known(InvocationID(known))
            }
            try database.execute(
                sql: "INSERT INTO seen (key, id, untilUnixMilliseconds) VALUES (?, ?, ?)",
                arguments: [key, id.description, now + keptMilliseconds]
            )
        }
        return nil
    }
}

extension EventQueue {
    /// Writes an event unless its origin is known already.
    ///
    /// - Parameter isClaimed: the caller runs it at once; its first attempt is counted.
    package func accept(_ event: QueuedEvent, isClaimed: Bool, from origin: EventOrigin) async throws -> EventAcceptance
    {
        try await database.write { database in
            let known = try EventOrigins.note(
                origin,
                of: event.id,
                nowUnixMilliseconds: event.acceptedUnixMilliseconds,
                database
            )
            if let known { return known }
            try Self.insert(event, isClaimed: isClaimed, database)
            return .accepted(event.id)
        }
    }

    /// How far each series has come.
    package func positions(ofSeriesBeginningWith prefix: String) async throws -> [String: Int64] {
        try await database.read { database in
            let sql = "SELECT name, position FROM series WHERE substr(name, 1, length(?)) = ?"
            var positions: [String: Int64] = [:]
            for row in try Row.fetchAll(database, sql: sql, arguments: [prefix, prefix]) {
                positions[row["name"]] = row["position"]
            }
            return positions
        }
    }

    /// Forgets series that nothing counts on any more.
    package func forget(series names: [String]) async throws {
        guard !names.isEmpty else { return }
        try await database.write { database in
            for name in names { try database.execute(sql: "DELETE FROM series WHERE name = ?", arguments: [name]) }
        }
    }
}
