/// Versions that somebody has asked to be resident, or to rest, whatever their calls say.
extension WorkerPool {
    /// How near a version is to being resident.
    package enum Residency: Equatable, Sendable {
        case resident
        case booting
        case below
    }

    package func residency(of key: PoolKey) -> Residency {
        guard let place = table.place(of: key) else { return .below }
        switch table[place].template {
        case .resident: return .resident
        case .booting: return .booting
        case .none, .ending: return .below
        }
    }

    /// Builds the template, if the budget has room for it; it stays until it is unloaded, or until the budget needs the
    /// room for what must be there.
    mutating func load(_ key: PoolKey, at now: Instant) {
        guard let place = table.place(of: key), !table[place].isRemoved, !isDraining, node.restingBytesMax > 0 else {
            return
        }
        switch table[place].template {
        case .resident:
            table[place].isLoaded = true
            settle(place, at: now)
        case .booting:
            table[place].isLoaded = true
        case .ending:
            // It has been told to end: who asks again finds it gone.
            return
        case .none:
            let snapshot = table[snapshot: table[place].snapshot]
            let bytes = snapshot.residentBytes > 0 ? snapshot.residentBytes : snapshot.residentBytesAssumed
            guard makeRoom(for: bytes, worth: Self.loadedWorth(at: now), at: now) else { return }
            table[place].isLoaded = true
            ledger.hold(.template(pool: place), bytes: bytes, worth: nil)
            boot(place, at: now)
        }
    }

    /// What nobody waits for ends, and nothing of the version rests in memory; calls that it has are finished first.
    mutating func unload(_ key: PoolKey, at now: Instant) {
        guard let place = table.place(of: key) else { return }
        table[place].isLoaded = false
        guard table[place].queue.isEmpty, table[place].leased.isEmpty, table[place].workersMin == 0 else { return }
        table[place].plan = nil
        table[place].mustRest = true
        for worker in (table[place].parked + table[place].idle).sorted() { end(worker) }
        if table[place].rest == .resident { leave(place, at: now) }
        if table[place].wantsPacked { dropPackedWish(place) }
        settle(place, at: now)
    }

    /// The plan of a loaded version: it never ends by itself.
    static func loadedPlan(at now: Instant) -> KeepAlivePlan {
        let end = now.advanced(byNanoseconds: loadedNanoseconds)
        return KeepAlivePlan(residentUntil: end, packedUntil: end, value: .greatestFiniteMagnitude)
    }

    private static func loadedWorth(at now: Instant) -> RestingLedger.Worth {
        RestingLedger.Worth(value: .greatestFiniteMagnitude, usedAt: now)
    }

    /// A year: then the plan is made again.
    private static let loadedNanoseconds: UInt64 = 365 * 86_400 * 1_000_000_000
}
