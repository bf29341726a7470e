/// What is made ready ahead of calls: templates that the policy expects to be called, and the reserve of each.
extension WorkerPool {
    /// Builds the template ahead of the call that is expected, if the budget has room for it.
    ///
    /// - Returns: false if it has none.
    mutating func prewarm(_ place: Int, at now: Instant) -> Bool {
        guard let plan = table[place].plan, let until = plan.prewarmedUntil, now < until, !isDraining,
            !table[place].isRemoved, table[place].template == .none
        else { return false }
        let snapshot = table[snapshot: table[place].snapshot]
        let bytes = snapshot.residentBytes > 0 ? snapshot.residentBytes : snapshot.residentBytesAssumed
        let worth = RestingLedger.Worth(value: plan.value.isNaN ? 0 : plan.value, usedAt: now)
        guard makeRoom(for: bytes, worth: worth, at: now) else { return false }
        ledger.hold(.template(pool: place), bytes: bytes, worth: nil)
        table[place].isPrewarmed = true
        table[function: table[place].function].prewarms += 1
        boot(place, at: now)
        return true
    }

    // MARK: What templates and workers cost, measured

    mutating func noteBooted(_ place: Int, _ bytes: UInt64, nanoseconds: UInt64, at now: Instant) {
        let snapshot = table[place].snapshot
        if table.packedBytes(of: place) != nil {
            table[snapshot: snapshot].bootNanoseconds = nanoseconds
        } else if table[snapshot: snapshot].bootNanoseconds == 0 {
            // From the disk: the part that is not decoding counts as loading.
            let decoding = min(nanoseconds, table[snapshot: snapshot].costs.residentFromPackedNanoseconds)
            table[snapshot: snapshot].loadNanoseconds = nanoseconds - decoding
        }
        table[snapshot: snapshot].residentBytes = bytes
        endBooting(place)
    }

    /// The template that was being built is there, or will not be.
    private mutating func endBooting(_ place: Int) {
        let files = table.files(of: place)
        for file in files { table[snapshot: file].bootingCount -= 1 }
        dropPackedWish(place)
        for file in files { letUnwantedGo(file) }
    }

    mutating func noteNotBooted(_ place: Int, at now: Instant) {
        endBooting(place)
        loseRest(place, at: now)
    }

    /// The template died, or never came: nothing of this version rests in memory.
    mutating func loseRest(_ place: Int, at now: Instant) {
        ledger.release(.template(pool: place))
        if table[place].isPrewarmed {
            table[place].isPrewarmed = false
            table[function: table[place].function].prewarmWaste += 1
        }
        guard table[place].rest == .resident || table[place].rest == .leaving else { return }
        table[place].rest = .disk
        table[place].plan = nil
    }

    mutating func measure(_ template: TemplateID, _ bytes: UInt64) {
        guard let place = poolOfTemplate[template], table[place].residentTemplate == template else { return }
        table[place].template = .resident(template, bytes: bytes)
        table[snapshot: table[place].snapshot].residentBytes = bytes
        ledger.reweigh(.template(pool: place), bytes: table[place].residentBytes)
    }

    mutating func measure(_ worker: WorkerID, _ bytes: UInt64) {
        guard let place = workers[worker]?.pool else { return }
        table[place].parkedBytes = bytes
        ledger.reweigh(.template(pool: place), bytes: table[place].residentBytes)
    }

    // MARK: The reserve

    /// How many workers this pool ought to have that were never used.
    private func reserveTarget(_ place: Int) -> Int {
        guard node.restingBytesMax > 0, table[place].serves, !table[place].isRemoved, !isDraining,
            table[place].residentTemplate != nil
        else { return 0 }
        let pool = table[place]
        return max(0, min(node.reservePerTemplate - pool.parked.count, pool.limits.workersMax - pool.activeCount))
    }

    /// The reserve is looked after a moment later, when the answer that was just given has left.
    mutating func orderReserve(_ place: Int, at now: Instant) {
        guard node.restingBytesMax > 0, table[place].reserveDueAt == nil,
            table[place].reserved.count < reserveTarget(place)
        else { return }
        let at = now.advanced(byNanoseconds: NodeLimits.reserveDelayNanoseconds)
        table[place].reserveDueAt = at
        lowerDue(place, to: at)
    }

    mutating func refillReserve(_ place: Int, at now: Instant) {
        guard let at = table[place].reserveDueAt, at <= now else { return }
        table[place].reserveDueAt = nil
        // A version on its way down would be held up by a fork.
        // Calls that gather would have to take it, and it is not for them.
        guard table[place].rest != .leaving, !table[place].isGathering,
            case .resident(let template, _) = table[place].template
        else { return }
        let isAtRest = table[place].rest == .resident
        while table[place].reserved.count < reserveTarget(place),
            !isAtRest || ledger.hasRoom(for: table[place].parkedBytes)
        {
            effects.append(.reserveWorker(add(.reserved, to: place), template))
            ledger.reweigh(.template(pool: place), bytes: table[place].residentBytes)
        }
    }
}
