import NIOCore
import Synchronization

/// Wakes the one task that waits for it, at once where it was rung before.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state in
            if state.waiter == nil { state.isRung = true }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Until it is rung, the time is over or the task is cancelled; who waits looks for itself which of them it was.
    func wait(atMostMilliseconds limit: Int64?, on loop: any EventLoop) async {
        let timer = limit.map { loop.scheduleTask(in: .milliseconds($0)) { self.ring() } }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRung = state.withLock { state in
                    defer { state.isRung = false }
                    if !state.isRung { state.waiter = continuation }
                    return state.isRung
                }
                if isRung { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
        timer?.cancel()
    }
}
