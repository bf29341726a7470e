import Linux
package import NIOCore
import NIOPosix
import Wire

/// What a worker channel tells its fleet, on its event loop.
protocol WorkerChannelDelegate: AnyObject, Sendable {
    func workerIsReady(_ worker: UInt32)
    func worker(_ worker: UInt32, answered invocation: UInt64, with result: Result<WorkReply, WorkFailure>)
    func worker(_ worker: UInt32, brokeContract complaint: String)
}

/// The body of an answer and what it is.
package struct WorkReply: Sendable, Equatable {
    package var contentType: String
    package var body: ByteBuffer

    package init(contentType: String, body: ByteBuffer) {
        self.contentType = contentType
        self.body = body
    }
}

/// The scheduler's end of one worker's stream socket: calls go out in frames, replies come back in frames.
final class WorkerChannel: Sendable {
    private let channel: EventLoopFuture<any Channel>

    /// - Parameter socket: the scheduler's end; the channel owns it from now on.
    init(
        worker: UInt32,
        socket: consuming Linux.FileDescriptor,
        on loop: any EventLoop,
        delegate: any WorkerChannelDelegate
    ) {
        channel = ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = WorkerFrameHandler(worker: worker, delegate: delegate)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .withConnectedSocket(socket.take())
    }

    /// Sends one call: a small one is a single write.
    func send(invocation: UInt64, contentType: String, body: ByteBuffer) {
        let head = CallHead(bodyCount: UInt32(body.readableBytes), contentType: contentType).encoded()
        var frames = ByteBufferAllocator().buffer(
            capacity: 3 * FrameHeader.byteCount + head.count + min(body.readableBytes, WireLimits.framePayloadBytesMax)
        )
        frames.writeHeader(FrameHeader(.open, invocation: invocation, payloadCount: head.count))
        frames.writeBytes(head)
        var rest = body
        while let piece = rest.readSlice(length: min(rest.readableBytes, WireLimits.framePayloadBytesMax)),
            piece.readableBytes > 0
        {
            frames.writeHeader(FrameHeader(.chunk, invocation: invocation, payloadCount: piece.readableBytes))
            frames.writeImmutableBuffer(piece)
        }
        frames.writeHeader(FrameHeader(.close, invocation: invocation, payloadCount: 0))
        // A worker that is gone is reported by its pidfd, with its reason; a failed write says nothing more.
        channel.whenSuccess { [frames] in $0.writeAndFlush(frames, promise: nil) }
    }

    /// The end of the channel is the worker's order to end.
    func close() {
        channel.whenSuccess { $0.close(promise: nil) }
    }
}

extension ByteBuffer {
    fileprivate mutating func writeHeader(_ header: FrameHeader) {
        var writer = ByteWriter()
        header.write(to: &writer)
        writeBytes(writer.bytes)
    }
}

/// Takes a worker's bytes apart.
///
/// What a worker sends is untrusted: every order of frames that the contract does not have is answered by giving the
/// worker up.
private final class WorkerFrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case booting
        case waiting
        case replying(invocation: UInt64, reply: WorkReply, creditUsed: Int)
        case broken
    }

    private let worker: UInt32
    private let delegate: any WorkerChannelDelegate
    private var received = ByteBuffer()
    private var state = State.booting

    init(worker: UInt32, delegate: any WorkerChannelDelegate) {
        self.worker = worker
        self.delegate = delegate
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
        do {
            while let (header, payload) = try nextFrame() {
                try take(header, payload, context: context)
            }
        } catch {
            breakOff("\(error)", context: context)
        }
        received.discardReadBytes()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func nextFrame() throws(WireError) -> (FrameHeader, ByteBuffer)? {
        guard let head = received.getBytes(at: received.readerIndex, length: FrameHeader.byteCount) else { return nil }
        let header = try FrameHeader(parsing: head)
        guard received.readableBytes >= FrameHeader.byteCount + header.payloadCount else { return nil }
        received.moveReaderIndex(forwardBy: FrameHeader.byteCount)
        let payload = received.readSlice(length: header.payloadCount) ?? ByteBuffer()
        return (header, payload)
    }

    private func take(_ header: FrameHeader, _ payload: ByteBuffer, context: ChannelHandlerContext) throws {
        var payload = payload
        switch (state, header.kind) {
        case (.booting, .ready):
            state = .waiting
            delegate.workerIsReady(worker)
        case (.waiting, .open):
            let head = try ReplyHead(parsing: payload.readBytes(length: payload.readableBytes) ?? [])
            let reply = WorkReply(contentType: head.contentType, body: ByteBuffer())
            state = .replying(invocation: header.invocation, reply: reply, creditUsed: 0)
        case (.waiting, .close) where header.code != 0:
            try answerFailure(header, payload)
        case (.replying(let invocation, var reply, let creditUsed), .chunk) where invocation == header.invocation:
            guard reply.body.readableBytes + payload.readableBytes <= FleetLimits.replyBytesMax else {
                return breakOff("a reply of more than \(FleetLimits.replyBytesMax) bytes", context: context)
            }
            var used = creditUsed + payload.readableBytes
            // The state lets go of the body first, so that it grows in place.
            state = .waiting
            reply.body.writeBuffer(&payload)
            if used >= FleetLimits.creditStepBytes {
                grant(used, to: invocation, context: context)
                used = 0
            }
            state = .replying(invocation: invocation, reply: reply, creditUsed: used)
        case (.replying(let invocation, _, _), .close) where invocation == header.invocation && header.code != 0:
            try answerFailure(header, payload)
        case (.replying(let invocation, let reply, _), .close) where invocation == header.invocation:
            state = .waiting
            delegate.worker(worker, answered: invocation, with: .success(reply))
        default:
            breakOff("a \(header.kind) frame that nothing led up to", context: context)
        }
    }

    private func answerFailure(_ header: FrameHeader, _ payload: ByteBuffer) throws(WireError) {
        guard let code = WorkerFailureCode(rawValue: header.code) else {
            throw .unknownKind(UInt8(truncatingIfNeeded: header.code))
        }
        guard payload.readableBytes <= WireLimits.failureMessageBytesMax else { throw .tooLong(payload.readableBytes) }
        guard let message = String(validating: payload.readableBytesView, as: UTF8.self) else { throw .notText }
        state = .waiting
        delegate.worker(worker, answered: header.invocation, with: .failure(.answered(code, message: message)))
    }

    private func grant(_ bytes: Int, to invocation: UInt64, context: ChannelHandlerContext) {
        var frame = context.channel.allocator.buffer(capacity: FrameHeader.byteCount + 4)
        frame.writeHeader(FrameHeader(.credit, invocation: invocation, payloadCount: 4))
        frame.writeInteger(UInt32(bytes), endianness: .little)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    private func breakOff(_ complaint: String, context: ChannelHandlerContext) {
        if case .broken = state { return }
        state = .broken
        received.clear()
        delegate.worker(worker, brokeContract: complaint)
        context.close(promise: nil)
    }
}
