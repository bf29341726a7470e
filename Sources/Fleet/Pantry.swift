import Linux
import Logging
import NIOPosix
import Scheduling
import Synchronization

/// Snapshot files that are held in memory, and the one thread on which whatever concerns memory at rest is done: reading
/// a file or a process's account takes long, and no call waits for it.
///
/// Orders are numbered as they were decided, and two threads may bring them the other way round: one that a later order
/// for the same file has overtaken is dropped. A thread is there only once there was an order.
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
        /// The last order to let go of a file that was not there, for the order to hold it that may still come.
        var early: [SnapshotID: UInt64] = [:]
        var hasComplained = false
    }

    /// One held file; it is let go with this.
    private final class Shelf: Sendable {
        let file: HeldFile
        let order: UInt64

        init(_ file: consuming HeldFile, order: UInt64) {
            self.file = file
            self.order = order
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

    /// - Parameters:
    ///   - order: its number among all orders.
    ///   - completion: not called where a later order has come first: nobody waits for this one any more.
    func hold(
        _ snapshot: SnapshotID,
        path: String,
        order: UInt64,
        _ completion: @escaping @Sendable (Outcome) -> Void
    ) {
        run { [self] in
            let isOvertaken = state.withLock { state in
                max(state.early.removeValue(forKey: snapshot) ?? 0, state.files[snapshot]?.order ?? 0) > order
            }
            if isOvertaken { return }
            let begun = Clock.monotonicNanoseconds()
            do throws(SystemError) {
                let shelf = Shelf(try HeldFile(path: path), order: order)
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
    func release(_ snapshot: SnapshotID, order: UInt64) {
        run { [self] in
            // Unmapped outside of the lock: it takes a millisecond for some hundred megabytes.
            let shelf = state.withLock { state -> Shelf? in
                guard let held = state.files[snapshot] else {
                    state.early[snapshot] = order
                    return nil
                }
                return held.order < order ? state.files.removeValue(forKey: snapshot) : nil
            }
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
