import HummingbirdCore
import Invoking
import Metering
import NIOCore
import NIOHTTP1

/// The order of requests on one connection, and the calls among them, answered on its event loop.
///
/// Sits between NIO's HTTP/1 codec and the router's. One request has its turn at a time, whoever answers it: a call
/// here, or everything else in the router. What arrives meanwhile waits, and with something waiting nothing more is
/// read: a client gets its replies in order, and a connection holds one read of the socket at the most.
///
/// ```
/// free ──call's head──► reading ──end──► running ──reply──► free
///   │                      └──refused──► dropping (a short rest) ──end──► free
///   │                      └──refused──► ending (a long rest, or nobody knows where it ends) ──► closed
///   │                                      └──stream begins──► streaming ──reply──► free
///   └──other head──► routed ──end and reply, in either order──► free
/// ```
final class InvocationLane: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let door: InvocationDoor
    private var memory = InvocationHead.Memory()
    private var turn = Turn.free
    private var waiting = CircularBuffer<Arrival>()
    private var isServing = false
    private var isReadHeld = false
    /// Parts went on to the router since it was last told that a read is complete.
    private var hasForwarded = false
    private var isQuiescing = false
    private var isInputClosed = false
    private var context: ChannelHandlerContext?
    /// The codec's encoder: what is written from its context is bytes already.
    private var encoder: ChannelHandlerContext?
    /// Kept from reply to reply, while it is small.
    private var output = ByteBuffer()
    private var lastActive = NIODeadline.distantPast
    private var idleTask: Scheduled<Void>?
    /// Bytes of replies that waited for the client when the idle time was last over; nil where none did.
    private var untakenBytes: Int?
    /// Of the call that may stream.
    private var cancellation: CallCancellation?

    init(door: InvocationDoor) {
        self.door = door
    }

    // MARK: The connection's life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
        encoder = nil
    }

    private func begin(_ context: ChannelHandlerContext) {
        lastActive = context.eventLoop.now
        if idleTask == nil { watchIdle(context, until: lastActive + DoorLimits.idleTimeout) }
    }

    /// A call that runs is not stopped by this: its receipt tells of it, its reply finds nobody.
    private func end() {
        if case .streaming = turn { cancellation?.cancel() }
        cancellation = nil
        idleTask?.cancel()
        idleTask = nil
        waiting.removeAll()
        turn = .ending(bytesDropped: 0)
    }

    // MARK: What arrives

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        arrive(.part(unwrapInboundIn(data)), context)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Once for all the parts of a read. What is dropped keeps no connection open.
        if case .ending = turn {} else { lastActive = context.eventLoop.now }
        completeForwarding(context)
    }

    private func completeForwarding(_ context: ChannelHandlerContext) {
        // The router's side has nothing to do for what it did not get.
        guard hasForwarded else { return }
        hasForwarded = false
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Only what the parser says has a place among the requests; a broken socket concerns all of them now.
        guard error is HTTPParserError else { return context.fireErrorCaught(error) }
        arrive(.failure(error), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            isQuiescing = true
            rest(context)
        case ChannelEvent.inputClosed:
            isInputClosed = true
            arrive(.inputClosed, context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func read(context: ChannelHandlerContext) {
        if waiting.isEmpty { context.read() } else { isReadHeld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { serveWaiting(context) }
        context.fireChannelWritabilityChanged()
    }

    private func arrive(_ arrival: Arrival, _ context: ChannelHandlerContext) {
        if waiting.isEmpty, mayTake(arrival, context) {
            take(arrival, context)
        } else {
            waiting.append(arrival)
        }
    }

    /// Whether an arrival belongs to the request that has its turn, or begins the next one.
    private func mayTake(_ arrival: Arrival, _ context: ChannelHandlerContext) -> Bool {
        switch turn {
        case .running, .streaming: false
        case .routed(let request):
            // That nothing more comes is for the router's ears at once: it may be all that a follower of logs waits for.
            if case .part = arrival { !request.isRead } else { true }
        // A client that sends requests and reads no replies waits with us.
        case .free: context.channel.isWritable
        case .reading, .dropping, .ending: true
        }
    }

    private func take(_ arrival: Arrival, _ context: ChannelHandlerContext) {
        switch arrival {
        case .part(let part): take(part, context)
        case .failure(let error): takeFailure(error, context)
        case .inputClosed: takeEnd(context)
        }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch turn {
        case .free:
            guard case .head(let head) = part else { return }
            take(head, context)
        case .reading(let call):
            read(part, of: call, context)
        case .dropping:
            if case .end = part { finishTurn(context) }
        case .routed(var request):
            if case .end = part { request.isRead = true }
            turn = .routed(request)
            forward(part, context)
            settle(request, context)
        case .ending(let bytesDropped):
            drop(part, after: bytesDropped, context)
        case .running, .streaming:
            preconditionFailure("what follows a running call waits")
        }
    }

    private func take(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard let invocation = InvocationHead(head, &memory, route: door.route) else {
            let isLast = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
            turn = .routed(RoutedRequest(isLast: isLast))
            return forward(.head(head), context)
        }
        do throws(Refusal) {
            let call = try door.admit(invocation)
            turn = .reading(call)
            if invocation.isContinueAwaited { write(InvocationReply.interimContinue) }
        } catch {
            let leftover = door.leftover(of: invocation)
            refuse(error, invocation.door.dialect, isLast: invocation.isLast || leftover == .long)
        }
    }

    private func read(_ part: HTTPServerRequestPart, of pending: PendingCall, _ context: ChannelHandlerContext) {
        do throws(Refusal) {
            switch part {
            case .head:
                preconditionFailure("the parser ends one request before it begins the next")
            case .body(let piece):
                try pending.take(piece)
            case .end:
                try pending.end()
                run(pending, context)
            }
        } catch {
            // Given up in the middle: where the next request begins is far, or unknown.
            refuse(error, pending.dialect, isLast: true)
        }
    }

    private func takeFailure(_ error: any Error, _ context: ChannelHandlerContext) {
        switch turn {
        case .reading(let pending): refuse(.endedEarly, pending.dialect, isLast: true)
        case .dropping: closeAfterWrites(context)
        case .ending, .running, .streaming: break
        case .free, .routed: context.fireErrorCaught(error)
        }
    }

    private func takeEnd(_ context: ChannelHandlerContext) {
        switch turn {
        case .free, .routed:
            // The router's side closes when it hears of this: not before what we wrote is out.
            afterWrites { $0.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        case .reading, .dropping, .ending, .running, .streaming:
            closeAfterWrites(context)
        }
    }

    // MARK: A call

    private func run(_ pending: PendingCall, _ context: ChannelHandlerContext) {
        var call: Call
        do throws(Refusal) {
            call = try pending.complete()
        } catch {
            output.clear(minimumCapacity: Self.outputBytesMin)
            let isLast = pending.isLast
            InvocationReply.write(error, pending.dialect, isLast: isLast, date: door.date.text(), to: &output)
            return finishReply(nil, isLast: isLast, context)
        }
        turn = .running(isLast: pending.isLast, pending.dialect)
        let lane = NIOLoopBound(self, eventLoop: context.eventLoop)
        if pending.mayStream { offerStream(&call, lane) }
        door.invoke(call, context.eventLoop) { completion in lane.value.answer(completion) }
    }

    private func answer(_ completion: Completion) {
        if case .streaming(let isLast) = turn { return endStream(completion, isLast: isLast) }
        // The connection may have ended meanwhile.
        guard case .running(let isLastAsked, let dialect) = turn, let context else { return }
        let isLast = isLastAsked || isQuiescing && waiting.isEmpty
        output.clear(minimumCapacity: Self.outputBytesMin)
        let body = InvocationReply.write(completion, dialect, isLast: isLast, date: door.date.text(), to: &output)
        finishReply(body, isLast: isLast, context)
    }

    private func refuse(_ refusal: Refusal, _ dialect: ErrorDialect, isLast: Bool) {
        guard let context else { return }
        output.clear(minimumCapacity: Self.outputBytesMin)
        InvocationReply.write(refusal, dialect, isLast: isLast, date: door.date.text(), to: &output)
        write(nil)
        if isLast { endConnection(context) } else { turn = .dropping }
    }

    private func finishReply(_ body: ByteBuffer?, isLast: Bool, _ context: ChannelHandlerContext) {
        write(body)
        if isLast { endConnection(context) } else { finishTurn(context) }
    }

    /// Sends what is in `output`, and a body that was too large to be copied there.
    private func write(_ body: ByteBuffer?) {
        encoder?.write(NIOAny(output), promise: nil)
        if let body { encoder?.write(NIOAny(body), promise: nil) }
        encoder?.flush()
        if output.capacity > Self.outputBytesKept { output = ByteBuffer() }
    }

    private func write(_ text: StaticString) {
        encoder?.writeAndFlush(NIOAny(ByteBuffer(staticString: text)), promise: nil)
    }

    /// A head is some 350 bytes.
    private static let outputBytesMin = 512
    /// A head and a body that is copied behind it; idle connections keep no more.
    private static let outputBytesKept = 2 * InvocationReply.inlineBytesMax

    // MARK: A stream

    private func offerStream(_ call: inout Call, _ lane: NIOLoopBound<InvocationLane>) {
        let cancellation = CallCancellation()
        self.cancellation = cancellation
        call.cancellation = cancellation
        call.stream = CallStream(
            begin: { id, contentType in lane.value.beginStream(id, contentType) },
            take: { piece, taken in lane.value.take(piece, taken) }
        )
    }

    private func beginStream(_ id: InvocationID, _ contentType: String) {
        guard case .running(let isLastAsked, _) = turn else {
            // Nobody is there to take what would follow.
            cancellation?.cancel()
            return
        }
        let isLast = isLastAsked || isQuiescing && waiting.isEmpty
        turn = .streaming(isLast: isLast)
        output.clear(minimumCapacity: Self.outputBytesMin)
        InvocationReply.writeStreamHead(id, contentType, isLast: isLast, date: door.date.text(), to: &output)
        write(nil)
    }

    private func take(_ piece: ByteBuffer, _ taken: @escaping @Sendable () -> Void) {
        guard case .streaming = turn, let context, let encoder else { return taken() }
        output.clear(minimumCapacity: Self.outputBytesMin)
        output.writeString(String(piece.readableBytes, radix: 16))
        output.writeStaticString("\r\n")
        encoder.write(NIOAny(output), promise: nil)
        encoder.write(NIOAny(piece), promise: nil)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in taken() }
        encoder.writeAndFlush(NIOAny(ByteBuffer(staticString: "\r\n")), promise: written)
    }

    /// A stream that fails has no end that a client could take for one.
    private func endStream(_ completion: Completion, isLast: Bool) {
        cancellation = nil
        guard let context else { return }
        guard case .success = completion.result else { return closeAfterWrites(context) }
        output.clear(minimumCapacity: Self.outputBytesMin)
        output.writeStaticString("0\r\n\r\n")
        finishReply(nil, isLast: isLast, context)
    }

    // MARK: A request of the router's

    private func forward(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        hasForwarded = true
        context.fireChannelRead(wrapInboundOut(part))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        guard case .routed(var request) = turn else { return }
        switch unwrapOutboundIn(data) {
        case .head(let head):
            let isLast = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
            request.isLast = request.isLast || isLast
        case .body:
            return
        case .end:
            request.isAnswered = true
        }
        turn = .routed(request)
        settle(request, context)
    }

    private func settle(_ request: RoutedRequest, _ context: ChannelHandlerContext) {
        guard request.isRead, request.isAnswered else { return }
        lastActive = context.eventLoop.now
        // The router's side closes most of these itself, a moment later.
        if request.isLast { endConnection(context) } else { finishTurn(context) }
    }

    // MARK: The next request

    private func finishTurn(_ context: ChannelHandlerContext) {
        turn = .free
        lastActive = context.eventLoop.now
        serveWaiting(context)
        rest(context)
    }

    private func serveWaiting(_ context: ChannelHandlerContext) {
        // A request that is refused at once ends its turn within this loop, and does not begin another one.
        guard !isServing, !waiting.isEmpty else { return }
        isServing = true
        while let next = waiting.first, mayTake(next, context) {
            waiting.removeFirst()
            take(next, context)
        }
        isServing = false
        completeForwarding(context)
        if waiting.isEmpty, isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    // MARK: The end

    /// A connection without a request closes when the node drains.
    private func rest(_ context: ChannelHandlerContext) {
        guard isQuiescing, waiting.isEmpty, !isServing, case .free = turn else { return }
        closeAfterWrites(context)
    }

    /// The last reply is written: says so to the client, and reads what it still sends, or it would see a reset
    /// connection instead of the reply.
    private func endConnection(_ context: ChannelHandlerContext) {
        turn = .ending(bytesDropped: 0)
        waiting.removeAll()
        if isInputClosed { return closeAfterWrites(context) }
        // A long reply to a slow client takes its time before that.
        afterWrites { [weak self] context in
            context.close(mode: .output, promise: nil)
            self?.linger(context)
        }
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    private func linger(_ context: ChannelHandlerContext) {
        let task = context.eventLoop.assumeIsolated().scheduleTask(in: DoorLimits.lingerTimeout) { [weak self] in
            self?.context?.close(promise: nil)
        }
        context.channel.closeFuture.assumeIsolated().whenComplete { _ in task.cancel() }
    }

    private func drop(_ part: HTTPServerRequestPart, after bytesDropped: Int, _ context: ChannelHandlerContext) {
        guard case .body(let piece) = part else { return }
        let count = bytesDropped + piece.readableBytes
        turn = .ending(bytesDropped: count)
        if count > DoorLimits.lingerBytesMax { context.close(promise: nil) }
    }

    private func closeAfterWrites(_ context: ChannelHandlerContext) {
        turn = .ending(bytesDropped: 0)
        waiting.removeAll()
        afterWrites { $0.close(promise: nil) }
    }

    /// What was written before is with the kernel by then, or lost.
    private func afterWrites(_ act: @escaping (ChannelHandlerContext) -> Void) {
        guard let context, let encoder else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [weak self] _ in
            guard let context = self?.context else { return }
            act(context)
        }
        encoder.writeAndFlush(NIOAny(ByteBuffer()), promise: written)
    }

    /// Closes a connection that brings nothing for too long.
    ///
    /// One timer, set anew when it fires early: a request costs it nothing.
    private func watchIdle(_ context: ChannelHandlerContext, until deadline: NIODeadline) {
        idleTask = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            guard let self, let context = self.context else { return }
            idleTask = nil
            let isAnswering =
                switch turn {
                case .running: true
                // Of a stream its function is waited for while nothing of it waits for the client.
                case .streaming: bufferedBytes(context) == 0
                case .routed(let request): request.isRead && !request.isAnswered
                case .free, .reading, .dropping, .ending: false
                }
            let now = context.eventLoop.now
            let isBusy = isAnswering || isReplyTaken(context)
            let due = isBusy ? now + DoorLimits.idleTimeout : lastActive + DoorLimits.idleTimeout
            if due <= now { context.close(promise: nil) } else { watchIdle(context, until: due) }
        }
    }

    private func bufferedBytes(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Whether a client has taken some of what waits for it since this was last asked, or was never asked.
    private func isReplyTaken(_ context: ChannelHandlerContext) -> Bool {
        let bytes = bufferedBytes(context)
        defer { untakenBytes = bytes > 0 ? bytes : nil }
        return untakenBytes.map { bytes < $0 } ?? (bytes > 0)
    }
}
