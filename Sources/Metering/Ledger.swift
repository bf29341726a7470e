import Dispatch
import GRDB
import Scheduling
import Synchronization

/// One receipt for each admitted attempt, whatever ends first.
///
/// ```
/// begin ──► slot in a mapped file ──finish──► the same slot ──commit, within 10 ms──► row in SQLite, slot free
/// ```
///
/// `begin` and `finish` store to memory that outlives the process, so a killed scheduler loses nothing: the next one
/// turns what it finds in the slots into rows. Many receipts share one wait for the disk; a power cut costs those that
/// were waiting for it, 10 ms of them.
package final class Ledger: Sendable {
    /// What was found of the process before, and is in the ledger now.
    package let recovered: LedgerRecovery

    private let path: String
    private let node: String
    private let rateCard: RateCard
    private let file: SlotFile
    private let state: Mutex<LedgerState>
    private let database: DatabasePool
    private let timer = DispatchQueue(label: "thaw.ledger")

    /// Half of what a power cut may cost; the other half is for the write itself.
    private static let commitDelayMilliseconds = 5
    /// A disk that was full for a minute need not be asked more often.
    private static let retryDelayMillisecondsMax = 1000

    /// Opens the ledger of a node, makes it where there is none, and completes what the last process left.
    ///
    /// - Parameters:
    ///   - directory: exists; gets `ledger.sqlite` and `ledger.slots`.
    ///   - node: written into every receipt, at most 64 bytes.
    ///   - rateCard: the prices from now on; receipts that are there keep theirs.
    ///   - slotCount: attempts that may be in flight or uncommitted at a time.
    /// - Throws: every ``LedgerError`` but those of a ledger that is open.
    package init(
        directory: String,
        node: String,
        rateCard: RateCard = .standard,
        slotCount: Int = SlotLayout.slotCountDefault
    ) throws(LedgerError) {
        precondition((1...SlotLayout.slotCountMax).contains(slotCount), "the number of slots is a setting of ours")
        try Ledger.check(node, "node's name")
        path = directory + "/ledger.sqlite"
        self.node = node
        self.rateCard = rateCard
        // First, since it locks: the database is not touched before we know that nobody else has it.
        file = try SlotFile(path: directory + "/ledger.slots")
        database = try LedgerSchema.open(path)
        let recovery = try file.recover()
        if !recovery.receipts.isEmpty {
            do {
                try database.write { try LedgerRows.insert(recovery.receipts, $0) }
            } catch {
                throw LedgerError(error, path: path)
            }
        }
        state = Mutex(LedgerState(try file.ring(after: recovery, slotCount: slotCount), slotCount: slotCount))
        recovered = recovery.counts
    }

    /// False from a commit that failed until one succeeds; no attempt is admitted meanwhile.
    package var isWritable: Bool {
        state.withLock { $0.isWritable }
    }

    /// Notes that an attempt is admitted: from here on it has a receipt, whatever happens.
    ///
    /// Stores to memory; no system call.
    package func begin(_ attempt: Attempt) throws(LedgerError) -> LedgerSlot {
        try Ledger.check(attempt.function, "function's name")
        try Ledger.check(attempt.snapshot, "snapshot's digest")
        var receipt = Receipt(attempt)
        receipt.node = node
        receipt.rateCard = rateCard.id
        let words = ReceiptWords.encode(receipt, wordsMax: SlotLayout.begunArea.count - 2)
        let place = try state.withLock { (state) throws(LedgerError) in try state.begin(words) }
        return LedgerSlot(id: attempt.id, attempt: attempt.number, place: place)
    }

    /// Rates an attempt that has ended and writes its receipt; the row follows within 10 ms.
    ///
    /// Stores to memory and never waits for the disk; the first after a rest starts the task that commits. The receipt
    /// of another attempt than the slot's is a mistake of ours and traps. Gives it back with its node and price.
    @discardableResult
    package func finish(_ slot: consuming LedgerSlot, _ receipt: consuming Receipt) -> Receipt {
        precondition(
            receipt.id == slot.id && receipt.attempt == slot.attempt,
            "a slot takes the receipt of its attempt"
        )
        let place = slot.place
        receipt.node = node
        receipt.rateCard = rateCard.id
        receipt.billedNanodollars = rateCard.rate(receipt)
        receipt.cutReason()
        let words = ReceiptWords.encode(receipt)
        let final = receipt
        if state.withLock({ $0.finish(place, final, words) }) {
            startCommitting()
        }
        return final
    }

    /// The last attempt of a call.
    package func receipt(_ id: InvocationID) async throws(LedgerError) -> Receipt? {
        try await attempts(of: id).last
    }

    /// Every attempt of a call, the first one first.
    package func attempts(of id: InvocationID) async throws(LedgerError) -> [Receipt] {
        try await read { try LedgerRows.attempts(of: id, $0) }
    }

    /// The last receipts, of one function or of all, in the order of acceptance: the newest last, as in a log.
    package func receipts(function: String? = nil, last count: Int) async throws(LedgerError) -> [Receipt] {
        try await read { try LedgerRows.last(count, function: function, $0) }
    }

    /// Returns when every receipt that was finished before is on the disk.
    package func flush() async throws(LedgerError) {
        do {
            // The writer takes one at a time, so a commit under way ends before this looks at what is pending.
            try await database.writeWithoutTransaction { try self.commit($0) }
        } catch {
            throw LedgerError(error, path: path)
        }
    }

    /// Writes what is pending and lets go of the database.
    ///
    /// A receipt that is finished later stays in its slot, and becomes a row when the ledger is opened again. The
    /// directory is free for another ledger when this object is gone.
    package func close() async throws(LedgerError) {
        state.withLock { $0.close() }
        try await flush()
        do {
            try database.close()
        } catch {
            throw LedgerError(error, path: path)
        }
        // A commit that is just waking up may hold this ledger for a moment more.
        file.unlock()
    }

    /// Reading what was finished before means that it is written first.
    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(LedgerError) -> Value {
        try await flush()
        do {
            return try await database.read(body)
        } catch {
            throw LedgerError(error, path: path)
        }
    }

    /// Runs until nothing is pending.
    ///
    /// A ledger that everybody has let go of is not kept alive by its timer: its slots wait for the next one.
    ///
    /// - Parameter milliseconds: until the next commit. A serial queue counts them: a sleeping task would leave libdispatch
    ///   looking after its threads every second for ever.
    private func startCommitting(afterMilliseconds milliseconds: Int = Ledger.commitDelayMilliseconds) {
        timer.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
            guard let next = self?.commitPending(afterMilliseconds: milliseconds) else { return }
            self?.startCommitting(afterMilliseconds: next)
        }
    }

    /// On the timer's queue, which waits for the disk itself: a task would go through two more queues and back.
    ///
    /// - Returns: how long to wait before the next commit; nil if nothing is left for it.
    private func commitPending(afterMilliseconds delay: Int) -> Int? {
        var next = Ledger.commitDelayMilliseconds
        do {
            try database.writeWithoutTransaction { try self.commit($0) }
        } catch {
            // The slots hold everything meanwhile, and `begin` refuses: the reason is in the state.
            next = min(delay * 2, Ledger.retryDelayMillisecondsMax)
        }
        return state.withLock { $0.continuesCommitting() } ? next : nil
    }

    /// Runs on the database's own queue, one commit at a time.
    private func commit(_ database: Database) throws {
        let batch = state.withLock { $0.takePending() }
        guard !batch.isEmpty else { return }
        do {
            try database.inTransaction(.immediate) {
                try LedgerRows.insert(batch.lazy.map(\.receipt), database)
                return .commit
            }
        } catch {
            let error = LedgerError(error, path: path)
            state.withLock { $0.failed(batch, error) }
            throw error
        }
        state.withLock { $0.committed(batch) }
    }

    private static func check(_ name: String, _ field: String) throws(LedgerError) {
        guard name.utf8.count <= ReceiptWords.nameBytesMax else {
            throw .nameTooLong(field: field, bytesMax: ReceiptWords.nameBytesMax)
        }
    }
}
