import Foundation
import GRDB
import Linux
package import Metering
import Synchronization

/// Queues on the disk, all in one file: what was accepted is there until somebody acknowledges it.
///
/// Its verbs are those of a queue that many nodes could claim from: publish, claim, and of a claim acknowledge, send back after,
/// extend and bury. Each returns when it is on the disk; those that are asked for at the same time share one wait for it.
package final class MessageStore: Sendable {
    private let database: DatabaseQueue
    private let writer: GroupCommit
    private let signals = Mutex<[Int64: [Int: @Sendable () -> Void]]>([:])
    private let swept = Mutex<Int64>(0)
    private let signalNumbers = Atomic(0)

    /// How long final outcomes are kept.
    package let outcomeMilliseconds: Int64

    /// A day: as long as the longest that an event may be retried, four times over.
    package static let outcomeMillisecondsDefault: Int64 = 86_400_000
    /// Between two looks for what is past its window.
    private static let sweepMilliseconds: Int64 = 10_000
    private static let sweepRowsMax = 1000

    /// - Parameters:
    ///   - path: the file, made where there is none.
    ///   - releasing: kinds of queues that only this process claims from: whoever held their messages is no more.
    package init(
        path: String,
        outcomeMilliseconds: Int64 = MessageStore.outcomeMillisecondsDefault,
        releasing kinds: [QueueKind] = [.function, .delivery]
    ) throws(QueueError) {
        self.outcomeMilliseconds = outcomeMilliseconds
        KillPoint.pass("open.begin")
        database = try MessageSchema.open(path)
        KillPoint.pass("open.migrated")
        do {
            let depths = try database.write { database in
                for kind in kinds {
                    // The attempts that were begun stay counted.
                    try database.execute(
                        sql: """
                            UPDATE messages SET claim = 0, visibleUnixMilliseconds = acceptedUnixMilliseconds
                            WHERE claim <> 0 AND queue IN (SELECT number FROM queues WHERE kind = ?)
                            """,
                        arguments: [kind.rawValue]
                    )
                }
                return try Row.fetchAll(database, sql: "SELECT queue, count(*) AS count FROM messages GROUP BY queue")
                    .reduce(into: [Int64: Int]()) { $0[$1["queue"]] = $1["count"] }
            }
            writer = GroupCommit(database, depths: depths)
            KillPoint.pass("open.released")
        } catch {
            throw .storage("\(error)")
        }
    }

    /// What a claim may ask for at once.
    package static let claimCountMax = 10_000

    // MARK: Queues

    package func queue(_ address: MessageAddress) async throws(QueueError) -> StoredQueue? {
        try await perform { try $0.find(address) }
    }

    package func queues(_ kind: QueueKind) async throws(QueueError) -> [StoredQueue] {
        try await perform { try $0.queues(kind: kind) }
    }

    /// Every queue with its depth.
    package func measureAll(now: Int64) async throws(QueueError) -> [(StoredQueue, QueueDepth)] {
        try await perform { rows in try rows.allQueues().map { ($0, try rows.measure($0, now: now)) } }
    }

    package func measure(_ queue: StoredQueue, now: Int64) async throws(QueueError) -> QueueDepth {
        try await perform { try $0.measure(queue, now: now) }
    }

    /// Makes a queue; one that is there is given back as it is.
    package func makeQueue(
        _ address: MessageAddress,
        _ settings: QueueSettings,
        now: Int64
    ) async throws(QueueError) -> StoredQueue {
        try await perform { try $0.find(address) ?? $0.make(address, settings, now: now) }
    }

    package func change(_ queue: StoredQueue, _ settings: QueueSettings, now: Int64) async throws(QueueError) {
        try await perform { try $0.change(queue, settings, now: now) }
    }

    package func purge(_ queue: StoredQueue) async throws(QueueError) {
        try await perform { try $0.purge(queue) }
    }

    package func delete(_ queue: StoredQueue) async throws(QueueError) {
        try await perform { try $0.delete(queue) }
    }

    // MARK: Messages

    /// Accepts messages, all in one step; each has its own result.
    package func publish(
        _ drafts: [MessageDraft],
        to queue: StoredQueue,
        now: Int64
    ) async throws(QueueError) -> [PublishResult] {
        let results = try await perform { rows in
            try drafts.map { try rows.publish($0, to: queue, isBounded: true, now: now) }
        }
        signal(queue.number)
        return results
    }

    /// Accepts a message for a queue that is made where there is none.
    ///
    /// - Parameter isClaimed: whoever publishes runs it at once, unless others of its group are before it.
    package func publish(
        _ draft: MessageDraft,
        to address: MessageAddress,
        depthMax: Int? = nil,
        isClaimed: Bool,
        now: Int64
    ) async throws(QueueError) -> PublishResult {
        let claim = isClaimed ? Int64.random(in: 1...Int64.max) : nil
        KillPoint.pass("publish.begin")
        let result = try await perform { rows in
            var queue = try rows.findOrMake(address, now: now)
            if let depthMax { queue.settings.depthMax = depthMax }
            return try rows.publish(draft, to: queue, isBounded: true, claim: claim, now: now)
        }
        KillPoint.pass("publish.end")
        return result
    }

    /// Takes messages that are due, the longest due first.
    ///
    /// - Parameters:
    ///   - groupCountMax: of one group; with 1, nothing of it is claimed before what is before it is acknowledged.
    ///   - milliseconds: after which what was not settled comes again.
    package func claim(
        _ queue: StoredQueue,
        countMax: Int,
        groupCountMax: Int = 1,
        forMilliseconds milliseconds: Int64,
        now: Int64
    ) async throws(QueueError) -> [Message] {
        let count = min(countMax, Self.claimCountMax)
        return try await perform { rows in
            try rows.claim(
                queue,
                countMax: count,
                groupCountMax: groupCountMax,
                untilUnixMilliseconds: now + milliseconds,
                now: now
            )
        }
    }

    /// What there is to do in the queues of a kind that one process claims from: for as long as it lives.
    package struct Work: Sendable {
        package var claimed: [(name: String, message: Message)] = []
        /// When there is more to claim: in the past where no room was left; nil where nothing waits.
        package var nextUnixMilliseconds: Int64?
    }

    /// Takes what is due from all queues of a kind, the longest due first.
    ///
    /// - Parameters:
    ///   - running: how many of each queue's messages this process holds already.
    ///   - queueCountMax: it may hold of one queue.
    package func claimWork(
        _ kind: QueueKind,
        countMax: Int,
        running: [String: Int],
        queueCountMax: Int,
        now: Int64
    ) async throws(QueueError) -> Work {
        KillPoint.pass("claim.begin")
        let work = try await perform { rows in
            var work = Work()
            for (address, visible) in try rows.waiting(kind) {
                let own = queueCountMax - running[address.name, default: 0]
                guard own > 0 else { continue }
                let room = min(countMax - work.claimed.count, own)
                guard room > 0, visible <= now else {
                    work.nextUnixMilliseconds = min(work.nextUnixMilliseconds ?? .max, visible)
                    continue
                }
                let queue = try rows.findOrMake(address, now: now)
                let claimed = try rows.claim(
                    queue,
                    countMax: room,
                    groupCountMax: 1,
                    untilUnixMilliseconds: .max,
                    now: now
                )
                work.claimed += claimed.map { (address.name, $0) }
                if claimed.count < room, let next = try rows.nextVisible(queue.number) {
                    work.nextUnixMilliseconds = min(work.nextUnixMilliseconds ?? .max, next)
                }
            }
            return work
        }
        KillPoint.pass("claim.end")
        return work
    }

    /// The clock was set by so much: what waits in the queues of a kind waits as long as it would have.
    package func shift(_ kind: QueueKind, byMilliseconds shift: Int64) async throws(QueueError) {
        try await perform { try $0.shift(kind, byMilliseconds: shift) }
    }

    /// Ends claims, with all that follows from them.
    ///
    /// - Returns: of each whether its claim still held.
    package func settle(_ settlements: [Settlement], now: Int64) async throws(QueueError) -> [Bool] {
        let (settled, told) = try await perform { rows in
            let settled = try settlements.map { try rows.settle($0, now: now) }
            let told = try settlements.flatMap { $0.followers.map(\.0) }.compactMap { try rows.find($0)?.number }
            return (settled, told)
        }
        KillPoint.pass("settle.committed")
        for queue in told { signal(queue) }
        await sweepIfDue(now)
        return settled
    }

    package func extend(
        _ handles: [MessageHandle],
        untilUnixMilliseconds until: [Int64]
    ) async throws(QueueError) -> [Bool] {
        try await perform { rows in
            try zip(handles, until).map { try rows.extend($0, untilUnixMilliseconds: $1) }
        }
    }

    /// Moves dead letters back to where they came from, or to one queue.
    ///
    /// - Parameter isRenamed: they get new ids, and the outcomes of the old ones say which; their receipts are counted anew.
    /// - Returns: how many were moved; fewer than `countMax` where no more are left that nobody holds.
    package func redrive(
        _ letters: StoredQueue,
        to destination: MessageAddress?,
        originKind: QueueKind = .client,
        isRenamed: Bool = false,
        countMax: Int,
        now: Int64
    ) async throws(QueueError) -> Int {
        let (count, told) = try await perform { rows in
            KillPoint.pass("redrive.begin")
            let found = try rows.claim(
                letters,
                countMax: countMax,
                groupCountMax: countMax,
                untilUnixMilliseconds: now,
                now: now
            )
            var told: Set<Int64> = []
            for message in found {
                guard let address = destination ?? message.origin.map({ MessageAddress(originKind, $0) }),
                    let queue = try rows.find(address)
                else { continue }
                try rows.move(
                    message,
                    from: letters,
                    to: queue,
                    id: isRenamed ? .generated(at: UInt64(now) * 1_000_000) : nil,
                    now: now
                )
                told.insert(queue.number)
            }
            KillPoint.pass("redrive.end")
            return (found.count, told)
        }
        for queue in told { signal(queue) }
        return count
    }

    // MARK: One message

    package func message(_ id: InvocationID) async throws(QueueError) -> Message? {
        try await perform { try $0.message(id) }
    }

    package func outcome(_ id: InvocationID) async throws(QueueError) -> MessageOutcome? {
        try await perform { try $0.outcome(id) }
    }

    package func nextVisibleUnixMilliseconds(_ queue: StoredQueue) async throws(QueueError) -> Int64? {
        try await perform { try $0.nextVisible(queue.number) }
    }

    /// Outcomes by their conditions.
    package func outcomeCounts() async throws(QueueError) -> [String: Int] {
        try await perform { rows in
            let count = try BoundStatement("SELECT condition, count(*) FROM outcomes GROUP BY condition", rows.database)
            var counts: [String: Int] = [:]
            while try count.step() { counts[count.text(0) ?? ""] = Int(count.integer(1)) }
            return counts
        }
    }

    // MARK: Waiting

    /// Calls back when something is published to the queue, every time, until the number is forgotten.
    package func watch(_ queue: StoredQueue, _ callBack: @escaping @Sendable () -> Void) -> Int {
        let number = signalNumbers.add(1, ordering: .relaxed).newValue
        signals.withLock { $0[queue.number, default: [:]][number] = callBack }
        return number
    }

    package func forget(_ watch: Int, of queue: StoredQueue) {
        signals.withLock { signals in
            signals[queue.number]?[watch] = nil
            if signals[queue.number]?.isEmpty == true { signals[queue.number] = nil }
        }
    }

    /// Has those that wait at a queue look again.
    package func tell(_ queue: StoredQueue) { signal(queue.number) }

    private func signal(_ queue: Int64) {
        let watching = signals.withLock { $0[queue]?.values.map { $0 } ?? [] }
        for callBack in watching { callBack() }
    }

    // MARK: The writer

    /// Forgets outcomes and keys whose time is over: with what is written anyway, so that nothing runs where nothing happens.
    private func sweepIfDue(_ now: Int64) async {
        let isDue = swept.withLock { last in
            // A clock that was set back makes it due too.
            guard now - last >= Self.sweepMilliseconds || now < last else { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let before = now - outcomeMilliseconds
        let isMore = try? await perform { rows in
            KillPoint.pass("sweep.begin")
            let isMore = try rows.sweep(outcomesBefore: before, now: now, rowsMax: Self.sweepRowsMax)
            KillPoint.pass("sweep.end")
            return isMore
        }
        if isMore == true { swept.withLock { $0 = 0 } }
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (MessageRows) throws -> Value
    ) async throws(QueueError) -> Value {
        let result: Result<Value, QueueError> = await withCheckedContinuation { continuation in
            writer.add(
                GroupCommit.Operation(
                    run: { rows in
                        let value = try body(rows)
                        return { continuation.resume(returning: .success(value)) }
                    },
                    fail: { continuation.resume(returning: .failure($0)) }
                )
            )
        }
        return try result.get()
    }
}
