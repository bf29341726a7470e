/// What is due, and when to be woken for it.
extension WorkerPool {
    mutating func tick(at now: Instant) {
        wakeAt = nil
        while let (place, at) = due.first, at <= now {
            due.remove(place)
            table[place].dueAt = nil
            expireQueue(place, at: now)
            expireLeases(place, at: now)
            retireIdle(place, at: now)
            refillReserve(place, at: now)
            endGathering(place, at: now)
            reviewRest(place, at: now)
            if let next = nextDeadline(place) { lowerDue(place, to: max(next, now.advanced(byNanoseconds: 1))) }
            settle(place, at: now)
        }
        if let next = due.first?.priority { wake(by: next) }
    }

    /// Something of this pool is due at this instant, perhaps among others.
    ///
    /// An instant that has become idle is not taken out: the pool is looked at once too often, which costs less than
    /// keeping order at every call.
    mutating func lowerDue(_ place: Int, to instant: Instant) {
        if let current = table[place].dueAt, current <= instant { return }
        table[place].dueAt = instant
        due.set(place, instant)
        wake(by: instant)
    }

    private mutating func wake(by instant: Instant) {
        if let wakeAt, wakeAt <= instant { return }
        wakeAt = instant
        effects.append(.wake(at: instant))
    }

    /// The earliest instant at which something of this pool is due, nil if nothing is.
    func nextDeadline(_ place: Int) -> Instant? {
        let pool = table[place]
        var next = pool.queue.lazy.map(\.deadline).min()
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            next = next.map { min($0, instant) } ?? instant
        }
        for worker in pool.leased { consider(workers[worker]?.leases?.firstDeadline) }
        if pool.liveCount > pool.workersMin, let worker = pool.idle.first,
            case .idle(let since) = workers[worker]?.state
        {
            consider(since.advanced(byNanoseconds: pool.limits.idleNanoseconds))
        }
        consider(pool.reserveDueAt)
        consider(pool.gathersUntil)
        consider(restDeadline(place))
        return next
    }

    private mutating func expireQueue(_ place: Int, at now: Instant) {
        let pool = table[place]
        guard pool.queue.contains(where: { $0.deadline <= now }) else { return }
        let slots = pool.limits.workersMax * pool.limits.callsPerWorkerMax
        let retryAfter = pool.admission.retryAfterSeconds(waiting: pool.queue.count, slots: slots)
        for waiting in pool.queue where waiting.deadline <= now {
            poolOfWaitingCall[waiting.call] = nil
            effects.append(.refuse(waiting.call, .queueTimedOut(retryAfterSeconds: retryAfter)))
        }
        table[place].queue.removeAll { $0.deadline <= now }
    }

    private mutating func expireLeases(_ place: Int, at now: Instant) {
        for worker in table[place].leased.sorted() {
            guard let leases = workers[worker]?.leases, let first = leases.firstDeadline, first <= now else { continue }
            // The worker is killed for one call; the others that it held die with it and are told so.
            for lease in leases.inOrder {
                effects.append(lease.deadline <= now ? .timeOut(lease.call, worker) : .fail(lease.call))
            }
            table[place].runningCallCount -= leases.count
            retire(worker)
        }
    }

    private mutating func retireIdle(_ place: Int, at now: Instant) {
        var surplus = table[place].liveCount - table[place].workersMin
        let idleNanoseconds = table[place].limits.idleNanoseconds
        while surplus > 0, let worker = table[place].idle.first, case .idle(let since) = workers[worker]?.state,
            since.advanced(byNanoseconds: idleNanoseconds) <= now
        {
            surplus -= 1
            end(worker)
        }
    }
}
