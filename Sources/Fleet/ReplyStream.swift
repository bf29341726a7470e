package import NIOCore
import Synchronization

/// Takes a reply that comes over time, piece by piece, on the event loop of its call.
///
/// What a worker may send ahead is bounded by what has been taken: a slow reader slows its worker.
package struct ReplyStream: Sendable {
    /// Called once, before the first piece; never where the function's reply is no stream.
    package var begin: @Sendable (_ contentType: String) -> Void
    /// - Parameter taken: to be called once, from any thread, when the piece has gone on.
    package var take: @Sendable (_ piece: ByteBuffer, _ taken: @escaping @Sendable () -> Void) -> Void

    package init(
        begin: @escaping @Sendable (_ contentType: String) -> Void,
        take: @escaping @Sendable (_ piece: ByteBuffer, _ taken: @escaping @Sendable () -> Void) -> Void
    ) {
        self.begin = begin
        self.take = take
    }
}

/// The way to end a call before its reply: its caller has gone.
///
/// What it means is the fleet's to say, once it has the call.
package final class WorkCancellation: Sendable {
    private enum State {
        case idle
        case armed(@Sendable () -> Void)
        case cancelled
    }

    private let state = Mutex(State.idle)

    package init() {}

    /// Does nothing for a call that has ended.
    package func cancel() {
        let act = state.withLock { state -> (@Sendable () -> Void)? in
            defer { state = .cancelled }
            if case .armed(let act) = state { return act }
            return nil
        }
        act?()
    }

    package var isCancelled: Bool {
        state.withLock { state in
            if case .cancelled = state { true } else { false }
        }
    }

    /// Called once, by who runs the call; acts at once where it was cancelled before.
    func arm(_ act: @escaping @Sendable () -> Void) {
        let isCancelled = state.withLock { state in
            if case .cancelled = state { return true }
            state = .armed(act)
            return false
        }
        if isCancelled { act() }
    }
}
