/// The node's places are shared among its functions: whoever has waited for longest is next.
extension WorkerPool {
    /// Keeps the indices that say who waits for a place.
    mutating func index(_ place: Int) {
        let waits = table[place].waitsForRoom
        if waits, let first = table[place].queue.first {
            roomSeekers.set(place, first.deadline)
            if table[place].residentTemplate != nil {
                readySeekers.set(place, first.deadline)
            } else {
                readySeekers.remove(place)
            }
        } else if table[place].seeksRoom {
            roomSeekers.remove(place)
            readySeekers.remove(place)
        }
        table[place].seeksRoom = waits
        if table[place].liveCount < table[place].workersMin {
            belowMinimum.insert(place)
        } else if !belowMinimum.isEmpty {
            belowMinimum.remove(place)
        }
    }

    mutating func makeRoom(at now: Instant) {
        while activeCount < node.workersMax, let (place, _) = readySeekers.first {
            pump(place, at: now)
            settle(place, at: now)
            // What is left of its queue waits for more than a place.
            if readySeekers.first?.key == place { break }
        }
        if !roomSeekers.isEmpty {
            if activeCount >= node.workersMax { endStalestIdleWorker() }
            return
        }
        for place in belowMinimum.sorted() where table[place].residentTemplate != nil {
            park(place, at: now)
            index(place)
        }
    }

    /// Whether a call of another function, on a full node, has waited for longer than any of this one.
    func isOutranked(_ place: Int) -> Bool {
        guard activeCount >= node.workersMax, endingCount == 0, let own = table[place].queue.first,
            let (other, deadline) = readySeekers.first, other != place
        else { return false }
        return deadline < own.deadline
    }

    /// Ends the idle worker that has waited for longest anywhere, unless one is on its way out already.
    ///
    /// Looks at the node's places, and on a full node only, once for each place that is made.
    mutating func endStalestIdleWorker() {
        guard endingCount == 0 else { return }
        var stalest: (id: WorkerID, since: Instant)?
        for (id, worker) in workers {
            guard case .idle(let since) = worker.state else { continue }
            if let current = stalest, (current.since, current.id) < (since, id) { continue }
            stalest = (id, since)
        }
        guard let stalest else { return }
        end(stalest.id)
    }
}
