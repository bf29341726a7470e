/// What a file of slots says about the attempts of a process that has ended.
struct SlotRecovery {
    /// One for each slot in use, in the order of their identifiers.
    private(set) var receipts: [Receipt] = []
    private(set) var counts = LedgerRecovery()
    /// Higher than any in the file.
    private(set) var generationNext: UInt64 = 1
    /// Slots that the file has room for, as its header says; 0 where it was never used.
    private(set) var slotCount = 0

    private let bytes: [UInt8]

    /// Reads the whole file.
    ///
    /// - Returns: nil where the file has another format.
    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        // Cut short while it was made, before the first attempt.
        guard bytes.count >= SlotLayout.headerByteCount, bytes[..<32].contains(where: { $0 != 0 }) else { return }
        let header = words(at: 0, count: 4)
        guard
            header[3] > 0, header[3] <= UInt64(SlotLayout.slotCountMax),
            header == SlotLayout.header(slots: Int(header[3]))
        else { return nil }
        slotCount = Int(header[3])
        let whole = min(slotCount, bytes.count / SlotLayout.slotByteCount - 1)
        for slot in 0..<whole { read(slot) }
        receipts.sort { ($0.id, $0.attempt) < ($1.id, $1.attempt) }
    }

    private mutating func read(_ slot: Int) {
        let start = SlotLayout.byteCount(slots: slot)
        let head = words(at: start, count: 2)
        let (next, overflow) = head[1].addingReportingOverflow(1)
        // A wild generation is damage; following it would leave the next process without room to count.
        if !overflow, head[1] < 1 << 62 { generationNext = max(generationNext, next) }
        guard head[0] != 0 else { return }
        if let receipt = receipt(start, SlotLayout.finishedArea, generation: head[1]) {
            counts.finished += 1
            receipts.append(receipt)
        } else if var receipt = receipt(start, SlotLayout.begunArea, generation: head[1]) {
            receipt.outcome = .interrupted
            receipt.reason = "the scheduler ended while this call was in flight"
            counts.interrupted += 1
            receipts.append(receipt)
        } else {
            counts.torn += 1
        }
    }

    private func receipt(_ slotStart: Int, _ area: Range<Int>, generation: UInt64) -> Receipt? {
        let head = words(at: slotStart + area.lowerBound * 8, count: 2)
        guard head[0] <= UInt64(area.count - 2) else { return nil }
        let words = words(at: slotStart + (area.lowerBound + 2) * 8, count: Int(head[0]))
        guard SlotLayout.checksum(words[...], generation: generation) == head[1] else { return nil }
        return ReceiptWords.decode(words)
    }

    private func words(at offset: Int, count: Int) -> [UInt64] {
        (0..<count).map { index in
            (0..<8).reduce(0) { $0 | UInt64(bytes[offset + index * 8 + $1]) << UInt64($1 * 8) }
        }
    }
}

/// What the last process left behind when it ended without closing its ledger.
package struct LedgerRecovery: Equatable, Sendable {
    /// Receipts that were written but not yet committed.
    package internal(set) var finished = 0
    /// Attempts that were in flight; each has a receipt that says so.
    package internal(set) var interrupted = 0
    /// Slots whose write was cut short before their attempt was admitted, or that the disk has damaged.
    package internal(set) var torn = 0

    package init(finished: Int = 0, interrupted: Int = 0, torn: Int = 0) {
        self.finished = finished
        self.interrupted = interrupted
        self.torn = torn
    }
}
