/// What the ledger decides, under its lock: who has a slot, what waits for the disk, whether calls are admitted.
struct LedgerState: ~Copyable {
    /// Some hundred kilobytes of receipts, kept by a busy node until its next batch.
    private static let pendingReservedMax = 512

    /// A finished receipt, and the slot that holds it until its row is on the disk.
    typealias Pending = (place: SlotPlace, receipt: Receipt)

    private var ring: SlotRing
    private let slotCount: Int
    private var pending: [Pending] = []
    /// A task is on its way to commit what is pending; at rest there is none, and no timer.
    private var isCommitting = false
    /// Why the last commit failed; nil if it did not.
    private var failure: String?
    private var isClosed = false

    init(_ ring: consuming SlotRing, slotCount: Int) {
        self.ring = ring
        self.slotCount = slotCount
    }

    var isWritable: Bool { failure == nil && !isClosed }

    /// Takes a slot and stores the receipt that is true if nothing more is heard of the attempt.
    mutating func begin(_ words: [UInt64]) throws(LedgerError) -> SlotPlace {
        guard !isClosed else { throw .closed }
        if let failure { throw .notWritable(failure) }
        guard let place = ring.begin(words) else { throw .full(slots: slotCount) }
        return place
    }

    /// - Returns: whether a task must be started that commits.
    mutating func finish(_ place: SlotPlace, _ receipt: Receipt, _ words: [UInt64]) -> Bool {
        ring.finish(place, words)
        pending.append((place, receipt))
        // After the end nobody commits: the slot keeps the receipt for the next process.
        guard !isCommitting, !isClosed else { return false }
        isCommitting = true
        return true
    }

    /// The batch that is committed next; until it is, its slots are not free.
    mutating func takePending() -> [Pending] {
        let batch = pending
        pending = []
        // Where one batch follows another, they are alike: its list does not grow step by step under the lock.
        if batch.count > 1 { pending.reserveCapacity(min(batch.count, Self.pendingReservedMax)) }
        return batch
    }

    mutating func committed(_ batch: [Pending]) {
        for entry in batch { ring.release(entry.place) }
        failure = nil
    }

    mutating func failed(_ batch: [Pending], _ error: LedgerError) {
        pending = batch + pending
        failure = if case .storage(let detail) = error { detail } else { "\(error)" }
    }

    /// - Returns: whether the committing task has to go on.
    mutating func continuesCommitting() -> Bool {
        isCommitting = !pending.isEmpty && !isClosed
        return isCommitting
    }

    mutating func close() {
        isClosed = true
    }
}
