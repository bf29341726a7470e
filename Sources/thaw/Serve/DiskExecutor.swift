import Dispatch

/// Runs tasks that wait for the disk, one step at a time, on a thread of their own.
///
/// Not the runtime's global executor: preferred by name, it lies on a root queue that libdispatch watches every second
/// from then on (see `CTaskQueue`).
final class DiskExecutor: TaskExecutor {
    static let shared = DiskExecutor()

    private let queue = DispatchQueue(label: "thaw.disk")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { [self] in
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
