import Linux

/// The file behind the ring: one process at a time, and never sparse.
struct SlotFile: ~Copyable {
    private let path: String
    private let descriptor: FileDescriptor

    /// Lets another process have the file, also while somebody still holds this object.
    func unlock() {
        // A lock that will not go goes with the process.
        try? descriptor.unlock()
    }

    /// Opens the file, makes it where there is none, and locks out other processes until this one ends.
    init(path: String) throws(LedgerError) {
        let descriptor = try SlotFile.onDisk(path) { () throws(SystemError) in
            try FileDescriptor.open(path, [.readingWriting, .creating], permissions: 0o600)
        }
        guard try SlotFile.onDisk(path, { () throws(SystemError) in try descriptor.lockExclusively() }) else {
            throw .inUse(path: path)
        }
        self.path = path
        self.descriptor = descriptor
    }

    /// What the process before this one left in flight.
    func recover() throws(LedgerError) -> SlotRecovery {
        // Nothing of ours is longer, so a longer file need not be read to the end to be refused.
        let countMax = SlotLayout.byteCount(slots: SlotLayout.slotCountMax) + 1
        let bytes = try SlotFile.onDisk(path) { () throws(SystemError) in
            try descriptor.pread(count: min(try descriptor.size(), countMax), at: 0)
        }
        guard bytes.count < countMax, let recovery = SlotRecovery(bytes) else { throw .notSlots(path: path) }
        return recovery
    }

    /// Empties the slots, once everything in them is committed, and maps them.
    func ring(after recovery: SlotRecovery, slotCount: Int) throws(LedgerError) -> SlotRing {
        let byteCount = SlotLayout.byteCount(slots: slotCount)
        let header = SlotLayout.header(slots: slotCount).flatMap(SlotFile.bytes(of:))
        let mapping = try SlotFile.onDisk(path) { () throws(SystemError) in
            let isEmpty = recovery.receipts.isEmpty && recovery.counts.torn == 0
            let isOfThisSize = try descriptor.size() == byteCount && recovery.slotCount == slotCount
            if !isEmpty || !isOfThisSize {
                try descriptor.truncate(to: 0)
                // A store to a mapped page without a block on a full disk is a SIGBUS: the blocks are taken now.
                try descriptor.allocate(byteCount: byteCount)
                try descriptor.pwrite(header, at: 0)
                try descriptor.sync()
            }
            return try Mapping.file(descriptor, byteCount: byteCount, writable: true, shared: true)
        }
        return SlotRing(mapping, slotCount: slotCount, generationNext: recovery.generationNext)
    }

    private static func bytes(of word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }

    private static func onDisk<Value: ~Copyable>(
        _ path: String,
        _ body: () throws(SystemError) -> Value
    ) throws(LedgerError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw .storage("\(path): \(error)")
        }
    }
}
