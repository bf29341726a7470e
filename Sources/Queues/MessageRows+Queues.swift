import Foundation
import GRDB
import Linux
import Metering

extension MessageRows {
    func find(_ address: MessageAddress) throws -> StoredQueue? {
        let find = try BoundStatement(
            """
            SELECT number, kind, name, settings, createdUnixMilliseconds, changedUnixMilliseconds
            FROM queues WHERE kind = ? AND name = ?
            """,
            database
        )
        find.bind(address.kind.rawValue, 1)
        find.bind(address.name, 2)
        return try queues(find).first
    }

    func queue(_ number: Int64) throws -> StoredQueue? {
        let find = try BoundStatement(
            """
            SELECT number, kind, name, settings, createdUnixMilliseconds, changedUnixMilliseconds
            FROM queues WHERE number = ?
            """,
            database
        )
        find.bind(number, 1)
        return try queues(find).first
    }

    func queues(kind: QueueKind) throws -> [StoredQueue] {
        let find = try BoundStatement(
            """
            SELECT number, kind, name, settings, createdUnixMilliseconds, changedUnixMilliseconds
            FROM queues WHERE kind = ? ORDER BY name
            """,
            database
        )
        find.bind(kind.rawValue, 1)
        return try queues(find)
    }

    func allQueues() throws -> [StoredQueue] {
        let find = try BoundStatement(
            """
            SELECT number, kind, name, settings, createdUnixMilliseconds, changedUnixMilliseconds
            FROM queues ORDER BY kind, name
            """,
            database
        )
        return try queues(find)
    }

    private func queues(_ statement: BoundStatement) throws -> [StoredQueue] {
        var found: [StoredQueue] = []
        while try statement.step() {
            guard let kind = statement.text(1).flatMap(QueueKind.init(rawValue:)), let name = statement.text(2),
                let settings = try? JSONDecoder().decode(QueueSettings.self, from: Data((statement.text(3) ?? "").utf8))
            else { continue }
            found.append(
                StoredQueue(
                    number: statement.integer(0),
                    address: MessageAddress(kind, name),
                    settings: settings,
                    createdUnixMilliseconds: statement.integer(4),
                    changedUnixMilliseconds: statement.integer(5)
                )
            )
        }
        return found
    }

    func findOrMake(_ address: MessageAddress, now: Int64) throws -> StoredQueue {
        if let found = known.queue(address) { return found }
        var settings = QueueSettings()
        // Two weeks to find out why, and to send them again.
        if address.kind == .deadLetter { settings.retentionMilliseconds = 14 * 86_400_000 }
        let found = try find(address) ?? make(address, settings, now: now)
        known.remember(found)
        return found
    }

    func make(_ address: MessageAddress, _ settings: QueueSettings, now: Int64) throws -> StoredQueue {
        let insert = try BoundStatement(
            """
            INSERT INTO queues (kind, name, settings, createdUnixMilliseconds, changedUnixMilliseconds)
            VALUES (?, ?, ?, ?, ?)
            """,
            database
        )
        insert.bind(address.kind.rawValue, 1)
        insert.bind(address.name, 2)
        insert.bind(String(decoding: try JSONEncoder().encode(settings), as: UTF8.self), 3)
        insert.bind(now, 4)
        insert.bind(now, 5)
        try insert.run()
        KillPoint.pass("queue.made")
        return StoredQueue(
            number: database.lastInsertedRowID,
            address: address,
            settings: settings,
            createdUnixMilliseconds: now,
            changedUnixMilliseconds: now
        )
    }

    func change(_ queue: StoredQueue, _ settings: QueueSettings, now: Int64) throws {
        let update = try BoundStatement(
            "UPDATE queues SET settings = ?, changedUnixMilliseconds = ? WHERE number = ?",
            database
        )
        update.bind(String(decoding: try JSONEncoder().encode(settings), as: UTF8.self), 1)
        update.bind(now, 2)
        update.bind(queue.number, 3)
        try update.run()
        known.forget(queue.address)
    }

    func purge(_ queue: StoredQueue) throws {
        for sql in ["DELETE FROM messages WHERE queue = ?", "DELETE FROM deduplications WHERE queue = ?"] {
            let delete = try BoundStatement(sql, database)
            delete.bind(queue.number, 1)
            try delete.run()
        }
        known.empty(queue.number)
    }

    func delete(_ queue: StoredQueue) throws {
        try purge(queue)
        let delete = try BoundStatement("DELETE FROM queues WHERE number = ?", database)
        delete.bind(queue.number, 1)
        try delete.run()
        known.forget(queue.address)
    }

    /// When the first message of a queue may be claimed that nobody is before; nil where there is none.
    func nextVisible(_ queue: Int64) throws -> Int64? {
        let find = try BoundStatement(
            "SELECT min(visibleUnixMilliseconds) FROM messages WHERE queue = ? AND isBehind = 0",
            database
        )
        find.bind(queue, 1)
        defer { find.finish() }
        guard try find.step(), let next = find.integerIfPresent(0), next != .max else { return nil }
        return next
    }

    /// Queues of a kind that have something to claim, now or later, the longest due first.
    func waiting(_ kind: QueueKind) throws -> [(address: MessageAddress, visible: Int64)] {
        let find = try BoundStatement(
            """
            SELECT name, (SELECT min(visibleUnixMilliseconds) FROM messages WHERE queue = number AND isBehind = 0) AS next
            FROM queues WHERE kind = ? AND next IS NOT NULL AND next <> 9223372036854775807 ORDER BY next
            """,
            database
        )
        find.bind(kind.rawValue, 1)
        var found: [(MessageAddress, Int64)] = []
        while try find.step() { found.append((MessageAddress(kind, find.text(0) ?? ""), find.integer(1))) }
        return found
    }

    /// Moves all times of a kind's waiting messages: the clock that they were written by was set.
    func shift(_ kind: QueueKind, byMilliseconds shift: Int64) throws {
        let update = try BoundStatement(
            """
            UPDATE messages SET visibleUnixMilliseconds = visibleUnixMilliseconds + ?
            WHERE claim = 0 AND queue IN (SELECT number FROM queues WHERE kind = ?)
            """,
            database
        )
        update.bind(shift, 1)
        update.bind(kind.rawValue, 2)
        try update.run()
    }

    func measure(_ queue: StoredQueue, now: Int64) throws -> QueueDepth {
        let count = try BoundStatement(
            """
            SELECT count(*), coalesce(sum(claim <> 0), 0) FROM messages
            WHERE queue = ? AND isBehind IN (0, 1) AND visibleUnixMilliseconds > ?
            """,
            database
        )
        count.bind(queue.number, 1)
        count.bind(now, 2)
        _ = try count.step()
        let (waiting, held) = (Int(count.integer(0)), Int(count.integer(1)))
        count.finish()
        // Of the hundred that come first: one that was sent back again and again may be older, and a look at all of a
        // million would hold up whoever publishes.
        let oldest = try BoundStatement(
            """
            SELECT min(acceptedUnixMilliseconds) FROM (
                SELECT acceptedUnixMilliseconds FROM messages WHERE queue = ? AND isBehind = 0
                ORDER BY visibleUnixMilliseconds LIMIT 100)
            """,
            database
        )
        oldest.bind(queue.number, 1)
        defer { oldest.finish() }
        let age = try oldest.step() ? oldest.integerIfPresent(0) : nil
        return QueueDepth(
            count: depth(queue.number),
            inFlight: held,
            delayed: waiting - held,
            oldestUnixMilliseconds: age
        )
    }
}
