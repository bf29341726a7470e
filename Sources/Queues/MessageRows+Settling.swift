import Foundation
import GRDB
import Linux
import Metering

extension MessageRows {
    /// False where the claim holds it no more, and nothing was done.
    func settle(_ settlement: Settlement, now: Int64) throws -> Bool {
        guard let held = try held(settlement.handle) else { return false }
        KillPoint.pass("settle.begin")
        switch settlement.verdict {
        case .acknowledge:
            try remove(settlement.handle.sequence, held.queue, held.groupKey)
        case .again(let due, let attempts, let throttles):
            let update = try BoundStatement(
                """
                UPDATE messages SET claim = 0, visibleUnixMilliseconds = ?, attempts = ?, throttles = ? WHERE sequence = ?
                """,
                database
            )
            update.bind(due, 1)
            update.bind(attempts, 2)
            update.bind(throttles, 3)
            update.bind(settlement.handle.sequence, 4)
            try update.run()
            KillPoint.pass("settle.again")
        case .bury(let address):
            let find = try BoundStatement("SELECT \(Self.columns) FROM messages WHERE sequence = ?", database)
            find.bind(settlement.handle.sequence, 1)
            if let message = try messages(find).first, let from = try queue(held.queue) {
                try move(message, from: from, to: try findOrMake(address, now: now), now: now)
                KillPoint.pass("settle.buried")
            }
        }
        if let outcome = settlement.outcome { try record(outcome) }
        for (address, draft) in settlement.followers {
            _ = try publish(draft, to: try findOrMake(address, now: now), isBounded: false, now: now)
            KillPoint.pass("settle.follower")
        }
        KillPoint.pass("settle.end")
        return true
    }

    /// Holds a claimed message until then; false where the claim holds it no more.
    func extend(_ handle: MessageHandle, untilUnixMilliseconds until: Int64) throws -> Bool {
        guard try held(handle) != nil else { return false }
        let update = try BoundStatement("UPDATE messages SET visibleUnixMilliseconds = ? WHERE sequence = ?", database)
        update.bind(until, 1)
        update.bind(handle.sequence, 2)
        try update.run()
        return true
    }

    private func held(_ handle: MessageHandle) throws -> (queue: Int64, groupKey: String?)? {
        let find = try BoundStatement("SELECT queue, groupKey FROM messages WHERE sequence = ? AND claim = ?", database)
        find.bind(handle.sequence, 1)
        find.bind(handle.claim, 2)
        defer { find.finish() }
        guard try find.step() else { return nil }
        return (find.integer(0), find.text(1))
    }

    func remove(_ sequence: Int64, _ queue: Int64, _ group: String?) throws {
        let delete = try BoundStatement("DELETE FROM messages WHERE sequence = ?", database)
        delete.bind(sequence, 1)
        try delete.run()
        known.add(-1, to: queue)
        KillPoint.pass("remove.done")
        if let group { try promote(group, queue) }
    }

    /// The first of a group that is left is behind nobody.
    private func promote(_ group: String, _ queue: Int64) throws {
        let update = try BoundStatement(
            """
            UPDATE messages SET isBehind = 0
            WHERE sequence = (SELECT min(sequence) FROM messages WHERE queue = ? AND groupKey = ?) AND isBehind = 1
            """,
            database
        )
        update.bind(queue, 1)
        update.bind(group, 2)
        try update.run()
    }

    /// Makes it the newest of another queue, unclaimed, with its id and its time of acceptance.
    ///
    /// - Parameter id: that it has from now on; nil for its own.
    func move(
        _ message: Message,
        from: StoredQueue,
        to: StoredQueue,
        id: InvocationID? = nil,
        now: Int64
    ) throws {
        try remove(message.sequence, message.queue, message.groupKey)
        var draft = MessageDraft(id: id ?? message.id, body: message.body, attributes: message.attributes)
        draft.groupKey = message.groupKey
        draft.delayMilliseconds = 0
        guard case .accepted(let sequence) = try publish(draft, to: to, isBounded: false, now: now) else { return }
        let update = try BoundStatement(
            "UPDATE messages SET acceptedUnixMilliseconds = ?, origin = ? WHERE sequence = ?",
            database
        )
        update.bind(id == nil ? message.acceptedUnixMilliseconds : now, 1)
        update.bind(from.address.name, 2)
        update.bind(sequence, 3)
        try update.run()
        if let id {
            let note = try BoundStatement("UPDATE outcomes SET note = ? WHERE id = ?", database)
            note.bind("sent again as \(id)", 1)
            note.bind(message.id.description, 2)
            try note.run()
        }
        KillPoint.pass("move.done")
    }

    // MARK: Outcomes

    func record(_ outcome: MessageOutcome) throws {
        let insert = try BoundStatement(
            """
            INSERT INTO outcomes (
                id, queue, condition, attempts, acceptedUnixMilliseconds, endedUnixMilliseconds, result, note
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            database
        )
        insert.bind(outcome.id.description, 1)
        insert.bind(outcome.queue, 2)
        insert.bind(outcome.condition, 3)
        insert.bind(outcome.attempts, 4)
        insert.bind(outcome.acceptedUnixMilliseconds, 5)
        insert.bind(outcome.endedUnixMilliseconds, 6)
        insert.bind(outcome.result, 7)
        insert.bind(outcome.note, 8)
        try insert.run()
        KillPoint.pass("outcome.recorded")
    }

    func outcome(_ id: InvocationID) throws -> MessageOutcome? {
        let find = try BoundStatement(
            """
            SELECT queue, condition, attempts, acceptedUnixMilliseconds, endedUnixMilliseconds, result, note
            FROM outcomes WHERE id = ?
            """,
            database
        )
        find.bind(id.description, 1)
        defer { find.finish() }
        guard try find.step() else { return nil }
        return MessageOutcome(
            id: id,
            queue: find.text(0) ?? "",
            condition: find.text(1) ?? "",
            attempts: Int(find.integer(2)),
            acceptedUnixMilliseconds: find.integer(3),
            endedUnixMilliseconds: find.integer(4),
            result: find.isNull(5) ? nil : find.bytes(5),
            note: find.text(6)
        )
    }

    func message(_ id: InvocationID) throws -> Message? {
        let find = try BoundStatement("SELECT \(Self.columns) FROM messages WHERE id = ?", database)
        find.bind(id.description, 1)
        return try messages(find).first
    }

    /// Forgets what is past its window, a bounded number of rows of each kind.
    ///
    /// - Returns: whether more is left.
    func sweep(outcomesBefore: Int64, now: Int64, rowsMax: Int) throws -> Bool {
        var isMore = false
        let outcomes = try BoundStatement(
            """
            DELETE FROM outcomes WHERE number IN (
                SELECT number FROM (SELECT number, endedUnixMilliseconds FROM outcomes ORDER BY number LIMIT ?)
                WHERE endedUnixMilliseconds < ?)
            """,
            database
        )
        outcomes.bind(rowsMax, 1)
        outcomes.bind(outcomesBefore, 2)
        try outcomes.run()
        isMore = isMore || database.changesCount == rowsMax
        let keys = try BoundStatement(
            """
            DELETE FROM deduplications WHERE (queue, key) IN (
                SELECT queue, key FROM deduplications WHERE untilUnixMilliseconds <= ? LIMIT ?)
            """,
            database
        )
        keys.bind(now, 1)
        keys.bind(rowsMax, 2)
        try keys.run()
        isMore = isMore || database.changesCount == rowsMax
        for queue in try allQueues() {
            guard let retention = queue.settings.retentionMilliseconds else { continue }
            let old = try BoundStatement(
                """
                SELECT \(Self.columns) FROM messages WHERE queue = ? AND isBehind = 0 AND visibleUnixMilliseconds <= ? LIMIT ?
                """,
                database
            )
            old.bind(queue.number, 1)
            old.bind(now - retention, 2)
            old.bind(rowsMax, 3)
            let messages = try messages(old)
            for message in messages { try remove(message.sequence, queue.number, message.groupKey) }
            isMore = isMore || messages.count == rowsMax
        }
        return isMore
    }
}
