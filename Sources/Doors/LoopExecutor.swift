import NIOCore

/// Runs tasks on an event loop.
///
/// A request's task then stays on the thread that read its bytes: the usual executor would wake another thread for each
/// step, and a wake-up costs more than the step.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // From the loop itself this only queues: no system call, no wake-up.
        loop.execute { [self] in
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}

extension EventLoop {
    /// Returns after a time, or at once when its task is cancelled.
    ///
    /// A timer of the loop: those of the Swift runtime lie on a queue that libdispatch watches every second from then on.
    func wait(for time: TimeAmount) async {
        let timer = scheduleTask(in: time) {}
        await withTaskCancellationHandler {
            try? await timer.futureResult.get()
        } onCancel: {
            timer.cancel()
        }
    }
}
