import NIOCore
import Synchronization

/// One wait, for a timer of the loop's or for somebody's word, whichever is first; a cancelled task does not wait.
final class LoopWait: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Void, Never>?
        var timer: Scheduled<Void>?
        var isOver = false
    }

    private let state = Mutex(State())

    /// - Parameter milliseconds: nil as long as it takes.
    func wait(milliseconds: Int64?, on loop: any EventLoop) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.isOver { state.continuation = continuation }
                    return state.isOver
                }
                if isOver { return continuation.resume() }
                guard let milliseconds else { return }
                hold(loop.scheduleTask(in: .milliseconds(milliseconds)) { self.end() })
            }
        } onCancel: {
            end()
        }
    }

    private func hold(_ timer: Scheduled<Void>) {
        let isOver = state.withLock { state in
            state.timer = timer
            return state.isOver
        }
        if isOver { timer.cancel() }
    }

    func end() {
        let (continuation, timer) = state.withLock { state in
            state.isOver = true
            defer { (state.continuation, state.timer) = (nil, nil) }
            return (state.continuation, state.timer)
        }
        timer?.cancel()
        continuation?.resume()
    }
}
