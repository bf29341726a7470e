import Linux
package import NIOCore
import NIOPosix
import Synchronization
import Wire

/// What a worker channel tells its fleet, on its event loop.
protocol WorkerChannelDelegate: AnyObject, Sendable {
    func workerIsReady(_ worker: UInt32)
    /// - Parameter now: nanoseconds of the monotonic clock at which the reply was complete.
    func worker(
        _ worker: UInt32,
        answered invocation: UInt64,
        with result: Result<WorkReply, WorkFailure>,
        at now: UInt64
    )
    func worker(_ worker: UInt32, brokeContract complaint: String)
}

/// The body of an answer and what it is.
package struct WorkReply: Sendable, Equatable {
    package var contentType: String
    /// Empty where it was streamed.
    package var body: ByteBuffer
    /// Bytes that its stream took; nil where it was none.
    package var streamedByteCount: Int?

    package init(contentType: String, body: ByteBuffer, streamedByteCount: Int? = nil) {
        self.contentType = contentType
        self.body = body
        self.streamedByteCount = streamedByteCount
    }
}

/// The scheduler's end of one worker's rings: calls go out in frames, replies come back in frames.
///
/// May be used from any thread; everything happens on its event loop, at once where the caller is on it.
final class WorkerChannel: Sendable {
    private let loop: any EventLoop
    private let line: NIOLoopBoundBox<WorkerLine>
    /// Reads the doorbell.
    private let bell: EventLoopFuture<any Channel>

    private init(line: sending WorkerLine, doorbell: consuming Linux.FileDescriptor, on loop: any EventLoop) {
        self.loop = loop
        let box = NIOLoopBoundBox.makeBoxSendingValue(line, eventLoop: loop)
        self.line = box
        bell = NIOPipeBootstrap(group: loop)
            // A doorbell's 8 bytes, and a short read: nothing is asked for twice.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DoorbellHandler(line: box.value))
                }
            }
            .takingOwnershipOfDescriptor(input: doorbell.take())
    }

    deinit {
        // A worker that has died leaves nobody who would close its channel.
        close()
    }

    /// Makes the memory and the doorbell; both ends can be used before the worker exists.
    static func make(
        worker: WorkerName,
        on loop: any EventLoop,
        delegate: any WorkerChannelDelegate
    ) throws(SystemError) -> ChannelEnds {
        let byteCount = RingPair.byteCount(ringByteCount: WireLimits.ringByteCount)
        let memory = try Linux.FileDescriptor.sealedMemoryFile("thaw-rings", byteCount: byteCount)
        let rings = try RingPair(mapping: memory, ringByteCount: WireLimits.ringByteCount, as: .near)
        rings.bringInFirstPages()
        let doorbell = try Linux.FileDescriptor.doorbell()
        let theirs = try doorbell.duplicate()
        let line = WorkerLine(worker: worker, rings: rings, loop: loop, delegate: delegate)
        let near = WorkerChannel(line: line, doorbell: doorbell, on: loop)
        return ChannelEnds(near: near, doorbell: theirs, rings: memory)
    }

    /// - Parameter followers: calls that are sent next and run with this one.
    func send(_ order: WorkOrder, as invocation: UInt64, followers: Int = 0) {
        if loop.inEventLoop { return line.value.send(order, as: invocation, followers: followers) }
        loop.execute { [line] in line.value.send(order, as: invocation, followers: followers) }
    }

    /// The end of the channel is the worker's order to end.
    func close() {
        bell.whenComplete { [line] result in
            line.value.end()
            if case .success(let channel) = result { channel.close(promise: nil) }
        }
    }
}

/// Whose channel it is: nobody's until a prepared one is taken.
final class WorkerName: Sendable {
    private let value: Atomic<UInt32>

    init(_ number: UInt32 = 0) {
        value = Atomic(number)
    }

    /// Set before the worker's fork is ordered, read when it speaks.
    var number: UInt32 {
        get { value.load(ordering: .acquiring) }
        set { value.store(newValue, ordering: .releasing) }
    }
}

/// A new channel: the scheduler's end, and what a fork is given of it.
struct ChannelEnds: ~Copyable {
    let near: WorkerChannel
    let doorbell: Linux.FileDescriptor
    let rings: Linux.FileDescriptor
}

/// Hears the doorbell of one worker.
private final class DoorbellHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let line: WorkerLine

    init(line: WorkerLine) {
        self.line = line
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // How often it was rung says nothing.
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        line.hearDoorbell()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
