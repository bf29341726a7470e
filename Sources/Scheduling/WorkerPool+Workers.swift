/// The states of workers: every change of one goes through ``WorkerPool/move(_:to:)``, which keeps all lists and counts.
extension WorkerPool {
    mutating func add(_ state: Worker.State, to place: Int) -> WorkerID {
        lastWorkerNumber += 1
        let worker = WorkerID(lastWorkerNumber)
        workers[worker] = Worker(pool: place, state: state)
        list(worker, state, of: place)
        return worker
    }

    mutating func move(_ worker: WorkerID, to state: Worker.State) {
        // One search for the worker, whatever is done with it: this is on every call's way, twice.
        guard let index = workers.index(forKey: worker) else { return }
        let place = workers.values[index].pool
        unlist(worker, workers.values[index].state, of: place)
        workers.values[index].state = state
        list(worker, state, of: place)
    }

    /// Takes a worker off the table that has gone.
    mutating func remove(_ worker: WorkerID) -> Worker? {
        guard let record = workers.removeValue(forKey: worker) else { return nil }
        unlist(worker, record.state, of: record.pool)
        table[record.pool].runningCallCount -= record.leases?.count ?? 0
        return record
    }

    mutating func lease(_ worker: WorkerID, _ lease: Lease) {
        guard let index = workers.index(forKey: worker) else { return }
        let place = workers.values[index].pool
        if workers.values[index].firstLeasedIn == 0 { workers.values[index].firstLeasedIn = eventNumber }
        table[place].runningCallCount += 1
        guard var leases = workers.values[index].leases else { return move(worker, to: .leased(Leases(lease))) }
        precondition(leases.count < table[place].limits.callsPerWorkerMax, "leased no more than allowed")
        leases.add(lease)
        workers.values[index].state = .leased(leases)
    }

    /// The worker ends, by an order or by itself; its place is free when it has gone.
    mutating func retire(_ worker: WorkerID) {
        guard case .reserved = workers[worker]?.state else { return move(worker, to: .ending(hasPlace: true)) }
        move(worker, to: .ending(hasPlace: false))
    }

    /// Tells a worker without a call to end.
    mutating func end(_ worker: WorkerID) {
        retire(worker)
        effects.append(.endWorker(worker))
    }

    private mutating func list(_ worker: WorkerID, _ state: Worker.State, of place: Int) {
        switch state {
        case .parked: table[place].parked.append(worker)
        case .reserved: return table[place].reserved.append(worker)
        case .leased: table[place].leased.append(worker)
        case .idle: table[place].idle.append(worker)
        case .ending(hasPlace: false): return table[place].endingReserveCount += 1
        case .ending(hasPlace: true):
            table[place].endingCount += 1
            endingCount += 1
        }
        activeCount += 1
    }

    private mutating func unlist(_ worker: WorkerID, _ state: Worker.State, of place: Int) {
        switch state {
        case .parked: Self.drop(worker, from: &table[place].parked)
        case .reserved: return Self.drop(worker, from: &table[place].reserved)
        case .leased: Self.drop(worker, from: &table[place].leased)
        case .idle: Self.drop(worker, from: &table[place].idle)
        case .ending(hasPlace: false): return table[place].endingReserveCount -= 1
        case .ending(hasPlace: true):
            table[place].endingCount -= 1
            endingCount -= 1
        }
        activeCount -= 1
    }

    /// From the end, where those stand that were used last.
    private static func drop(_ worker: WorkerID, from list: inout [WorkerID]) {
        if let place = list.lastIndex(of: worker) { list.remove(at: place) }
    }
}
