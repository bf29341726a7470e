/// The processes and waiting calls of one function version.
///
/// A value: ``WorkerPool`` drives it.
///
/// ```
/// template   none ──boot──► booting ──resident──► resident ──end──► ending ──gone──► none
/// worker            fork ──► parked ──► leased ⇄ idle ──► ending ──► (gone)
/// ```
/// *Parked* is forked and sandboxed but never used; *idle* has served and waits. Only idle ones make a call hot.
struct FunctionPool: Sendable {
    enum Template: Equatable, Sendable {
        case none
        case booting(TemplateID)
        case resident(TemplateID, bytes: UInt64, usedAt: Instant)
        case ending(TemplateID)
    }

    enum WorkerState: Equatable, Sendable {
        case parked
        case leased([CallID: Lease])
        case idle(since: Instant)
        case ending
    }

    /// A call in a worker.
    struct Lease: Equatable, Sendable {
        var since: Instant
        var deadline: Instant
    }

    /// A call without a worker.
    struct Waiting: Equatable, Sendable {
        var call: CallID
        var deadline: Instant
        /// The template was not resident when the call came, so its start is cold.
        var isCold: Bool
    }

    var limits: PoolLimits
    var admission = Admission()
    var template = Template.none
    var workers: [WorkerID: WorkerState] = [:]
    /// First come, first served; bounded by `limits.queueDepthMax`.
    var queue: [Waiting] = []
    /// The function was deleted: finish, then go.
    var isRemoved = false

    init(limits: PoolLimits) {
        self.limits = limits
    }

    var residentTemplate: TemplateID? {
        guard case .resident(let id, _, _) = template else { return nil }
        return id
    }

    /// Workers that are not on their way out.
    var liveWorkerCount: Int {
        workers.values.count { $0 != .ending }
    }

    var runningCallCount: Int {
        workers.values.reduce(0) { sum, state in
            guard case .leased(let leases) = state else { return sum }
            return sum + leases.count
        }
    }

    /// The worker that was used last: its caches are the warmest, and the others can go idle long enough to end.
    var freshestIdleWorker: WorkerID? {
        var best: (id: WorkerID, since: Instant)?
        for (id, state) in workers {
            guard case .idle(let since) = state else { continue }
            if let current = best, (current.since, current.id) > (since, id) { continue }
            best = (id, since)
        }
        return best?.id
    }

    /// A used worker with room for one more call; only with `concurrency` above 1 is there any.
    var sharedWorker: WorkerID? {
        workers.filter { _, state in
            guard case .leased(let leases) = state else { return false }
            return leases.count < limits.concurrency
        }.keys.min()
    }

    var parkedWorker: WorkerID? {
        workers.filter { $0.value == .parked }.keys.min()
    }

    /// The worker that has been idle for longest, for making room.
    var stalestIdleWorker: (id: WorkerID, since: Instant)? {
        var best: (id: WorkerID, since: Instant)?
        for (id, state) in workers {
            guard case .idle(let since) = state else { continue }
            if let current = best, (current.since, current.id) < (since, id) { continue }
            best = (id, since)
        }
        return best
    }

    mutating func lease(_ call: CallID, to worker: WorkerID, at now: Instant) -> Instant {
        let deadline = now.advanced(byNanoseconds: limits.timeoutNanoseconds)
        var leases: [CallID: Lease] = [:]
        if case .leased(let current) = workers[worker] { leases = current }
        precondition(leases.count < limits.concurrency, "a worker is leased at most `concurrency` times")
        leases[call] = Lease(since: now, deadline: deadline)
        workers[worker] = .leased(leases)
        return deadline
    }

    /// The earliest instant at which something of this pool is due, nil if nothing is.
    var nextDeadline: Instant? {
        var next = queue.lazy.map(\.deadline).min()
        func consider(_ instant: Instant) {
            next = next.map { min($0, instant) } ?? instant
        }
        let mayRetire = liveWorkerCount > limits.workersMin || isRemoved
        for state in workers.values {
            switch state {
            case .leased(let leases):
                leases.values.forEach { consider($0.deadline) }
            case .idle(let since) where mayRetire:
                consider(since.advanced(byNanoseconds: limits.idleNanoseconds))
            case .parked, .idle, .ending:
                break
            }
        }
        return next
    }
}
