/// Decides, for the whole node, which process serves which call, and which processes live.
///
/// A value without a clock, a lock or a process: an event and a time go in, effects come out, and the fleet carries
/// them out in order. The same events at the same times give the same effects.
package struct WorkerPool: Sendable {
    private let node: NodeLimits
    private var pools: [PoolKey: FunctionPool] = [:]
    private var poolOfWorker: [WorkerID: PoolKey] = [:]
    private var poolOfTemplate: [TemplateID: PoolKey] = [:]
    private var poolOfWaitingCall: [CallID: PoolKey] = [:]
    private var lastWorkerNumber: UInt32 = 0
    private var lastTemplateNumber: UInt32 = 0
    private var isDraining = false
    private var effects: [PoolEffect] = []
    /// The instant of the last `wake`; nil when none is out.
    private var wakeAt: Instant?

    package init(node: NodeLimits) {
        self.node = node
    }

    package mutating func handle(_ event: PoolEvent, at now: Instant) -> [PoolEffect] {
        effects.removeAll(keepingCapacity: true)
        switch event {
        case .installed(let key, let limits): install(key, limits, at: now)
        case .removed(let key): remove(key, at: now)
        case .called(let call, let key): admit(call, to: key, at: now)
        case .cancelled(let call): forget(call)
        case .finished(let call, let worker): finish(call, on: worker, at: now)
        case .templateResident(let template, let bytes): becomeResident(template, bytes, at: now)
        case .templateGone(let template): lose(template, at: now)
        case .workerGone(let worker): lose(worker, at: now)
        case .draining: isDraining = true
        case .tick: tick(at: now)
        }
        return effects
    }

    // MARK: Functions come and go

    private mutating func install(_ key: PoolKey, _ limits: PoolLimits, at now: Instant) {
        if pools[key] == nil {
            pools[key] = FunctionPool(limits: limits)
        } else {
            pools[key]?.limits = limits
            pools[key]?.isRemoved = false
            endSurplusParked(key)
        }
        pump(key, at: now)
        // With a lower minimum more workers may retire than when the last wake was ordered.
        if let next = pools[key]?.nextDeadline { wake(by: next) }
        settle(key, at: now)
    }

    /// Parked workers beyond the minimum have no idle time to wait for: nobody ever used them.
    private mutating func endSurplusParked(_ key: PoolKey) {
        while let pool = pools[key], pool.liveWorkerCount > pool.limits.workersMin, let worker = pool.parkedWorker {
            pools[key]?.workers[worker] = .ending
            effects.append(.endWorker(worker))
        }
    }

    private mutating func remove(_ key: PoolKey, at now: Instant) {
        guard pools[key] != nil else { return }
        pools[key]?.isRemoved = true
        settle(key, at: now)
    }

    // MARK: Calls

    private mutating func admit(_ call: CallID, to key: PoolKey, at now: Instant) {
        guard !isDraining else { return effects.append(.refuse(call, .draining)) }
        guard var pool = pools[key], !pool.isRemoved else { return effects.append(.refuse(call, .unknownPool)) }
        // Nobody overtakes: a call goes straight to a worker only if none waits.
        if pool.queue.isEmpty {
            if let worker = pool.freshestIdleWorker ?? pool.sharedWorker {
                return assign(call, to: worker, of: key, .hot, at: now)
            }
            if let worker = pool.parkedWorker {
                assign(call, to: worker, of: key, .warm, at: now)
                return pump(key, at: now)
            }
        }
        let slots = pool.limits.workersMax * pool.limits.concurrency
        if let refusal = pool.admission.refusal(waiting: pool.queue.count, slots: slots, limits: pool.limits) {
            return effects.append(.refuse(call, refusal))
        }
        let deadline = now.advanced(byNanoseconds: pool.limits.waitNanosecondsMax)
        pool.queue.append(.init(call: call, deadline: deadline, isCold: pool.residentTemplate == nil))
        pools[key] = pool
        poolOfWaitingCall[call] = key
        pump(key, at: now)
        if poolOfWaitingCall[call] != nil { wake(by: deadline) }
    }

    private mutating func assign(
        _ call: CallID,
        to worker: WorkerID,
        of key: PoolKey,
        _ start: StartKind,
        at now: Instant
    ) {
        guard let deadline = pools[key]?.lease(call, to: worker, at: now) else { return }
        if case .resident(let template, let bytes, _) = pools[key]?.template {
            pools[key]?.template = .resident(template, bytes: bytes, usedAt: now)
        }
        effects.append(.assign(call, worker, start))
        wake(by: deadline)
    }

    private mutating func forget(_ call: CallID) {
        guard let key = poolOfWaitingCall.removeValue(forKey: call) else { return }
        pools[key]?.queue.removeAll { $0.call == call }
    }

    private mutating func finish(_ call: CallID, on worker: WorkerID, at now: Instant) {
        guard let key = poolOfWorker[worker], var pool = pools[key],
            case .leased(var leases) = pool.workers[worker], let lease = leases.removeValue(forKey: call)
        else { return }
        pool.admission.noteHold(nanoseconds: now.nanoseconds(since: lease.since))
        pool.workers[worker] = leases.isEmpty ? .idle(since: now) : .leased(leases)
        if leases.isEmpty { wake(by: now.advanced(byNanoseconds: pool.limits.idleNanoseconds)) }
        pools[key] = pool
        if leases.isEmpty, isOutranked(key) {
            pools[key]?.workers[worker] = .ending
            effects.append(.endWorker(worker))
        }
        pump(key, at: now)
        if !poolsWaitingForRoom.isEmpty { makeRoom(at: now) }
        settle(key, at: now)
    }

    // MARK: Processes

    private mutating func becomeResident(_ template: TemplateID, _ bytes: UInt64, at now: Instant) {
        guard let key = poolOfTemplate[template], pools[key]?.template == .booting(template) else { return }
        pools[key]?.template = .resident(template, bytes: bytes, usedAt: now)
        pump(key, at: now)
        settle(key, at: now)
    }

    private mutating func lose(_ template: TemplateID, at now: Instant) {
        guard let key = poolOfTemplate.removeValue(forKey: template), var pool = pools[key] else { return }
        let wasBooting = pool.template == .booting(template)
        pool.template = .none
        // Its forks end with it; their ends are on their way, and a call given to one of them would only fail.
        for (worker, state) in pool.workers {
            switch state {
            case .parked, .idle: pool.workers[worker] = .ending
            case .leased, .ending: break
            }
        }
        if wasBooting {
            // A template that never came up will not come up for the calls that waited for it: say so at once.
            for waiting in pool.queue {
                poolOfWaitingCall[waiting.call] = nil
                effects.append(.fail(waiting.call))
            }
            pool.queue.removeAll()
        }
        pools[key] = pool
        // After a failed boot only a call tries again, or a function that nobody calls would boot in a loop.
        if !wasBooting { pump(key, at: now) }
        settle(key, at: now)
    }

    private mutating func lose(_ worker: WorkerID, at now: Instant) {
        guard let key = poolOfWorker.removeValue(forKey: worker),
            let state = pools[key]?.workers.removeValue(forKey: worker)
        else { return }
        if case .leased(let leases) = state {
            for call in leases.keys.sorted(by: { $0.number < $1.number }) {
                effects.append(.fail(call))
            }
        }
        // Whoever has waited for longest anywhere takes the place, not the function that gave it up.
        makeRoom(at: now)
        pump(key, at: now)
        settle(key, at: now)
    }

    // MARK: Matching

    /// Gives waiting calls to workers that have room, then orders the processes that are still missing.
    private mutating func pump(_ key: PoolKey, at now: Instant) {
        while let pool = pools[key], let next = pool.queue.first {
            if let worker = pool.freshestIdleWorker ?? pool.sharedWorker {
                dequeue(next, of: key)
                // Sharing a worker that was unused a moment ago is no hot start.
                let isUnused = effects.contains { effect in
                    guard case .assign(_, worker, let start) = effect else { return false }
                    return start != .hot
                }
                assign(next.call, to: worker, of: key, isUnused ? (next.isCold ? .cold : .warm) : .hot, at: now)
            } else if let worker = pool.parkedWorker {
                dequeue(next, of: key)
                assign(next.call, to: worker, of: key, next.isCold ? .cold : .warm, at: now)
            } else if pool.workers.count < pool.limits.workersMax, poolOfWorker.count < node.workersMax {
                guard let worker = fork(key) else { return }
                dequeue(next, of: key)
                assign(next.call, to: worker, of: key, next.isCold ? .cold : .warm, at: now)
            } else {
                if pool.workers.count < pool.limits.workersMax {
                    // The node is full of workers, but a template takes no worker's place: it boots meanwhile.
                    if pool.template == .none { _ = fork(key) }
                    endStalestIdleWorker()
                }
                return
            }
        }
        park(key)
    }

    private mutating func dequeue(_ waiting: FunctionPool.Waiting, of key: PoolKey) {
        pools[key]?.queue.removeFirst()
        poolOfWaitingCall[waiting.call] = nil
    }

    /// Keeps `workersMin` workers, whether or not anybody calls; a call that waits for room comes first.
    private mutating func park(_ key: PoolKey) {
        while poolsWaitingForRoom.isEmpty, let pool = pools[key], !pool.isRemoved, !isDraining,
            pool.liveWorkerCount < pool.limits.workersMin, poolOfWorker.count < node.workersMax
        {
            guard fork(key) != nil else { return }
        }
    }

    /// Orders a fork; without a resident template orders that, and the fork comes when it is there.
    private mutating func fork(_ key: PoolKey) -> WorkerID? {
        switch pools[key]?.template {
        case .resident(let template, _, _):
            lastWorkerNumber += 1
            let worker = WorkerID(lastWorkerNumber)
            pools[key]?.workers[worker] = .parked
            poolOfWorker[worker] = key
            effects.append(.forkWorker(worker, template))
            return worker
        case .some(.none):
            lastTemplateNumber += 1
            let template = TemplateID(lastTemplateNumber)
            pools[key]?.template = .booting(template)
            poolOfTemplate[template] = key
            effects.append(.bootTemplate(template, key))
            return nil
        case .booting, .ending, nil:
            return nil
        }
    }

    // MARK: Sharing the node

    /// Pools with calls that only the node's own bound keeps waiting, longest wait first.
    private var poolsWaitingForRoom: [PoolKey] {
        guard poolOfWaitingCall.count > 0 else { return [] }
        return pools.filter { _, pool in
            !pool.queue.isEmpty && pool.workers.count < pool.limits.workersMax
        }
        .sorted { left, right in
            (left.value.queue[0].deadline, left.key) < (right.value.queue[0].deadline, right.key)
        }
        .map(\.key)
    }

    private mutating func makeRoom(at now: Instant) {
        for key in poolsWaitingForRoom {
            pump(key, at: now)
        }
        for key in pools.keys.sorted() where pools[key]?.residentTemplate != nil {
            park(key)
        }
    }

    /// Whether a call of another function, on a full node, has waited for longer than any of this one.
    private func isOutranked(_ key: PoolKey) -> Bool {
        guard poolOfWorker.count >= node.workersMax, let own = pools[key]?.queue.first,
            let other = poolsWaitingForRoom.first, other != key, let theirs = pools[other]?.queue.first,
            theirs.deadline < own.deadline, pools[other]?.residentTemplate != nil
        else { return false }
        return !pools.values.contains { $0.workers.values.contains(.ending) }
    }

    /// Ends the idle worker that has waited for longest anywhere, unless one is on its way out already.
    private mutating func endStalestIdleWorker() {
        var stalest: (key: PoolKey, id: WorkerID, since: Instant)?
        for (key, pool) in pools {
            if pool.workers.values.contains(.ending) { return }
            guard let idle = pool.stalestIdleWorker else { continue }
            if let current = stalest, (current.since, current.id) < (idle.since, idle.id) { continue }
            stalest = (key, idle.id, idle.since)
        }
        guard let stalest else { return }
        pools[stalest.key]?.workers[stalest.id] = .ending
        effects.append(.endWorker(stalest.id))
    }

    // MARK: Time

    private mutating func tick(at now: Instant) {
        wakeAt = nil
        for key in pools.keys.sorted() {
            expireQueue(key, at: now)
            expireLeases(key, at: now)
            retireIdle(key, at: now)
            settle(key, at: now)
        }
        if let next = pools.values.compactMap(\.nextDeadline).min() { wake(by: next) }
    }

    private mutating func expireQueue(_ key: PoolKey, at now: Instant) {
        guard let pool = pools[key], pool.queue.contains(where: { $0.deadline <= now }) else { return }
        let slots = pool.limits.workersMax * pool.limits.concurrency
        let retryAfter = pool.admission.retryAfterSeconds(waiting: pool.queue.count, slots: slots)
        for waiting in pool.queue where waiting.deadline <= now {
            poolOfWaitingCall[waiting.call] = nil
            effects.append(.refuse(waiting.call, .queueTimedOut(retryAfterSeconds: retryAfter)))
        }
        pools[key]?.queue.removeAll { $0.deadline <= now }
    }

    private mutating func expireLeases(_ key: PoolKey, at now: Instant) {
        guard let pool = pools[key] else { return }
        for worker in pool.workers.keys.sorted() {
            guard case .leased(let leases) = pool.workers[worker],
                leases.values.contains(where: { $0.deadline <= now })
            else { continue }
            // The worker is killed for one call; the others that it held die with it and are told so.
            for call in leases.keys.sorted(by: { $0.number < $1.number }) {
                let isOver = leases[call].map { $0.deadline <= now } ?? false
                effects.append(isOver ? .timeOut(call, worker) : .fail(call))
            }
            pools[key]?.workers[worker] = .ending
        }
    }

    private mutating func retireIdle(_ key: PoolKey, at now: Instant) {
        guard let pool = pools[key] else { return }
        let floor = pool.isRemoved ? 0 : pool.limits.workersMin
        var surplus = pool.liveWorkerCount - floor
        for worker in pool.workers.keys.sorted() where surplus > 0 {
            guard case .idle(let since) = pool.workers[worker],
                since.advanced(byNanoseconds: pool.limits.idleNanoseconds) <= now
            else { continue }
            surplus -= 1
            pools[key]?.workers[worker] = .ending
            effects.append(.endWorker(worker))
        }
    }

    private mutating func wake(by instant: Instant) {
        if let wakeAt, wakeAt <= instant { return }
        wakeAt = instant
        effects.append(.wake(at: instant))
    }

    // MARK: Rest

    /// Ends what a removed function still holds, and the templates that the resting budget has no room for.
    private mutating func settle(_ key: PoolKey, at now: Instant) {
        if let pool = pools[key], pool.isRemoved, pool.queue.isEmpty {
            for worker in pool.workers.keys.sorted() {
                switch pool.workers[worker] {
                case .parked, .idle:
                    pools[key]?.workers[worker] = .ending
                    effects.append(.endWorker(worker))
                case .leased, .ending, nil:
                    break
                }
            }
            if pool.workers.isEmpty, let template = pool.residentTemplate {
                end(template, of: key)
            } else if pool.workers.isEmpty, pool.template == .none {
                pools[key] = nil
            }
        }
        endTemplatesBeyondBudget()
    }

    /// A template rests when it has no workers and nobody waits for it; the one used longest ago goes first.
    private mutating func endTemplatesBeyondBudget() {
        var resting: [(key: PoolKey, id: TemplateID, bytes: UInt64, usedAt: Instant)] = []
        var total: UInt64 = 0
        for (key, pool) in pools {
            guard case .resident(let id, let bytes, let usedAt) = pool.template,
                pool.workers.isEmpty, pool.queue.isEmpty, pool.limits.workersMin == 0 || pool.isRemoved
            else { continue }
            resting.append((key, id, bytes, usedAt))
            total += bytes
        }
        guard total > node.restingBytesMax || node.restingBytesMax == 0 else { return }
        resting.sort { ($0.usedAt, $0.key) < ($1.usedAt, $1.key) }
        for candidate in resting {
            guard total > node.restingBytesMax || node.restingBytesMax == 0 else { return }
            end(candidate.id, of: candidate.key)
            total -= candidate.bytes
        }
    }

    private mutating func end(_ template: TemplateID, of key: PoolKey) {
        pools[key]?.template = .ending(template)
        effects.append(.endTemplate(template))
    }

    // MARK: Being looked at

    /// What one version holds at this moment.
    package struct Census: Equatable, Sendable {
        package var key: PoolKey
        /// Workers that have served.
        package var workers: Int
        /// Workers that never have.
        package var parked: Int
        package var waiting: Int
        /// Calls that a worker has.
        package var running: Int
        /// Bytes of the resident template, nil while none is.
        package var residentBytes: UInt64?
        package var isBooting: Bool
    }

    /// - Returns: every installed version, by name and number.
    package func census() -> [Census] {
        pools.keys.sorted().compactMap { key in
            guard let pool = pools[key] else { return nil }
            var census = Census(
                key: key,
                workers: 0,
                parked: 0,
                waiting: pool.queue.count,
                running: pool.runningCallCount,
                residentBytes: nil,
                isBooting: false
            )
            census.parked = pool.workers.values.count { $0 == .parked }
            census.workers = pool.workers.count - census.parked
            switch pool.template {
            case .resident(_, let bytes, _): census.residentBytes = bytes
            case .booting: census.isBooting = true
            case .none, .ending: break
            }
            return census
        }
    }

    /// Calls that wait or run; the scheduler may end when it is 0.
    package var callsInFlight: Int {
        pools.values.reduce(0) { sum, pool in
            sum + pool.queue.count + pool.runningCallCount
        }
    }
}
