import Linux
import Wire

/// Why a channel cannot be gone on with.
enum ChannelError: Error, Equatable {
    case system(SystemError)
    case contract(WireError)
    case rings(RingError)
}

/// The worker's side of its channel: frames come out of one ring and go into the other.
struct FrameLine: ~Copyable {
    struct Frame: Equatable {
        var header: FrameHeader
        var payload: [UInt8]
    }

    private var rings: RingPair
    private let doorbell: FileDescriptor
    private var spin = SpinBudget()

    init(rings: consuming RingPair, doorbell: consuming FileDescriptor) {
        self.rings = rings
        self.doorbell = doorbell
    }

    /// Waits for the next frame; `nil` where the scheduler has ended the channel.
    mutating func next() throws(ChannelError) -> Frame? {
        while true {
            if let frame = try nextWaiting() { return frame }
            guard try wait(for: .bytes) else { return nil }
        }
    }

    /// Whether a frame waits.
    mutating func hasFrame() throws(ChannelError) -> Bool {
        try isThere(.bytes, 0)
    }

    /// Touches the memory that the first frames will lie in.
    func warmUp() {
        rings.bringInFirstPages()
    }

    /// Puts a frame into the ring, to be seen after ``flush()``; false where the scheduler has ended the channel.
    mutating func send(_ header: FrameHeader, _ payload: borrowing RawSpan) throws(ChannelError) -> Bool {
        if try !hasRoom(payload.byteCount) {
            try flush()
            guard try wait(for: .room, payloadCount: payload.byteCount) else { return false }
        }
        rings.put(header.words, payload: payload)
        return true
    }

    /// Shows the scheduler what was sent, and wakes it where it sleeps.
    mutating func flush() throws(ChannelError) {
        if rings.publishSent() { try ring() }
    }

    private mutating func nextWaiting() throws(ChannelError) -> Frame? {
        guard let words = try taking({ (rings) throws(RingError) in try rings.takeHeader() }) else { return nil }
        let header: FrameHeader
        do throws(WireError) {
            header = try FrameHeader(words: words)
        } catch {
            throw .contract(error)
        }
        let payload = try taking { (rings) throws(RingError) in try rings.takePayload(header.payloadCount) }
        // A call is complete, or a long one comes: the scheduler may fill the ring while we work.
        if header.kind != .open, rings.publishTaken() { try ring() }
        return Frame(header: header, payload: payload)
    }

    /// Spins while that has paid lately, then sleeps; false where the scheduler has ended the channel.
    private mutating func wait(for waits: RingPair.Waits, payloadCount: Int = 0) throws(ChannelError) -> Bool {
        let begin = Clock.monotonicNanoseconds()
        defer { spin.note(waitedNanoseconds: Clock.monotonicNanoseconds() - begin) }
        if spin.isWorthwhile {
            repeat {
                for _ in 0..<SpinBudget.looksPerClock {
                    if try isThere(waits, payloadCount) { return true }
                    RingPair.relax()
                }
            } while Clock.monotonicNanoseconds() - begin < SpinBudget.nanosecondsMax
        }
        while true {
            rings.announce(waits)
            if try isThere(waits, payloadCount) {
                rings.withdraw()
                return true
            }
            if rings.hasEnded { return false }
            do throws(SystemError) {
                try rings.sleep(waits)
            } catch {
                throw .system(error)
            }
        }
    }

    private mutating func isThere(_ waits: RingPair.Waits, _ payloadCount: Int) throws(ChannelError) -> Bool {
        if waits == .room { return try hasRoom(payloadCount) }
        return try taking { (rings) throws(RingError) in try rings.waitingCount() } > 0
    }

    private mutating func hasRoom(_ payloadCount: Int) throws(ChannelError) -> Bool {
        try taking { (rings) throws(RingError) in try rings.hasRoom(payloadCount: payloadCount) }
    }

    private mutating func taking<Result>(
        _ act: (inout RingPair) throws(RingError) -> Result
    ) throws(ChannelError) -> Result {
        do throws(RingError) {
            return try act(&rings)
        } catch {
            throw .rings(error)
        }
    }

    private func ring() throws(ChannelError) {
        do throws(SystemError) {
            try doorbell.ring()
        } catch {
            throw .system(error)
        }
    }
}
