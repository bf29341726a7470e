/// Calls and processes of one version are brought together.
///
/// A call that finds a worker free goes at once, batching or not. Calls that find all of them busy wait, and the worker that
/// comes free takes as many as make a batch; where another worker may still be ordered, that waits for `delay`.
extension WorkerPool {
    /// A worker that has served: the one used last, whose caches are the warmest, so that the others can go idle long
    /// enough to end; or one with room for another call beside those that it has.
    func usedWorker(of place: Int) -> WorkerID? {
        if let worker = table[place].idle.last { return worker }
        let concurrency = table[place].limits.concurrency
        guard concurrency > 1 else { return nil }
        return table[place].leased.filter { id in
            guard let worker = workers[id], !worker.isOrphan, let leases = worker.leases else { return false }
            return leases.count < concurrency
        }.min()
    }

    /// A worker that was forked ahead of calls; one of the reserve needs a place on the node.
    func unusedWorker(of place: Int) -> WorkerID? {
        if let worker = table[place].parked.first { return worker }
        return hasPlace(place) ? table[place].reserved.first : nil
    }

    /// Whether one more worker of this pool may be active.
    func hasPlace(_ place: Int) -> Bool {
        table[place].activeCount < table[place].limits.workersMax && activeCount < node.workersMax
    }

    /// Gives waiting calls to workers that have room, then orders the processes that are still missing.
    mutating func pump(_ place: Int, at now: Instant) {
        table[place].isGathering = false
        while let next = table[place].queue.first {
            if let worker = usedWorker(of: place) ?? unusedWorker(of: place) {
                hand(place, to: worker, at: now)
            } else if hasPlace(place) {
                if gathers(next, of: place, at: now) { return }
                guard let worker = fork(place, at: now) else { return }
                hand(place, to: worker, at: now)
            } else {
                if table[place].activeCount < table[place].limits.workersMax {
                    // The node is full of workers, but a template takes no worker's place: it boots meanwhile.
                    if table[place].template == .none { boot(place, at: now) }
                    endStalestIdleWorker()
                }
                return
            }
        }
        park(place, at: now)
    }

    /// Gives the worker the call that is next, or as many as make a batch.
    private mutating func hand(_ place: Int, to worker: WorkerID, at now: Instant) {
        // Sharing a worker that was unused a moment ago is no hot start.
        let isUsed = workers[worker].map { $0.firstLeasedIn > 0 && $0.firstLeasedIn < eventNumber } ?? false
        guard table[place].limits.batch.callsMax > 1 else {
            guard let next = table[place].queue.first else { return }
            dequeue(next, of: place)
            return assign(next.call, to: worker, of: place, isUsed ? .hot : next.isCold ? .cold : .warm, at: now)
        }
        let batch = nextBatch(of: place)
        let members = batch.map { waiting in
            BatchMember(waiting.call, isUsed ? .hot : waiting.isCold ? .cold : .warm)
        }
        for waiting in batch { dequeue(waiting, of: place) }
        if let only = members.first, members.count == 1 {
            return assign(only.call, to: worker, of: place, only.start, at: now)
        }
        for member in members { lease(worker, member.call, of: place, at: now) }
        effects.append(.assignBatch(members, worker))
    }

    /// The calls that wait, oldest first, as many as are run as one.
    private func nextBatch(of place: Int) -> ArraySlice<FunctionPool.Waiting> {
        let limits = table[place].limits.batch
        var bytes = 0
        let count = table[place].queue.prefix(limits.callsMax).prefix { waiting in
            let (sum, overflow) = bytes.addingReportingOverflow(waiting.bytes)
            bytes = sum
            return !overflow && sum <= limits.bytesMax
        }.count
        return table[place].queue.prefix(max(count, 1))
    }

    /// Whether the calls that wait are left to gather: a worker is busy and will take them together, and their time is
    /// not over.
    private mutating func gathers(_ next: FunctionPool.Waiting, of place: Int, at now: Instant) -> Bool {
        let limits = table[place].limits.batch
        guard limits.callsMax > 1, table[place].queue.count < limits.callsMax else { return false }
        let until = next.since.advanced(byNanoseconds: limits.delayNanoseconds)
        guard now < until, hasBusyWorker(place) else { return false }
        table[place].isGathering = true
        lowerDue(place, to: until)
        return true
    }

    /// A worker with calls that will take others when it has finished them.
    private func hasBusyWorker(_ place: Int) -> Bool {
        table[place].leased.contains { workers[$0]?.isOrphan == false }
    }

    /// The calls have gathered for long enough, or the worker that they gathered behind is gone: another is ordered.
    mutating func endGathering(_ place: Int, at now: Instant) {
        guard let until = table[place].gathersUntil, until <= now || !hasBusyWorker(place) else { return }
        pump(place, at: now)
    }

    private mutating func dequeue(_ waiting: FunctionPool.Waiting, of place: Int) {
        table[place].queue.removeFirst()
        poolOfWaitingCall[waiting.call] = nil
    }

    /// Keeps `workersMin` workers, whether or not anybody calls; a call that waits for room comes first.
    mutating func park(_ place: Int, at now: Instant) {
        while table[place].liveCount < table[place].workersMin, hasPlace(place), roomSeekers.isEmpty, !isDraining {
            guard fork(place, at: now) != nil else { return }
        }
    }

    /// Orders a fork; without a resident template orders that, and the fork comes when it is there.
    private mutating func fork(_ place: Int, at now: Instant) -> WorkerID? {
        switch table[place].template {
        case .resident(let template, _):
            let worker = add(.parked, to: place)
            effects.append(.forkWorker(worker, template))
            return worker
        case .none:
            boot(place, at: now)
            return nil
        case .booting, .ending:
            return nil
        }
    }

    mutating func boot(_ place: Int, at now: Instant) {
        lastTemplateNumber += 1
        let template = TemplateID(lastTemplateNumber)
        table[place].template = .booting(template, since: now)
        poolOfTemplate[template] = place
        for file in table.files(of: place) {
            table[snapshot: file].bootingCount += 1
            ledger.pin(.packed(snapshot: file))
        }
        effects.append(.bootTemplate(template, table[place].key))
    }

    // MARK: What becomes of processes

    mutating func becomeResident(_ template: TemplateID, _ bytes: UInt64, at now: Instant) {
        guard let place = poolOfTemplate[template], case .booting(template, let since) = table[place].template else {
            return
        }
        table[place].template = .resident(template, bytes: bytes)
        noteBooted(place, bytes, nanoseconds: now.nanoseconds(since: since), at: now)
        pump(place, at: now)
        orderReserve(place, at: now)
        settle(place, at: now)
    }

    mutating func lose(_ template: TemplateID, at now: Instant) {
        guard let place = poolOfTemplate.removeValue(forKey: template) else { return }
        let wasBooting = if case .booting = table[place].template { true } else { false }
        table[place].template = .none
        // Its forks end with it; their ends are on their way, and a call given to one of them would only fail.
        for worker in table[place].parked + table[place].reserved + table[place].idle { retire(worker) }
        for worker in table[place].leased { workers[worker]?.isOrphan = true }
        if wasBooting {
            // A template that never came up will not come up for the calls that waited for it: say so at once.
            for waiting in table[place].queue {
                poolOfWaitingCall[waiting.call] = nil
                effects.append(.fail(waiting.call))
            }
            table[place].queue.removeAll()
            noteNotBooted(place, at: now)
        } else {
            loseRest(place, at: now)
            // After a failed boot only a call tries again, or a function that nobody calls would boot in a loop.
            pump(place, at: now)
        }
        settle(place, at: now)
    }

    mutating func lose(_ worker: WorkerID, at now: Instant) {
        guard let record = remove(worker) else { return }
        for lease in record.leases?.inOrder ?? [] { effects.append(.fail(lease.call)) }
        // Whoever has waited for longest anywhere takes the place, not the function that gave it up.
        index(record.pool)
        makeRoom(at: now)
        pump(record.pool, at: now)
        settle(record.pool, at: now)
    }
}
