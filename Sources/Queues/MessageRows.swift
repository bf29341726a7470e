import Foundation
import GRDB
import Linux
import Metering

/// The verbs as rows, within a transaction of the writer's.
struct MessageRows {
    let database: Database
    let known: MessageRowsBox

    static let columns = """
        sequence, claim, queue, id, body, attributes, groupKey, acceptedUnixMilliseconds, firstClaimedUnixMilliseconds, \
        attempts, throttles, origin
        """

    init(_ database: Database, _ known: MessageRowsBox) {
        self.database = database
        self.known = known
    }

    func depth(_ queue: Int64) -> Int { known.depth(queue) }

    // MARK: Accepting

    /// - Parameters:
    ///   - isBounded: a full queue refuses.
    ///   - claim: of whoever runs it at once; nil where it waits to be claimed.
    func publish(
        _ draft: MessageDraft,
        to queue: StoredQueue,
        isBounded: Bool,
        claim: Int64? = nil,
        now: Int64
    ) throws -> PublishResult {
        if let known = try duplicate(of: draft, in: queue, now: now) {
            KillPoint.pass("publish.duplicate")
            return .duplicate(known)
        }
        if isBounded, depth(queue.number) >= queue.settings.depthMax { return .full(depthMax: queue.settings.depthMax) }
        let isBehind = try draft.groupKey.map { try hasMessages(group: $0, queue.number) } ?? false
        let isClaimed = claim != nil && !isBehind
        let insert = try BoundStatement(
            """
            INSERT INTO messages (
                queue, id, body, attributes, groupKey, isBehind, acceptedUnixMilliseconds, visibleUnixMilliseconds, claim,
                attempts, throttles, firstClaimedUnixMilliseconds
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
            """,
            database
        )
        insert.bind(queue.number, 1)
        insert.bind(draft.id.description, 2)
        insert.bind(draft.body, 3)
        insert.bind(draft.attributes, 4)
        insert.bind(draft.groupKey, 5)
        insert.bind(isBehind ? 1 : 0, 6)
        insert.bind(now, 7)
        insert.bind(
            isClaimed ? Int64.max : now + (draft.delayMilliseconds ?? queue.settings.delayMilliseconds),
            8
        )
        insert.bind(isClaimed ? claim ?? 0 : 0, 9)
        insert.bind(isClaimed ? 1 : 0, 10)
        insert.bind(isClaimed ? now : nil, 11)
        try insert.run()
        let sequence = database.lastInsertedRowID
        known.add(1, to: queue.number)
        if let key = draft.deduplicationKey { try remember(key, draft.id, in: queue, now: now) }
        KillPoint.pass("publish.inserted")
        guard isClaimed, let claim else { return .accepted(sequence: sequence) }
        return .claimed(
            Message(
                sequence: sequence,
                claim: claim,
                queue: queue.number,
                id: draft.id,
                body: draft.body,
                attributes: draft.attributes,
                groupKey: draft.groupKey,
                acceptedUnixMilliseconds: now,
                firstClaimedUnixMilliseconds: now,
                attempts: 1,
                throttles: 0
            )
        )
    }

    private func duplicate(of draft: MessageDraft, in queue: StoredQueue, now: Int64) throws -> InvocationID? {
        if draft.isIDGiven {
            for table in ["messages", "outcomes"] {
                let find = try BoundStatement("SELECT 1 FROM \(table) WHERE id = ?", database)
                find.bind(draft.id.description, 1)
                defer { find.finish() }
                if try find.step() { return draft.id }
            }
        }
        guard let key = draft.deduplicationKey else { return nil }
        let find = try BoundStatement(
            "SELECT id FROM deduplications WHERE queue = ? AND key = ? AND untilUnixMilliseconds > ?",
            database
        )
        find.bind(queue.number, 1)
        find.bind(key, 2)
        find.bind(now, 3)
        defer { find.finish() }
        guard try find.step() else { return nil }
        return find.text(0).flatMap { InvocationID($0) }
    }

    private func remember(_ key: String, _ id: InvocationID, in queue: StoredQueue, now: Int64) throws {
        let insert = try BoundStatement("INSERT OR REPLACE INTO deduplications VALUES (?, ?, ?, ?)", database)
        insert.bind(queue.number, 1)
        insert.bind(key, 2)
        insert.bind(id.description, 3)
        insert.bind(now + queue.settings.deduplicationMilliseconds, 4)
        try insert.run()
        KillPoint.pass("key.remembered")
    }

    private func hasMessages(group: String, _ queue: Int64) throws -> Bool {
        let find = try BoundStatement("SELECT 1 FROM messages WHERE queue = ? AND groupKey = ? LIMIT 1", database)
        find.bind(queue, 1)
        find.bind(group, 2)
        defer { find.finish() }
        return try find.step()
    }

    // MARK: Claiming

    /// Takes messages that are due, the longest due first; of a group the first one, and what follows it as far as there is room.
    func claim(
        _ queue: StoredQueue,
        countMax: Int,
        groupCountMax: Int,
        untilUnixMilliseconds until: Int64,
        now: Int64
    ) throws -> [Message] {
        var claimed: [Message] = []
        let heads = try due(queue, countMax, now)
        for head in heads {
            guard let message = try take(head, from: queue, until, now) else { continue }
            claimed.append(message)
        }
        guard groupCountMax > 1 else { return claimed }
        var room = countMax - claimed.count
        return try claimed.flatMap { head in
            guard let group = head.groupKey, room > 0 else { return [head] }
            var run = [head]
            for next in try followers(of: head, in: group, queue, min(room, groupCountMax - 1), now) {
                guard let message = try take(next, from: queue, until, now) else { break }
                run.append(message)
                room -= 1
            }
            return run
        }
    }

    private func due(_ queue: StoredQueue, _ countMax: Int, _ now: Int64) throws -> [Message] {
        let find = try BoundStatement(
            """
            SELECT \(Self.columns) FROM messages WHERE queue = ? AND isBehind = 0 AND visibleUnixMilliseconds <= ?
            ORDER BY visibleUnixMilliseconds, sequence LIMIT ?
            """,
            database
        )
        find.bind(queue.number, 1)
        find.bind(now, 2)
        find.bind(countMax, 3)
        return try messages(find)
    }

    private func followers(
        of head: Message,
        in group: String,
        _ queue: StoredQueue,
        _ countMax: Int,
        _ now: Int64
    ) throws -> [Message] {
        let find = try BoundStatement(
            """
            SELECT \(Self.columns), visibleUnixMilliseconds FROM messages
            WHERE queue = ? AND groupKey = ? AND sequence > ? ORDER BY sequence LIMIT ?
            """,
            database
        )
        find.bind(queue.number, 1)
        find.bind(group, 2)
        find.bind(head.sequence, 3)
        find.bind(countMax, 4)
        defer { find.finish() }
        var found: [Message] = []
        while try find.step() {
            // One that somebody holds, or that is delayed, holds back what is behind it.
            guard find.integer(12) <= now else { break }
            if let message = message(find) { found.append(message) }
        }
        return found
    }

    /// Nil where it was not given out: it became a dead letter.
    private func take(_ message: Message, from queue: StoredQueue, _ until: Int64, _ now: Int64) throws -> Message? {
        if let retention = queue.settings.retentionMilliseconds, now - message.acceptedUnixMilliseconds > retention {
            try remove(message.sequence, message.queue, message.groupKey)
            return nil
        }
        if let limit = queue.settings.attemptsMax, let name = queue.settings.deadLetters, message.attempts >= limit,
            let letters = try find(MessageAddress(.client, name))
        {
            try move(message, from: queue, to: letters, now: now)
            return nil
        }
        var taken = message
        taken.claim = Int64.random(in: 1...Int64.max)
        taken.attempts += 1
        taken.firstClaimedUnixMilliseconds = message.firstClaimedUnixMilliseconds ?? now
        let update = try BoundStatement(
            """
            UPDATE messages SET visibleUnixMilliseconds = ?, claim = ?, attempts = ?, firstClaimedUnixMilliseconds = ?
            WHERE sequence = ?
            """,
            database
        )
        update.bind(until, 1)
        update.bind(taken.claim, 2)
        update.bind(taken.attempts, 3)
        update.bind(taken.firstClaimedUnixMilliseconds, 4)
        update.bind(taken.sequence, 5)
        try update.run()
        KillPoint.pass("claim.updated")
        return taken
    }

    // MARK: Reading

    func messages(_ statement: BoundStatement) throws -> [Message] {
        var found: [Message] = []
        while try statement.step() {
            if let message = message(statement) { found.append(message) }
        }
        return found
    }

    /// Nil where the row's id is none.
    private func message(_ row: BoundStatement) -> Message? {
        guard let id = row.text(3).flatMap({ InvocationID($0) }) else { return nil }
        return Message(
            sequence: row.integer(0),
            claim: row.integer(1),
            queue: row.integer(2),
            id: id,
            body: row.bytes(4),
            attributes: row.text(5) ?? "",
            groupKey: row.text(6),
            acceptedUnixMilliseconds: row.integer(7),
            firstClaimedUnixMilliseconds: row.integerIfPresent(8),
            attempts: Int(row.integer(9)),
            throttles: Int(row.integer(10)),
            origin: row.text(11)
        )
    }
}
