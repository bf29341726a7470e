import Linux
import NIOCore
import Synchronization

/// Channels made ahead of the workers that will have them: memory, mapping, doorbell and its place in a loop take 0.15 ms.
///
/// Nothing is prepared before the first fork of a node, and what was taken is made up for later, when its call has gone
/// its way.
final class PreparedChannels: Sendable {
    /// As many forks may be ordered in one moment without making any; a burst of more makes its own.
    ///
    /// Each is a memory file of 264 KiB, five pages of which exist, and three descriptors.
    private static let countMax = 4

    /// When what was taken is made up for: as late as the refill of the reserve, for the same reason.
    private static let refillDelay = TimeAmount.milliseconds(5)

    private struct State {
        var channels: [PreparedChannel] = []
        var isRefilling = false
        var isStopped = false
    }

    private let state = Mutex(State())
    private let group: any EventLoopGroup

    init(on group: any EventLoopGroup) {
        self.group = group
    }

    /// A channel of this worker.
    func take(for worker: UInt32, delegate: any WorkerChannelDelegate) throws(SystemError) -> PreparedChannel {
        let (prepared, refills) = state.withLock { state in
            let refills = !state.isRefilling && !state.isStopped
            if refills { state.isRefilling = true }
            return (state.channels.popLast(), refills)
        }
        if refills {
            let loop = group.next()
            loop.scheduleTask(in: Self.refillDelay) { [weak self, weak delegate] in
                if let delegate { self?.refill(on: loop, delegate) }
            }
        }
        let channel = if let prepared { prepared } else { try PreparedChannel(on: group.next(), delegate: delegate) }
        channel.name.number = worker
        return channel
    }

    /// Makes one at a time, so that a loop is not held up.
    private func refill(on loop: any EventLoop, _ delegate: any WorkerChannelDelegate) {
        // Where none can be made, whoever needs one says why.
        let made = try? PreparedChannel(on: group.next(), delegate: delegate)
        let goesOn = state.withLock { state in
            if let made, !state.isStopped { state.channels.append(made) }
            state.isRefilling = made != nil && !state.isStopped && state.channels.count < Self.countMax
            return state.isRefilling
        }
        guard goesOn else { return }
        loop.scheduleTask(in: .milliseconds(1)) { [weak self, weak delegate] in
            if let delegate { self?.refill(on: loop, delegate) }
        }
    }

    /// Lets all go that nobody took, and makes no more.
    func stop() {
        let left = state.withLock { state in
            state.isStopped = true
            defer { state.channels = [] }
            return state.channels
        }
        // Their ends close with them, on loops that still run.
        _ = consume left
    }
}

/// A channel that waits for its worker.
final class PreparedChannel: Sendable {
    let name: WorkerName
    let ends: ChannelEnds

    init(on loop: any EventLoop, delegate: any WorkerChannelDelegate) throws(SystemError) {
        name = WorkerName()
        ends = try WorkerChannel.make(worker: name, on: loop, delegate: delegate)
    }
}
