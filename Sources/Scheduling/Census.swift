extension WorkerPool {
    /// What one version holds at this moment.
    package struct Census: Equatable, Sendable {
        /// How near its snapshot is to a worker.
        package enum Tier: Comparable, Sendable {
            case disk, packed, booting, resident, bound
        }

        package var key: PoolKey
        /// Workers that have served.
        package var workers: Int
        /// Workers that never have.
        package var parked: Int
        package var waiting: Int
        /// Calls that a worker has.
        package var running: Int
        package var tier: Tier
        /// Bytes that its tier takes, as far as the kernel has confirmed them: template and reserve, or the files in
        /// memory, which other functions may share.
        package var bytes: UInt64
    }

    /// How often a function was made ready ahead of a call, and what came of it.
    package struct Forecast: Equatable, Sendable {
        package var prewarms: Int
        /// Of them, those that a call found.
        package var hits: Int
        /// Those that no call came for in time.
        package var waste: Int

        package init(prewarms: Int, hits: Int, waste: Int) {
            self.prewarms = prewarms
            self.hits = hits
            self.waste = waste
        }
    }

    /// - Returns: every installed version, by name and number.
    package func census() -> [Census] {
        table.placesInOrder.map(census(of:))
    }

    /// - Returns: functions that were ever made ready ahead of a call.
    package func forecasts() -> [String: Forecast] {
        var forecasts: [String: Forecast] = [:]
        for function in table.functions where function.prewarms > 0 && !function.pools.isEmpty {
            forecasts[function.name] = Forecast(
                prewarms: Int(function.prewarms),
                hits: Int(function.prewarmHits),
                waste: Int(function.prewarmWaste)
            )
        }
        return forecasts
    }

    /// Bytes of everything that rests, what is being loaded included.
    package var restingBytes: UInt64 { ledger.bytes }

    package var restingBytesMax: UInt64 { ledger.bytesMax }

    /// Calls that wait or run; the scheduler may end when it is 0.
    package var callsInFlight: Int {
        workers.values.reduce(poolOfWaitingCall.count) { $0 + ($1.leases?.count ?? 0) }
    }

    private func census(of place: Int) -> Census {
        let pool = table[place]
        let parked = pool.parked.count + pool.reserved.count + pool.endingReserveCount
        var census = Census(
            key: pool.key,
            workers: pool.workerCount - parked,
            parked: parked,
            waiting: pool.queue.count,
            running: pool.runningCallCount,
            tier: .disk,
            bytes: 0
        )
        switch pool.template {
        case .resident:
            census.tier = pool.activeCount > 0 ? .bound : .resident
            census.bytes = pool.residentBytes
        case .booting:
            census.tier = .booting
        case .none, .ending:
            if let bytes = table.packedBytes(of: place) {
                census.tier = .packed
                census.bytes = bytes
            }
        }
        return census
    }
}
