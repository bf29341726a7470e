package import Linux
package import NIOCore
import NIOPosix

/// An alarm of the wall clock on an event loop: it sleeps in the kernel, and follows the clock where that is set.
package final class ScheduleAlarm: Sendable {
    private let timer: WallTimer
    private let bell: EventLoopFuture<any Channel>

    /// - Parameter onAlarm: called on the loop.
    package init(on loop: any EventLoop, onAlarm: @escaping @Sendable () -> Void) throws(SystemError) {
        timer = try WallTimer()
        bell = NIOPipeBootstrap(group: loop)
            // A timer's 8 bytes, and a short read: nothing is asked for twice.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 16))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AlarmHandler(onAlarm: onAlarm))
                }
            }
            .takingOwnershipOfDescriptor(input: try timer.listener().take())
    }

    /// Ends it; to be called before its loop ends.
    package func close() {
        bell.whenSuccess { $0.close(promise: nil) }
    }

    /// - Parameter unixMilliseconds: nil for never.
    package func set(_ unixMilliseconds: Int64?) {
        // The kernel refuses no time of a timer that is there.
        do throws(SystemError) {
            try timer.set(unixMilliseconds: unixMilliseconds)
        } catch {
            preconditionFailure("the alarm of the schedules cannot be set: \(error)")
        }
    }
}

private final class AlarmHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onAlarm: @Sendable () -> Void

    init(onAlarm: @escaping @Sendable () -> Void) {
        self.onAlarm = onAlarm
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { onAlarm() }
}
