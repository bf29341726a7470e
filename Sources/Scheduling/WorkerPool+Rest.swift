/// Residency: what is kept of a version that has no work, by the plan of the keep-alive policy and within the budget.
///
/// A version at rest is *resident* (its template, with a reserve), *packed* (its snapshot's file in memory) or on the
/// *disk*. It goes down when its plan says so or when the budget needs the room, and up with a call, or ahead of one
/// that the policy expects.
extension WorkerPool {
    /// Follows a change of the pool: who has work leaves the ledger, who has none is planned for.
    mutating func settleRest(_ place: Int, at now: Instant) {
        guard table[place].residentTemplate != nil else { return settleBelow(place) }
        let isQuiet = table[place].queue.isEmpty && table[place].activeCount == 0 && table[place].workersMin == 0
        switch table[place].rest {
        case .awake, .packed, .disk:
            if isQuiet { comeToRest(place, at: now) } else if isHeldAhead(place) { wakeUp(place) }
        case .resident:
            if !isQuiet { wakeUp(place) } else if table[place].isRemoved { leave(place, at: now) }
        case .leaving:
            // A call that comes while the reserve ends keeps the template.
            if !isQuiet { wakeUp(place) } else if table[place].workerCount == 0 { endTemplate(place, at: now) }
        }
    }

    /// A call that held the file in memory may have gone before its template was ordered.
    private mutating func settleBelow(_ place: Int) {
        guard table[place].wantsPacked, table[place].rest == .awake, table[place].queue.isEmpty else { return }
        if case .booting = table[place].template { return }
        dropPackedWish(place)
    }

    /// Its bytes were entered before its template was ordered.
    private func isHeldAhead(_ place: Int) -> Bool {
        table[place].isPrewarmed || table[place].isLoaded
    }

    private mutating func wakeUp(_ place: Int) {
        // A minimum that was configured meanwhile has use for it.
        if table[place].isPrewarmed { endPrewarming(place, wasUsed: true) }
        ledger.release(.template(pool: place))
        table[place].rest = .awake
    }

    private mutating func comeToRest(_ place: Int, at now: Instant) {
        guard node.restingBytesMax > 0, !table[place].isRemoved else {
            table[place].plan = nil
            return leave(place, at: now)
        }
        if table[place].isPrewarmed, table[place].plan?.prewarmedUntil.map({ $0 <= now }) ?? true {
            endPrewarming(place, wasUsed: false)
        }
        if table[place].mustRest {
            table[place].mustRest = false
            table[place].plan = nil
            return leave(place, at: now)
        }
        if !table[place].isPrewarmed { table[place].plan = plan(place, at: now) }
        guard let plan = table[place].plan, wantsResident(place, plan, at: now) else { return leave(place, at: now) }
        if !ledger.hasRoom(for: table[place].residentBytes), !table[place].reserved.isEmpty {
            // The reserve is for room that is free: it goes before any template does. When it has gone this comes again.
            return endReserve(place)
        }
        // What can never fit must not push out all that does.
        guard table[place].residentBytes <= ledger.bytesMax else { return leave(place, at: now) }
        table[place].rest = .resident
        ledger.hold(.template(pool: place), bytes: table[place].residentBytes, worth: worth(place, plan))
        if let deadline = restDeadline(place) { lowerDue(place, to: deadline) }
        // While it had all the workers that it may have, there was no room for one more.
        orderReserve(place, at: now)
    }

    private func wantsResident(_ place: Int, _ plan: KeepAlivePlan, at now: Instant) -> Bool {
        if table[place].isLoaded { return true }
        if table[place].isPrewarmed { return plan.prewarmedUntil.map { now < $0 } ?? false }
        return now < plan.residentUntil
    }

    private func worth(_ place: Int, _ plan: KeepAlivePlan) -> RestingLedger.Worth {
        RestingLedger.Worth(value: plan.value.isNaN ? 0 : plan.value, usedAt: table[place].usedAt)
    }

    /// A version that another one has overtaken is not kept beyond its plan: the function's calls say nothing of it.
    private func plan(_ place: Int, at now: Instant) -> KeepAlivePlan? {
        if table[place].isLoaded { return Self.loadedPlan(at: now) }
        let function = table[place].function
        let lastCalled = table[function: function].lastCalled
        guard lastCalled == place || lastCalled == nil && table[place].serves else { return nil }
        let costs = table[snapshot: table[place].snapshot].costs
        let history = table.history(function: function)
        if let planner { return planner(history, costs, now) }
        return policy.plan(history, costs, at: now)
    }

    // MARK: Down

    /// The template is to go: its reserve first.
    mutating func leave(_ place: Int, at now: Instant) {
        ledger.release(.template(pool: place))
        table[place].rest = .leaving
        table[place].isLoaded = false
        endReserve(place)
        if table[place].workerCount == 0 { endTemplate(place, at: now) }
    }

    mutating func endReserve(_ place: Int) {
        for worker in table[place].reserved { end(worker) }
    }

    private mutating func endTemplate(_ place: Int, at now: Instant) {
        guard let template = table[place].residentTemplate else { return }
        table[place].template = .ending(template)
        effects.append(.endTemplate(template))
        goBelow(place, at: now)
    }

    /// Without a template: the snapshot may be held packed, and a call may be expected.
    private mutating func goBelow(_ place: Int, at now: Instant) {
        table[place].rest = .disk
        if table[place].isPrewarmed { endPrewarming(place, wasUsed: false) }
        guard let plan = table[place].plan, !table[place].isRemoved else { return dropPackedWish(place) }
        if table[place].wantsPacked {
            table[place].rest = .packed
        } else if now < plan.packedUntil {
            packCandidates.append(place)
        }
        if let deadline = restDeadline(place) { lowerDue(place, to: deadline) }
    }

    private mutating func endPrewarming(_ place: Int, wasUsed: Bool) {
        table[place].isPrewarmed = false
        let function = table[place].function
        if wasUsed {
            table[function: function].prewarmHits += 1
        } else {
            table[function: function].prewarmWaste += 1
        }
    }

    // MARK: Packed

    /// Holds files of snapshots that are worth more than what they displace; room is made before anything is loaded.
    mutating func packWhatFits(at now: Instant) {
        while let place = packCandidates.popLast() {
            guard table[place].rest == .disk, !table[place].wantsPacked, let plan = table[place].plan,
                now < plan.packedUntil
            else { continue }
            hold(place, plan, at: now)
        }
    }

    /// Holds the snapshot's file and those of its bases; what others hold already weighs nothing more.
    private mutating func hold(_ place: Int, _ plan: KeepAlivePlan, at now: Instant) {
        let files = table.files(of: place)
        let worth = packedWorth(place, plan)
        // First what is there: it must not go to make room for the rest.
        for file in files where table[snapshot: file].packed != .absent { want(file, for: place, worth) }
        let missing = files.filter { table[snapshot: $0].packed == .absent }
        let bytes = missing.reduce(0) { $0 + table[snapshot: $1].fileBytes }
        guard missing.isEmpty || makeRoom(for: bytes, worth: worth, at: now) else {
            return forget(files, for: place)
        }
        for file in missing {
            table[snapshot: file].packed = .loading
            let isPinned = table[snapshot: file].bootingCount > 0
            ledger.hold(
                .packed(snapshot: file),
                bytes: table[snapshot: file].fileBytes,
                worth: isPinned ? nil : worth
            )
            effects.append(.holdPacked(table[snapshot: file].id, table[place].key))
            want(file, for: place, worth)
        }
        table[place].wantsPacked = true
        table[place].rest = .packed
        if let deadline = restDeadline(place) { lowerDue(place, to: deadline) }
    }

    /// A file is worth what it is to the one who gains most by it; while a template is built from it, it is pinned.
    private mutating func want(_ file: Int, for place: Int, _ worth: RestingLedger.Worth) {
        table[snapshot: file].wanters.insert(place)
        table[snapshot: file].worth = table[snapshot: file].worth.map { max($0, worth) } ?? worth
        letUnwantedGo(file)
    }

    private mutating func forget(_ files: [Int], for place: Int) {
        for file in files where table[snapshot: file].wanters.remove(place) != nil { letUnwantedGo(file) }
    }

    /// What a byte of the file saves: the time from the disk, with the chance that the plan's value stands for.
    private func packedWorth(_ place: Int, _ plan: KeepAlivePlan) -> RestingLedger.Worth {
        let costs = table[snapshot: table[place].snapshot].costs
        let restoring = Double(max(costs.residentFromPackedNanoseconds, 1)) / Double(max(costs.residentBytes, 1))
        let loading = Double(costs.packedFromDiskNanoseconds) / Double(max(costs.packedBytes, 1))
        let value = plan.value.isNaN ? 0 : plan.value
        return RestingLedger.Worth(value: value * loading / restoring, usedAt: table[place].usedAt)
    }

    /// Lets go of what is worth less, until so many bytes are free; nothing is let go if that is not enough.
    mutating func makeRoom(for bytes: UInt64, worth: RestingLedger.Worth, at now: Instant) -> Bool {
        while !ledger.hasRoom(for: bytes) {
            guard bytes <= ledger.bytesMax, let least = ledger.leastWorth, least.worth < worth else { return false }
            evict(least.item, at: now)
        }
        return true
    }

    mutating func notePacked(_ id: SnapshotID, _ bytes: UInt64, _ nanoseconds: UInt64) {
        guard let snapshot = table.place(of: id), table[snapshot: snapshot].packed == .loading else { return }
        table[snapshot: snapshot].packed = .held(bytes: bytes)
        table[snapshot: snapshot].loadNanoseconds = nanoseconds
        ledger.reweigh(.packed(snapshot: snapshot), bytes: bytes)
    }

    /// The file could not be held: whoever wanted it rests on the disk.
    mutating func losePacked(_ id: SnapshotID) {
        guard let snapshot = table.place(of: id), table[snapshot: snapshot].packed != .absent else { return }
        dropPacked(snapshot, isGone: true)
    }

    /// Also when others still want it: then they rest on the disk.
    private mutating func dropPacked(_ snapshot: Int, isGone: Bool = false) {
        guard table[snapshot: snapshot].packed != .absent else { return }
        ledger.release(.packed(snapshot: snapshot))
        table[snapshot: snapshot].packed = .absent
        table[snapshot: snapshot].worth = nil
        if !isGone { effects.append(.releasePacked(table[snapshot: snapshot].id)) }
        // In order: a set's own order is another in each run.
        let wanters = table[snapshot: snapshot].wanters.sorted()
        table[snapshot: snapshot].wanters = []
        // Without one of its files a version has no use for the others.
        for place in wanters { dropPackedWish(place) }
    }

    /// This version no longer needs its snapshot's files in memory; the last one lets each go.
    mutating func dropPackedWish(_ place: Int) {
        guard table[place].wantsPacked else { return }
        table[place].wantsPacked = false
        if table[place].rest == .packed { table[place].rest = .disk }
        forget(table.files(of: place), for: place)
    }

    /// After the last that wanted it, and not while a template is built from it.
    mutating func letUnwantedGo(_ snapshot: Int) {
        guard table[snapshot: snapshot].bootingCount == 0 else { return }
        if table[snapshot: snapshot].wanters.isEmpty { return dropPacked(snapshot) }
        let item = RestingLedger.Item.packed(snapshot: snapshot)
        guard let bytes = ledger.bytes(of: item) else { return }
        ledger.hold(item, bytes: bytes, worth: table[snapshot: snapshot].worth)
    }

    // MARK: The budget

    mutating func evictUntilWithinBudget(at now: Instant) {
        while ledger.isOverdrawn, let least = ledger.leastWorth { evict(least.item, at: now) }
    }

    private mutating func evict(_ item: RestingLedger.Item, at now: Instant) {
        switch item {
        case .template(let place): leave(place, at: now)
        case .packed(let snapshot): dropPacked(snapshot)
        }
    }

    // MARK: Time

    /// When this pool's rest is to be looked at again, nil if nothing is planned.
    func restDeadline(_ place: Int) -> Instant? {
        guard let plan = table[place].plan else { return nil }
        switch table[place].rest {
        case .awake, .leaving:
            return nil
        case .resident:
            return table[place].isPrewarmed ? plan.prewarmedUntil : plan.residentUntil
        case .packed:
            if table[place].isPrewarmed { return nil }
            return plan.prewarmAt.map { min($0, plan.packedUntil) } ?? plan.packedUntil
        case .disk:
            return table[place].isPrewarmed ? nil : plan.prewarmAt
        }
    }

    /// An instant of the plan has come.
    mutating func reviewRest(_ place: Int, at now: Instant) {
        guard let deadline = restDeadline(place), deadline <= now else { return }
        switch table[place].rest {
        case .awake, .leaving: break
        case .resident: reviewResident(place, at: now)
        case .packed, .disk: reviewBelow(place, at: now)
        }
    }

    private mutating func reviewResident(_ place: Int, at now: Instant) {
        if table[place].isPrewarmed { endPrewarming(place, wasUsed: false) }
        table[place].plan = plan(place, at: now)
        guard let plan = table[place].plan, wantsResident(place, plan, at: now) else { return leave(place, at: now) }
        ledger.hold(.template(pool: place), bytes: table[place].residentBytes, worth: worth(place, plan))
    }

    private mutating func reviewBelow(_ place: Int, at now: Instant) {
        if let at = table[place].plan?.prewarmAt, at <= now {
            // Once for each plan: what fails or finds no room is not tried again before a call or another plan.
            table[place].plan?.prewarmAt = nil
            if prewarm(place, at: now) { return }
        }
        guard let plan = table[place].plan, plan.packedUntil <= now else { return }
        dropPackedWish(place)
        table[place].plan = self.plan(place, at: now)
    }
}
