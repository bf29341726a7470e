import Linux
import Logging
import NIOPosix
import Scheduling
import Synchronization

/// Snapshot files that are held in memory, and the one thread on which whatever concerns memory at rest is done: reading
/// a file or a process's account takes long, and no call waits for it.
///
/// Orders are carried out in the order in which they came. A thread is there only once there was an order.
final class Pantry: Sendable {
    enum Outcome: Sendable {
        /// The kernel has confirmed so many bytes in memory.
        case held(bytes: UInt64, nanoseconds: UInt64)
        case refused
    }

    private struct State {
        var thread: NIOThreadPool?
        var isStopped = false
        var files: [SnapshotID: Shelf] = [:]
        var hasComplained = false
    }

    /// One held file; it is let go with this.
    private final class Shelf: Sendable {
        let file: HeldFile

        init(_ file: consuming HeldFile) {
            self.file = file
        }
    }

    private let state = Mutex(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    var heldCount: Int {
        state.withLock { $0.files.count }
    }

    /// Files that the kernel would not lock.
    var unlockedCount: Int {
        state.withLock { state in state.files.values.count { !$0.file.isLocked } }
    }

    func run(_ work: @escaping @Sendable () -> Void) {
        let thread = state.withLock { (state) -> NIOThreadPool? in
            guard !state.isStopped else { return nil }
            if state.thread == nil {
                state.thread = NIOThreadPool(numberOfThreads: 1)
                state.thread?.start()
            }
            return state.thread
        }
        thread?.submit { phase in
            if phase == .active { work() }
        }
    }

    func hold(_ snapshot: SnapshotID, path: String, _ completion: @escaping @Sendable (Outcome) -> Void) {
        run { [self] in
            let begun = Clock.monotonicNanoseconds()
            do throws(SystemError) {
                let shelf = Shelf(try HeldFile(path: path))
                let bytes = try shelf.file.residentByteCount()
                state.withLock { $0.files[snapshot] = shelf }
                complain(of: shelf.file.refusal)
                completion(.held(bytes: UInt64(bytes), nanoseconds: Clock.monotonicNanoseconds() - begun))
            } catch {
                logger.warning("a snapshot is not held in memory", metadata: ["path": "\(path)", "error": "\(error)"])
                completion(.refused)
            }
        }
    }

    /// After an order to hold it that is still on its way, too.
    func release(_ snapshot: SnapshotID) {
        run { [self] in
            // Unmapped outside of the lock: it takes a millisecond for some hundred megabytes.
            let shelf = state.withLock { $0.files.removeValue(forKey: snapshot) }
            _ = consume shelf
        }
    }

    func stop() async {
        let thread = state.withLock { state in
            state.isStopped = true
            return state.thread.take()
        }
        try? await thread?.shutdownGracefully()
    }

    /// Once: the limit does not change while we run.
    private func complain(of refusal: SystemError?) {
        guard let refusal else { return }
        let isFirst = state.withLock { state in
            defer { state.hasComplained = true }
            return !state.hasComplained
        }
        guard isFirst else { return }
        logger.warning(
            "packed snapshots are in memory but not locked there: the kernel may drop them; raise RLIMIT_MEMLOCK",
            metadata: ["error": "\(refusal)"]
        )
    }
}
