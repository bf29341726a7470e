import Logging
import NIOCore
import Queues
import Synchronization

/// Claims what is due in the queues of one kind and has it run, so many at once.
///
/// Between messages it has a timer for the next one that is due, and none where nothing waits.
final class MessagePump: Sendable {
    typealias Run = @Sendable (_ queue: String, Message) async -> Void

    /// How many run at once, of all queues and of one: one that is slow leaves room for the others.
    struct Limits: Sendable {
        var runningMax: Int
        var runningOfQueueMax: Int
    }

    private let store: MessageStore
    private let kind: QueueKind
    private let limits: Limits
    private let loop: any EventLoop
    private let logger: Logger
    private let unixMilliseconds: @Sendable () -> Int64
    private let run: Run
    private let state = Mutex(State())

    private struct State {
        var running: [String: Int] = [:]
        var runningCount = 0
        var isPumping = false
        /// Something changed while it pumped.
        var mustPumpAgain = false
        var isStopped = false
        var timer: Scheduled<Void>?
        /// The wall clock when it was last looked at.
        var lastUnixMilliseconds: Int64 = 0

        mutating func add(_ queue: String) {
            running[queue, default: 0] += 1
            runningCount += 1
        }

        mutating func drop(_ queue: String) {
            runningCount -= 1
            let left = running[queue, default: 1] - 1
            running[queue] = left > 0 ? left : nil
        }
    }

    /// A wall clock may be set forward while a timer runs: it is looked at this often where something waits.
    private static let waitMillisecondsMax: Int64 = 60_000
    /// A clock that went back by more than this was set.
    private static let backMillisecondsMax: Int64 = 1000

    init(
        store: MessageStore,
        kind: QueueKind,
        limits: Limits,
        loop: any EventLoop,
        logger: Logger,
        unixMilliseconds: @escaping @Sendable () -> Int64,
        run: @escaping Run
    ) {
        self.store = store
        self.kind = kind
        self.limits = limits
        self.loop = loop
        self.logger = logger
        self.unixMilliseconds = unixMilliseconds
        self.run = run
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Takes a place for a message that its publisher claims; false where none is free.
    func reserve(_ queue: String) -> Bool {
        state.withLock { state in
            guard !state.isStopped, state.runningCount < limits.runningMax,
                state.running[queue, default: 0] < limits.runningOfQueueMax
            else { return false }
            state.add(queue)
            return true
        }
    }

    /// Gives back a place that was reserved.
    func release(_ queue: String) {
        state.withLock { $0.drop(queue) }
    }

    /// Runs a message whose place is reserved.
    func start(_ queue: String, _ message: Message) {
        Task {
            await run(queue, message)
            release(queue)
            pump()
        }
    }

    /// Claims nothing more; what runs is finished or found again at the next start.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.timer?.cancel()
            state.timer = nil
        }
    }

    /// Looks for work, now or as soon as it has looked for the last.
    func pump() {
        let mayBegin = state.withLock { state in
            if state.isPumping { state.mustPumpAgain = true }
            guard !state.isPumping, !state.isStopped else { return false }
            state.isPumping = true
            return true
        }
        guard mayBegin else { return }
        Task { await pumpUntilEmpty() }
    }

    private func pumpUntilEmpty() async {
        var isAgain = true
        while isAgain {
            state.withLock { $0.mustPumpAgain = false }
            do throws(QueueError) {
                try await claimDue()
            } catch {
                logger.error("messages could not be claimed", metadata: ["error": "\(error)"])
                wait(until: unixMilliseconds() + Self.backMillisecondsMax)
            }
            isAgain = state.withLock { state in
                if !state.mustPumpAgain || state.isStopped { state.isPumping = false }
                return state.isPumping
            }
        }
    }

    private func claimDue() async throws(QueueError) {
        let now = unixMilliseconds()
        let (room, running, back) = state.withLock { state in
            defer { state.lastUnixMilliseconds = now }
            return (limits.runningMax - state.runningCount, state.running, state.lastUnixMilliseconds - now)
        }
        if back > Self.backMillisecondsMax {
            logger.warning("the clock was set back", metadata: ["milliseconds": "\(back)"])
            try await store.shift(kind, byMilliseconds: -back)
        }
        // What ends looks again.
        guard room > 0 else { return }
        let work = try await store.claimWork(
            kind,
            countMax: room,
            running: running,
            queueCountMax: limits.runningOfQueueMax,
            now: now
        )
        state.withLock { state in for (queue, _) in work.claimed { state.add(queue) } }
        for (queue, message) in work.claimed { start(queue, message) }
        // With no place left, whatever ends first looks again.
        guard work.claimed.count < room, let next = work.nextUnixMilliseconds else { return }
        wait(until: next)
    }

    private func wait(until due: Int64) {
        let wait = min(max(due - unixMilliseconds(), 1), Self.waitMillisecondsMax)
        state.withLock { state in
            state.timer?.cancel()
            guard !state.isStopped else { return }
            state.timer = loop.scheduleTask(in: .milliseconds(wait)) { [weak self] in self?.pump() }
        }
    }
}
