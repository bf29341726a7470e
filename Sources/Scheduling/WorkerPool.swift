/// Decides, for the whole node, which process serves which call, and which processes live.
///
/// A value without a clock, a lock or a process: an event and a time go in, effects come out, and the fleet carries
/// them out in order. The same events at the same times give the same effects. Its concerns have a file each: this one
/// takes events in, `Matching` brings calls and workers together, `Sharing` divides the node's places, `Rest` keeps what
/// nobody uses within the budget, `Time` knows what is due.
package struct WorkerPool: Sendable {
    /// Asks for a plan in the place of the policy.
    package typealias Planner = @Sendable (ArrivalHistory, TierCosts, Instant) -> KeepAlivePlan

    let node: NodeLimits
    var policy = KeepAlivePolicy()
    let planner: Planner?
    var table = PoolTable()
    var ledger: RestingLedger
    var workers: [WorkerID: Worker] = [:]
    var poolOfTemplate: [TemplateID: Int] = [:]
    var poolOfWaitingCall: [CallID: Int] = [:]
    /// Workers with a place on the node, and those of them that are on their way out.
    var activeCount = 0
    var endingCount = 0
    /// Pools by the earliest instant at which something of theirs may be due.
    var due = PriorityIndex<Instant>()
    /// Pools with calls that only the node's own bound keeps waiting, by the deadline of the first; and those of them
    /// whose template is there to fork.
    var roomSeekers = PriorityIndex<Instant>()
    var readySeekers = PriorityIndex<Instant>()
    /// Pools with fewer workers than their minimum.
    var belowMinimum: Set<Int> = []
    /// Pools whose template has just gone to rest on the disk, and whose snapshot may be held packed instead.
    var packCandidates: [Int] = []
    var lastWorkerNumber: UInt32 = 0
    var lastTemplateNumber: UInt32 = 0
    /// The number of the event that is being handled.
    var eventNumber: UInt64 = 0
    var isDraining = false
    var effects: [PoolEffect] = []
    /// The instant of the last `wake`; nil when none is out.
    var wakeAt: Instant?

    /// - Parameter planner: decides in the place of the keep-alive policy; for tests that want a certain plan.
    package init(node: NodeLimits, planner: Planner? = nil) {
        self.node = node
        self.planner = planner
        ledger = RestingLedger(bytesMax: node.restingBytesMax)
    }

    /// Whether any version of the function is installed.
    package func hasVersion(of function: String) -> Bool {
        table.hasVersion(of: function)
    }

    package mutating func handle(_ event: PoolEvent, at now: Instant) -> [PoolEffect] {
        effects.removeAll(keepingCapacity: true)
        eventNumber += 1
        switch event {
        case .installed(let key, let limits, let source): install(key, limits, source, at: now)
        case .removed(let key): remove(key, at: now)
        case .called(let call, let key, let bytes): admit(call, of: bytes, to: key, at: now)
        case .loadRequested(let key): load(key, at: now)
        case .unloadRequested(let key): unload(key, at: now)
        case .cancelled(let call): forget(call, at: now)
        case .finished(let call, let worker): finish(call, on: worker, at: now)
        case .templateResident(let template, let bytes): becomeResident(template, bytes, at: now)
        case .templateMeasured(let template, let bytes): measure(template, bytes)
        case .templateGone(let template): lose(template, at: now)
        case .workerMeasured(let worker, let bytes): measure(worker, bytes)
        case .workerGone(let worker): lose(worker, at: now)
        case .packedHeld(let snapshot, let bytes, let nanoseconds): notePacked(snapshot, bytes, nanoseconds)
        case .packedRefused(let snapshot): losePacked(snapshot)
        case .draining: isDraining = true
        case .tick: tick(at: now)
        }
        if ledger.isOverdrawn { evictUntilWithinBudget(at: now) }
        if !packCandidates.isEmpty { packWhatFits(at: now) }
        return effects
    }

    // MARK: Functions come and go

    private mutating func install(_ key: PoolKey, _ limits: PoolLimits, _ source: PoolSource, at now: Instant) {
        let place = table.place(of: key) ?? table.add(key, limits, source)
        table[place].limits = limits
        table[place].isRemoved = false
        if source.serves {
            for other in table[function: table[place].function].pools where table[other].serves && other != place {
                table[other].serves = false
                touch(other, at: now)
            }
        }
        table[place].serves = source.serves
        pump(place, at: now)
        touch(place, at: now)
    }

    /// After a change of limits: parked workers beyond the minimum go, and more may be due than was when it was asked.
    private mutating func touch(_ place: Int, at now: Instant) {
        endSurplusParked(place)
        if !table[place].serves { endReserve(place) }
        settle(place, at: now)
        guard table[place].workerCount > 0 || !table[place].queue.isEmpty else { return }
        // With a shorter idle time it may have been due before now; a wake is for what comes.
        if let next = nextDeadline(place) { lowerDue(place, to: max(next, now.advanced(byNanoseconds: 1))) }
    }

    /// Parked workers beyond the minimum have no idle time to wait for: nobody ever used them.
    private mutating func endSurplusParked(_ place: Int) {
        while table[place].liveCount > table[place].workersMin, let worker = table[place].parked.first {
            end(worker)
        }
    }

    private mutating func remove(_ key: PoolKey, at now: Instant) {
        guard let place = table.place(of: key) else { return }
        table[place].isRemoved = true
        settle(place, at: now)
    }

    // MARK: Calls

    private mutating func admit(_ call: CallID, of bytes: Int, to key: PoolKey, at now: Instant) {
        guard !isDraining else { return effects.append(.refuse(call, .draining)) }
        guard let place = table.place(of: key), !table[place].isRemoved else {
            return effects.append(.refuse(call, .unknownPool))
        }
        noteUse(place, at: now)
        table[place].mustRest = false
        // Nobody overtakes: a call goes straight to a worker only if none waits.
        if table[place].queue.isEmpty, let worker = usedWorker(of: place) {
            assign(call, to: worker, of: place, .hot, at: now)
            return settle(place, at: now)
        }
        let limits = table[place].limits
        let waiting = table[place].queue.count
        let slots = limits.workersMax * limits.callsPerWorkerMax
        let isServedAtOnce = waiting == 0 && unusedWorker(of: place) != nil
        if !isServedAtOnce,
            let refusal = table[place].admission.refusal(waiting: waiting, slots: slots, limits: limits)
        {
            return effects.append(.refuse(call, refusal))
        }
        let deadline = now.advanced(byNanoseconds: limits.waitNanosecondsMax)
        let isCold = table[place].residentTemplate == nil
        table[place].queue.append(.init(call: call, deadline: deadline, isCold: isCold, since: now, bytes: bytes))
        poolOfWaitingCall[call] = place
        pump(place, at: now)
        if poolOfWaitingCall[call] != nil { lowerDue(place, to: deadline) }
        settle(place, at: now)
    }

    /// A call has come, whether or not it will be served.
    private mutating func noteUse(_ place: Int, at now: Instant) {
        guard node.restingBytesMax > 0 else { return }
        let function = table[place].function
        table[place].usedAt = now
        table[function: function].lastCalled = place
        if table[place].rest == .packed || table[place].rest == .disk { table[place].rest = .awake }
        table.noteArrival(function: function, at: now, by: &policy)
        if table[place].isPrewarmed {
            table[place].isPrewarmed = false
            table[function: function].prewarmHits += 1
            // It is built for a call now, and does not rest.
            if table[place].residentTemplate == nil { ledger.release(.template(pool: place)) }
        } else if table[place].isLoaded, table[place].residentTemplate == nil {
            ledger.release(.template(pool: place))
        }
    }

    mutating func assign(
        _ call: CallID,
        to worker: WorkerID,
        of place: Int,
        _ start: StartKind,
        at now: Instant
    ) {
        lease(worker, call, of: place, at: now)
        effects.append(.assign(call, worker, start))
    }

    mutating func lease(_ worker: WorkerID, _ call: CallID, of place: Int, at now: Instant) {
        let deadline = now.advanced(byNanoseconds: table[place].limits.timeoutNanoseconds)
        lease(worker, Lease(call: call, since: now, deadline: deadline))
        lowerDue(place, to: deadline)
    }

    private mutating func forget(_ call: CallID, at now: Instant) {
        guard let place = poolOfWaitingCall.removeValue(forKey: call) else { return }
        table[place].queue.removeAll { $0.call == call }
        settle(place, at: now)
    }

    private mutating func finish(_ call: CallID, on worker: WorkerID, at now: Instant) {
        guard let index = workers.index(forKey: worker), case .leased(var leases) = workers.values[index].state,
            let lease = leases.remove(call)
        else { return }
        let place = workers.values[index].pool
        table[place].admission.noteHold(nanoseconds: now.nanoseconds(since: lease.since))
        table[place].runningCallCount -= 1
        if leases.isEmpty, workers.values[index].isOrphan {
            retire(worker)
        } else if leases.isEmpty {
            move(worker, to: .idle(since: now))
            lowerDue(place, to: now.advanced(byNanoseconds: table[place].limits.idleNanoseconds))
            if isOutranked(place) { end(worker) }
        } else {
            workers.values[index].state = .leased(leases)
        }
        pump(place, at: now)
        if !roomSeekers.isEmpty { makeRoom(at: now) }
        orderReserve(place, at: now)
        settle(place, at: now)
    }

    // MARK: After every change of a pool

    /// Ends what a removed version still holds, lets rest what has no work, and keeps the indices.
    mutating func settle(_ place: Int, at now: Instant) {
        if table[place].isRemoved, table[place].queue.isEmpty {
            for worker in (table[place].parked + table[place].reserved + table[place].idle).sorted() { end(worker) }
            if table[place].workerCount == 0, table[place].template == .none { return forget(place) }
        }
        settleRest(place, at: now)
        index(place)
    }

    private mutating func forget(_ place: Int) {
        dropPackedWish(place)
        due.remove(place)
        roomSeekers.remove(place)
        readySeekers.remove(place)
        belowMinimum.remove(place)
        effects.append(.forgotten(table[place].key))
        table.remove(place)
    }
}
