import Linux
import NIOCore
import Wire

/// The scheduler's side of one worker's rings, on its event loop.
///
/// ```
///  send ─► ring, or the queue where it is full ─► the worker is woken if it sleeps
///                      ▲                                      │
///                      └─ room                                ▼
///  delegate ◄── assembly ◄── drain ◄── a look in time, or the doorbell
/// ```
/// It never waits: what does not fit stays in the queue until the worker has made room.
final class WorkerLine {
    /// Doorbells that brought nothing, one after another, before the worker is given up: one is left over from a look
    /// that came first, and more are a worker that wants to keep the loop awake.
    private static let emptyDoorbellsMax = 64

    private let name: WorkerName
    private var worker: UInt32 { name.number }
    private let loop: any EventLoop
    private let delegate: any WorkerChannelDelegate
    private var rings: RingPair
    private var assembly = ReplyAssembly()
    private var poll = PollBudget()
    /// Frames that found no room, oldest first.
    private var queue = CircularBuffer<Outgoing>()
    /// When the calls in flight were sent, oldest first: a worker answers them in their order.
    private var sentAt = CircularBuffer<UInt64>()
    /// Calls of a batch that are put and not shown to the worker yet.
    private var batchCount = 0
    private var isBooting = true
    private var isOver = false
    private var isLooking = false
    private var lookUntil: UInt64 = 0
    private var emptyDoorbells = 0
    private var isRousingDue = false
    private var lastHead: (head: CallHead, bytes: ByteBuffer)?
    /// Of calls in flight whose replies may come over time.
    private var streams: [UInt64: OpenStream] = [:]
    /// The payload of a frame that has none.
    private let nothing = ByteBuffer()

    private var nested = NestedAssembly()
    /// Of calls in flight that may call others.
    private var runners: [UInt64: NestedRunner] = [:]

    private struct OpenStream {
        var stream: ReplyStream
        var loop: any EventLoop
        /// Bytes taken and not granted yet.
        var takenCount = 0
    }

    private struct Outgoing {
        var header: FrameHeader
        var payload: ByteBuffer
    }

    init(worker name: WorkerName, rings: consuming RingPair, loop: any EventLoop, delegate: any WorkerChannelDelegate) {
        self.name = name
        self.rings = rings
        self.loop = loop
        self.delegate = delegate
        // It will say that it is ready, whenever that is.
        self.rings.announce(.bytes)
    }

    // MARK: Out

    func send(_ order: WorkOrder, as invocation: UInt64, followers: Int = 0) {
        if isOver { return }
        if let stream = order.stream {
            streams[invocation] = OpenStream(stream: stream, loop: order.loop)
            assembly.expectStream(invocation)
        }
        if let runner = order.nested { runners[invocation] = runner }
        let body = order.body
        put(.open, invocation, head(of: order), code: UInt16(followers))
        putBody(body, invocation)
        put(.close, invocation, nothing)
        let now = Clock.monotonicNanoseconds()
        sentAt.append(now)
        // The worker hears of a batch once, when all of it is there.
        if followers > 0 {
            batchCount += 1
            return
        }
        publish(newCalls: batchCount + 1)
        batchCount = 0
        lookUntil = now + poll.next()
        expect(at: now)
    }

    /// Calls of one function mostly look the same: their head is encoded once.
    private func head(of order: WorkOrder) -> ByteBuffer {
        let bodyCount = UInt32(order.body.readableBytes)
        if let lastHead, lastHead.head.bodyCount == bodyCount, lastHead.head.contentType == order.contentType,
            lastHead.head.form == order.form
        {
            return lastHead.bytes
        }
        let head = CallHead(bodyCount: bodyCount, contentType: order.contentType, form: order.form)
        let bytes = ByteBuffer(bytes: head.encoded())
        lastHead = (head, bytes)
        return bytes
    }

    private func put(_ kind: FrameHeader.Kind, _ invocation: UInt64, _ payload: ByteBuffer, code: UInt16 = 0) {
        let header = FrameHeader(kind, code: code, invocation: invocation, payloadCount: payload.readableBytes)
        if queue.isEmpty, fits(header.payloadCount) { return write(header, payload) }
        queue.append(Outgoing(header: header, payload: payload))
    }

    /// In as few frames as it takes; none for nothing.
    private func putBody(_ body: ByteBuffer, _ invocation: UInt64) {
        if body.readableBytes <= WireLimits.framePayloadBytesMax {
            if body.readableBytes > 0 { put(.chunk, invocation, body) }
            return
        }
        var rest = body
        while let piece = rest.readSlice(length: min(rest.readableBytes, WireLimits.framePayloadBytesMax)),
            piece.readableBytes > 0
        {
            put(.chunk, invocation, piece)
        }
    }

    private func fits(_ payloadCount: Int) -> Bool {
        do throws(RingError) {
            return try rings.hasRoom(payloadCount: payloadCount)
        } catch {
            breakOff("\(error)")
            return false
        }
    }

    private func write(_ header: FrameHeader, _ payload: ByteBuffer) {
        unsafe payload.withUnsafeReadableBytes { bytes in
            let payload = unsafe RawSpan(_unsafeBytes: bytes)
            rings.put(header.words, payload: payload)
        }
    }

    /// Moves what waits into the ring as far as there is room.
    private func writeQueue() {
        guard !queue.isEmpty else { return }
        var hasWritten = false
        while let frame = queue.first, fits(frame.header.payloadCount) {
            write(frame.header, frame.payload)
            queue.removeFirst()
            hasWritten = true
        }
        if hasWritten { publish() }
    }

    /// Shows the worker what was put, and wakes it where it sleeps.
    ///
    /// With other calls in flight the wake-up waits until the loop has read what else came: one for all of them.
    private func publish(newCalls: Int = 1) {
        guard rings.publishSent() else { return }
        guard sentAt.count > newCalls else { return rings.rouseFarSide() }
        isRousingDue = true
        if !isLooking { lookSoon() }
    }

    private func rouseIfDue() {
        guard isRousingDue else { return }
        isRousingDue = false
        rings.rouseFarSide()
    }

    func end() {
        if isOver { return }
        isOver = true
        queue.removeAll()
        rings.withdraw()
        rings.end()
    }

    // MARK: In

    func hearDoorbell() {
        if isOver { return }
        emptyDoorbells += 1
        if emptyDoorbells > WorkerLine.emptyDoorbellsMax {
            return breakOff("\(emptyDoorbells) doorbells in a row with nothing behind them")
        }
        look()
    }

    /// Takes what is there, then looks again later or goes to sleep, as the worker's calls have taught.
    private func look() {
        if isOver { return }
        drain()
        writeQueue()
        expect(at: lookUntil > 0 ? Clock.monotonicNanoseconds() : 0)
    }

    /// What remains is looked for until the time is over; then the doorbell is relied on.
    private func expect(at now: UInt64) {
        if isOver || isLooking { return }
        guard isBooting || !sentAt.isEmpty else { return rings.withdraw() }
        if now < lookUntil { return lookSoon() }
        lookUntil = 0
        rings.announce(queue.isEmpty ? .bytes : [.bytes, .room])
        // What was published before the announcement is told by nobody.
        if hasSomething() {
            rings.withdraw()
            lookSoon()
        }
    }

    private func lookSoon() {
        isLooking = true
        loop.assumeIsolatedUnsafeUnchecked().execute { [self] in
            isLooking = false
            rouseIfDue()
            look()
        }
    }

    private func hasSomething() -> Bool {
        do throws(RingError) {
            if try rings.waitingCount() > 0 { return true }
        } catch {
            breakOff("\(error)")
            return false
        }
        guard let frame = queue.first else { return false }
        return fits(frame.header.payloadCount)
    }

    /// Takes the frames that wait now; what comes meanwhile waits for the next look, after everybody else.
    private func drain() {
        do {
            var waiting = try rings.waitingCount()
            guard waiting > 0 else { return }
            emptyDoorbells = 0
            while waiting > 0, !isOver, let words = try rings.takeHeader() {
                let header = try FrameHeader(words: words)
                if NestedCall.owns(header) {
                    let payload = ByteBuffer(bytes: try rings.takePayload(header.payloadCount))
                    waiting -= RingPair.recordByteCount(payloadCount: header.payloadCount)
                    if header.kind != .open { giveBack() }
                    if let order = try nested.take(header, payload) { run(order) }
                    continue
                }
                let step = try unsafe assembly.take(header) { bytes in try unsafe rings.takePayload(into: bytes) }
                waiting -= RingPair.recordByteCount(payloadCount: header.payloadCount)
                if header.kind != .open { giveBack() }
                take(step)
            }
        } catch {
            breakOff("\(error)")
        }
    }

    private func giveBack() {
        if rings.publishTaken() { rings.rouseFarSide() }
    }

    private func take(_ step: ReplyAssembly.Step) {
        switch step {
        case .more:
            break
        case .ready:
            isBooting = false
            delegate.workerIsReady(worker)
        case .grant(let invocation, let bytes):
            grant(invocation, bytes)
        case .began(let invocation, let contentType):
            guard let open = streams[invocation] else { return }
            onLoop(of: open) { open.stream.begin(contentType) }
        case .piece(let invocation, let piece):
            pass(piece, of: invocation)
        case .answered(let invocation, let result):
            if !streams.isEmpty { streams[invocation] = nil }
            if !runners.isEmpty { runners[invocation] = nil }
            let now = Clock.monotonicNanoseconds()
            if let sent = sentAt.popFirst() { poll.note(holdNanoseconds: now - sent) }
            delegate.worker(worker, answered: invocation, with: result, at: now)
        }
    }

    private func grant(_ invocation: UInt64, _ bytes: Int) {
        var payload = ByteBuffer()
        payload.writeInteger(UInt32(bytes), endianness: .little)
        put(.credit, invocation, payload)
        publish()
        if !queue.isEmpty { expect(at: Clock.monotonicNanoseconds()) }
    }

    // MARK: Calls of the worker's own

    private func run(_ order: NestedAssembly.Order) {
        guard let runner = runners[order.parent] else {
            let message = "this function may call no others; name them in calls in function.yaml"
            return answer(order.number, .failure(.refused, message: message))
        }
        let line = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        runner(order.request) { reply in
            if loop.inEventLoop { return line.value.answer(order.number, reply) }
            loop.execute { line.value.answer(order.number, reply) }
        }
    }

    private func answer(_ number: UInt64, _ reply: NestedReply) {
        if isOver { return }
        nested.noteAnswered(number)
        switch reply {
        case .reply(let reply):
            put(.open, number, ByteBuffer(bytes: ReplyHead(contentType: reply.contentType).encoded()))
            putBody(reply.body, number)
            put(.close, number, nothing)
        case .failure(let code, let message):
            let text = message.utf8.prefix(WireLimits.failureMessageBytesMax)
            put(.close, number, ByteBuffer(bytes: Array(text)), code: code.rawValue)
        }
        publish()
        // What found no room waits for some: nobody told the worker yet that this side does.
        expect(at: Clock.monotonicNanoseconds())
    }

    // MARK: Streams

    private func pass(_ piece: ByteBuffer, of invocation: UInt64) {
        guard let open = streams[invocation] else { return }
        let line = NIOLoopBound(self, eventLoop: loop)
        let count = piece.readableBytes
        let loop = loop
        onLoop(of: open) {
            open.stream.take(piece) {
                if loop.inEventLoop { return line.value.noteTaken(count, of: invocation) }
                loop.execute { line.value.noteTaken(count, of: invocation) }
            }
        }
    }

    private func onLoop(of open: OpenStream, _ act: @escaping @Sendable () -> Void) {
        if open.loop.inEventLoop { return act() }
        open.loop.execute(act)
    }

    private func noteTaken(_ count: Int, of invocation: UInt64) {
        guard !isOver, var open = streams[invocation] else { return }
        open.takenCount += count
        if open.takenCount >= FleetLimits.creditStepBytes {
            grant(invocation, open.takenCount)
            open.takenCount = 0
        }
        streams[invocation] = open
    }

    private func breakOff(_ complaint: String) {
        if isOver { return }
        end()
        delegate.worker(worker, brokeContract: complaint)
    }
}
