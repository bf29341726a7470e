import CLinux
import Glibc

/// Two byte rings in memory that two processes share, and who of them sleeps; one side's view.
///
/// ```
///        0 ┌────────────────────────────────┐
///          │ near.sent    u64 ─┐ 128 bytes  │  a cursor counts bytes from the beginning and never wraps;
///      128 │ far.taken    u64  │ apart: two │  masked, it is a place in its ring
///      256 │ far.sent     u64  │ cores that │
///      384 │ near.taken   u64  │ spin never │
///      512 │ near.waits   u32  │ share a    │  what the side sleeps for, 0 while it is awake;
///      640 │ far.waits    u32  │ line       │  the far side's is the word of its futex
///      768 │ ended        u32 ─┘            │  the near side wants no more
///     4096 ├────────────────────────────────┤
///          │ ring near → far                │  records of a 16-byte header and a payload, padded to 16 bytes,
///        N ├────────────────────────────────┤  published whole; a payload may run over the ring's end
///          │ ring far → near                │
///          └────────────────────────────────┘
/// ```
/// The other side may be hostile and may write any byte at any time. So: own cursors are kept here and only written
/// there; the other side's are read once and checked; a header is copied out before it is believed, a payload is
/// copied out before it is looked at.
@safe package struct RingPair: ~Copyable {
    package enum Side: Sendable {
        case near, far
    }

    /// What a side sleeps for.
    package struct Waits: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Something to take.
        package static let bytes = Waits(rawValue: 1)
        /// Room to send.
        package static let room = Waits(rawValue: 2)
    }

    /// Bytes before the rings: one page, the cursors'.
    private static let cursorsByteCount = Mapping.pageByteCount
    private static let lineByteCount = 128
    /// Records start at multiples of it, so that a header lies in one piece.
    package static let recordAlignment = 16

    private let memory: Mapping
    private let ringByteCount: Int
    private let side: Side
    /// What this side has put into its ring, published or not, and has taken out of the other.
    private var sent: UInt64 = 0
    private var taken: UInt64 = 0
    /// The other side's cursors, as last read and checked.
    private var peerSent: UInt64 = 0
    private var peerTaken: UInt64 = 0

    /// Bytes of the memory for two rings of this size, a power of two of at least a page.
    package static func byteCount(ringByteCount: Int) -> Int {
        cursorsByteCount + 2 * ringByteCount
    }

    /// - Parameter file: of ``byteCount(ringByteCount:)`` bytes, sealed; zero, as it was made.
    package init(
        mapping file: borrowing FileDescriptor,
        ringByteCount: Int,
        as side: Side
    ) throws(SystemError) {
        precondition(
            ringByteCount >= Mapping.pageByteCount && ringByteCount & (ringByteCount - 1) == 0,
            "a ring is a power of two of pages"
        )
        let byteCount = RingPair.byteCount(ringByteCount: ringByteCount)
        memory = try Mapping.file(file, byteCount: byteCount, writable: true, shared: true)
        self.ringByteCount = ringByteCount
        self.side = side
    }

    /// Bytes of a ring that a record takes.
    package static func recordByteCount(payloadCount: Int) -> Int {
        recordAlignment + padded(payloadCount)
    }

    /// Brings the pages into this process that cursors and the first frames of both rings lie in.
    package func bringInFirstPages() {
        let pageByteCount = Mapping.pageByteCount
        // Two pages a ring: a call of a few sentences, and a reply with a vector for one of them.
        memory.advise(.willWrite, 0..<pageByteCount)
        for ring in 0..<2 {
            let start = RingPair.cursorsByteCount + ring * ringByteCount
            memory.advise(.willWrite, start..<start + min(2 * pageByteCount, ringByteCount))
        }
    }

    // MARK: Taking

    /// Bytes that wait to be taken.
    package mutating func waitingCount() throws(RingError) -> Int {
        let seen = unsafe thaw_word_load(word(side == .near ? 2 : 0))
        let count = seen &- taken
        guard count <= UInt64(ringByteCount), count % UInt64(RingPair.recordAlignment) == 0 else {
            throw .sentCursor(seen)
        }
        peerSent = seen
        return Int(count)
    }

    /// Copies the next header out; nil where nothing waits.
    package mutating func takeHeader() throws(RingError) -> (UInt64, UInt64)? {
        if peerSent == taken, try waitingCount() == 0 { return nil }
        // Aligned, and loaded as the cursors are: a plain load might be made again after the check.
        let header = unsafe (ringTaking + place(taken)).assumingMemoryBound(to: UInt64.self)
        let words = unsafe (thaw_word_load(header), thaw_word_load(header + 1))
        taken &+= 16
        return words
    }

    /// Copies the payload that follows a header out, all of it; its length is what the copied header said.
    package mutating func takePayload(into bytes: UnsafeMutableRawBufferPointer) throws(RingError) {
        guard UInt64(RingPair.padded(bytes.count)) <= peerSent &- taken else { throw .cutRecord(bytes.count) }
        unsafe copyPayload(into: bytes)
    }

    /// As ``takePayload(into:)``, into bytes of its own.
    package mutating func takePayload(_ count: Int) throws(RingError) -> [UInt8] {
        guard UInt64(RingPair.padded(count)) <= peerSent &- taken else { throw .cutRecord(count) }
        if count == 0 { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe copyPayload(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
            )
            filled = count
        }
    }

    private mutating func copyPayload(into bytes: UnsafeMutableRawBufferPointer) {
        let start = place(taken)
        let first = min(bytes.count, ringByteCount - start)
        if let base = bytes.baseAddress {
            _ = unsafe memcpy(base, ringTaking + start, first)
            if first < bytes.count { _ = unsafe memcpy(base + first, ringTaking, bytes.count - first) }
        }
        taken &+= UInt64(RingPair.padded(bytes.count))
    }

    /// Gives the room of what was taken back; answers whether the other side slept for it and must be woken.
    package mutating func publishTaken() -> Bool {
        unsafe thaw_word_store(word(side == .near ? 3 : 1), taken)
        return rousesPeer(.room)
    }

    // MARK: Sending

    /// Whether a record with a payload of so many bytes fits now.
    package mutating func hasRoom(payloadCount: Int) throws(RingError) -> Bool {
        let needed = UInt64(16 + RingPair.padded(payloadCount))
        if needed <= UInt64(ringByteCount) &- (sent &- peerTaken) { return true }
        let seen = unsafe thaw_word_load(word(side == .near ? 1 : 3))
        guard sent &- seen <= sent &- peerTaken else { throw .takenCursor(seen) }
        peerTaken = seen
        return needed <= UInt64(ringByteCount) &- (sent &- seen)
    }

    /// Puts a record where ``hasRoom(payloadCount:)`` said that it fits; the other side sees it once it is published.
    package mutating func put(_ header: (UInt64, UInt64), payload: borrowing RawSpan) {
        precondition(
            UInt64(16 + RingPair.padded(payload.byteCount)) <= UInt64(ringByteCount) &- (sent &- peerTaken),
            "there is room for the record"
        )
        let place = unsafe ringSending + place(sent)
        unsafe place.storeBytes(of: header.0, as: UInt64.self)
        unsafe place.storeBytes(of: header.1, toByteOffset: 8, as: UInt64.self)
        sent &+= 16
        unsafe payload.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            let start = self.place(sent)
            let first = min(bytes.count, ringByteCount - start)
            _ = unsafe memcpy(ringSending + start, base, first)
            if first < bytes.count { _ = unsafe memcpy(ringSending, base + first, bytes.count - first) }
        }
        sent &+= UInt64(RingPair.padded(payload.byteCount))
    }

    /// Shows the other side what was put; answers whether it slept for it and must be woken.
    package mutating func publishSent() -> Bool {
        unsafe thaw_word_store(word(side == .near ? 0 : 2), sent)
        return rousesPeer(.bytes)
    }

    // MARK: Sleeping

    /// Says that this side is going to sleep.
    ///
    /// Look once more afterwards: what was published before is not told of.
    package func announce(_ waits: Waits) {
        _ = unsafe thaw_flags_exchange(flags(side == .near ? 4 : 5), waits.rawValue)
    }

    /// This side is awake.
    package func withdraw() {
        let own = unsafe flags(side == .near ? 4 : 5)
        if unsafe thaw_flags_load(own) != 0 { _ = unsafe thaw_flags_exchange(own, 0) }
    }

    /// The far side's sleep, until the near side wakes it; may return too early.
    package func sleep(_ waits: Waits) throws(SystemError) {
        precondition(side == .far, "the near side has a loop that it sleeps in")
        _ = try checkedUnlessBlocked("futex") { unsafe thaw_flags_sleep(flags(5), waits.rawValue) }
    }

    /// Wakes the far side where it sleeps.
    package func rouseFarSide() {
        precondition(side == .near, "the near side has a doorbell")
        _ = unsafe thaw_flags_wake(flags(5))
    }

    /// The near side wants no more: wakes the far side to read that.
    package func end() {
        precondition(side == .near, "the far side ends by ending")
        _ = unsafe thaw_flags_exchange(flags(6), 1)
        _ = unsafe thaw_flags_exchange(flags(5), 0)
        rouseFarSide()
    }

    package var hasEnded: Bool {
        unsafe thaw_flags_load(flags(6)) != 0
    }

    /// Waits a hundred cycles or less, politely to the other thread of the core.
    package static func relax() {
        thaw_relax()
    }

    private func rousesPeer(_ waits: Waits) -> Bool {
        // Their announcement, then their look; our publication, then ours: one of us sees the other.
        thaw_fence()
        let peers = unsafe flags(side == .near ? 5 : 4)
        guard unsafe thaw_flags_load(peers) & waits.rawValue != 0 else { return false }
        return unsafe thaw_flags_exchange(peers, 0) != 0
    }

    // MARK: Places

    private static func padded(_ count: Int) -> Int {
        (count + recordAlignment - 1) & ~(recordAlignment - 1)
    }

    private func place(_ cursor: UInt64) -> Int {
        Int(truncatingIfNeeded: cursor) & (ringByteCount - 1)
    }

    private func word(_ line: Int) -> UnsafeMutablePointer<UInt64> {
        unsafe (memory.baseAddress + line * RingPair.lineByteCount).assumingMemoryBound(to: UInt64.self)
    }

    private func flags(_ line: Int) -> UnsafeMutablePointer<UInt32> {
        unsafe (memory.baseAddress + line * RingPair.lineByteCount).assumingMemoryBound(to: UInt32.self)
    }

    private var ringSending: UnsafeMutableRawPointer {
        unsafe memory.baseAddress + RingPair.cursorsByteCount + (side == .near ? 0 : ringByteCount)
    }

    private var ringTaking: UnsafeMutableRawPointer {
        unsafe memory.baseAddress + RingPair.cursorsByteCount + (side == .near ? ringByteCount : 0)
    }
}

/// What the other side of a ring wrote that it may not.
package enum RingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It says that it sent more than the ring holds, or a part of a record's alignment.
    case sentCursor(UInt64)
    /// It says that it took more than it was sent, or gave back what it had taken.
    case takenCursor(UInt64)
    /// A record of this payload was published in part.
    case cutRecord(Int)

    package var description: String {
        switch self {
        case .sentCursor(let cursor): "a cursor \(cursor) that its ring cannot have"
        case .takenCursor(let cursor): "a cursor \(cursor) of what it took that its ring cannot have"
        case .cutRecord(let count): "a part of a frame of \(count) bytes"
        }
    }
}
