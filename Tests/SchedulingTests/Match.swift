import Scheduling
import Testing

/// A pool with its referee and a clock that the test moves.
struct Match {
    private(set) var pool: WorkerPool
    private(set) var referee: Referee
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var transcript: [PoolEffect] = []
    private(set) var lastCall = CallID(0)

    /// - Parameter planner: what the keep-alive policy would say; an hour in memory for everything, unless told otherwise.
    init(
        workersMax: Int = 8,
        restingBytesMax: UInt64 = 0,
        reserve: Int = 0,
        planner: WorkerPool.Planner? = KeepAlivePlan.resident(seconds: 3600)
    ) {
        let node = NodeLimits(workersMax: workersMax, restingBytesMax: restingBytesMax, reservePerTemplate: reserve)
        pool = WorkerPool(node: node, planner: planner)
        referee = Referee(node: node)
    }

    /// Tells the pool what happened; its answer has been carried out when this returns.
    @discardableResult
    mutating func play(_ event: PoolEvent, at location: SourceLocation = #_sourceLocation) -> [PoolEffect] {
        let before = referee.fouls.count
        referee.note(event, at: now)
        let effects = pool.handle(event, at: now)
        referee.carryOut(effects, of: event, at: now)
        transcript += effects
        referee.checkBudget(entered: pool.restingBytes)
        for foul in referee.fouls[before...] {
            Issue.record("foul: \(foul), in answer to \(event)", sourceLocation: location)
        }
        return effects
    }

    mutating func advance(milliseconds: UInt64) {
        now = now.advanced(byNanoseconds: milliseconds * 1_000_000)
    }

    mutating func advance(to instant: Instant) {
        now = max(now, instant)
    }

    mutating func nextCall() -> CallID {
        lastCall.number += 1
        return lastCall
    }

    /// Calls, and says which worker got the call; nil if it waits or was refused.
    mutating func call(_ key: PoolKey) -> (call: CallID, effects: [PoolEffect]) {
        let call = nextCall()
        return (call, play(.called(call, key)))
    }

    /// Installs a function and brings its template up with one call, which is finished at once.
    mutating func warmUp(_ key: PoolKey, _ limits: PoolLimits, _ source: PoolSource? = nil) throws -> WorkerID {
        let installed = play(source.map { .installed(key, limits, $0) } ?? .installed(key, limits))
        let (call, effects) = call(key)
        let template = try #require(installed.bootedTemplate ?? effects.bootedTemplate)
        let worker = try #require(play(.templateResident(template, bytes: 100)).assignedWorker)
        play(.finished(call, worker))
        return worker
    }

    /// Moves the clock to each wake that the pool asked for within the time, and carries out what ends and is held.
    mutating func sleep(seconds: UInt64 = 60) {
        let end = now.advanced(byNanoseconds: seconds * 1_000_000_000)
        while let instant = referee.wakeAt, instant <= end {
            advance(to: instant)
            obey(play(.tick))
        }
        advance(to: end)
    }

    /// As `sleep`, on a node where templates come up at once.
    mutating func sleepBooting(seconds: UInt64) {
        let end = now.advanced(byNanoseconds: seconds * 1_000_000_000)
        while let instant = referee.wakeAt, instant <= end {
            advance(to: instant)
            let effects = play(.tick)
            obey(effects)
            if let template = effects.bootedTemplate { play(.templateResident(template, bytes: 100)) }
        }
        advance(to: end)
    }

    /// Calls and lets the call be answered 1 ms later, however it starts.
    mutating func callToTheEnd(_ key: PoolKey) -> StartKind? {
        var (call, effects) = call(key)
        if let template = effects.bootedTemplate { effects = play(.templateResident(template, bytes: 100)) }
        let start = effects.assignedStart
        advance(milliseconds: 1)
        if let worker = effects.assignedWorker { play(.finished(call, worker)) }
        return start
    }

    /// A later version of the function serves from now on.
    mutating func overtake(_ key: PoolKey) {
        referee.overtake(key)
    }

    /// Lets happen at once what was ordered: workers and templates end, files are held.
    mutating func obey(_ effects: [PoolEffect]) {
        for worker in endingWorkers(in: effects) { obey(play(.workerGone(worker))) }
        for effect in effects {
            switch effect {
            case .endTemplate(let template): obey(play(.templateGone(template)))
            case .holdPacked(let snapshot, _):
                let bytes = referee.packed[snapshot] ?? 0
                obey(play(.packedHeld(snapshot, bytes: bytes, nanoseconds: 1_000_000)))
            default: break
            }
        }
    }

    private func endingWorkers(in effects: [PoolEffect]) -> [WorkerID] {
        effects.compactMap { effect in
            switch effect {
            case .endWorker(let worker), .timeOut(_, let worker): worker
            default: nil
            }
        }
    }
}

extension [PoolEffect] {
    var bootedTemplate: TemplateID? {
        for case .bootTemplate(let template, _) in self { return template }
        return nil
    }

    var assignedWorker: WorkerID? {
        for case .assign(_, let worker, _) in self { return worker }
        return nil
    }

    var assignedStart: StartKind? {
        for case .assign(_, _, let start) in self { return start }
        return nil
    }

    /// Without the order to wake, which most scenarios do not speak of.
    var deeds: [PoolEffect] {
        filter {
            if case .wake = $0 { return false }
            return true
        }
    }
}

extension PoolEvent {
    /// A function with a snapshot of its own, of 40 bytes.
    static func installed(_ key: PoolKey, _ limits: PoolLimits) -> PoolEvent {
        .installed(key, limits, PoolSource(snapshot: SnapshotID(digest: key.function), fileBytes: 40))
    }
}

extension KeepAlivePlan {
    /// Counts from the last call; the value is the same for all.
    static func resident(seconds: UInt64, packedSeconds: UInt64 = 0) -> WorkerPool.Planner {
        { history, _, now in
            let since = history.lastArrival ?? now
            return KeepAlivePlan(
                residentUntil: since.advanced(byNanoseconds: seconds * 1_000_000_000),
                packedUntil: since.advanced(byNanoseconds: (seconds + packedSeconds) * 1_000_000_000),
                value: 1
            )
        }
    }
}

extension PoolEffect {
    var isBoot: Bool {
        if case .bootTemplate = self { true } else { false }
    }
}

extension Instant {
    func later(seconds: UInt64) -> Instant {
        advanced(byNanoseconds: seconds * 1_000_000_000)
    }
}

extension PoolKey {
    static let echo = PoolKey(function: "echo", version: 1)
    static let embed = PoolKey(function: "embed", version: 1)
}

extension PoolLimits {
    /// Ten seconds of rest, one second to answer.
    static func usual(min: Int = 0, max: Int = 2, concurrency: Int = 1, queue: Int? = nil) -> PoolLimits {
        PoolLimits(
            workersMin: min,
            workersMax: max,
            concurrency: concurrency,
            idleNanoseconds: 10_000_000_000,
            timeoutNanoseconds: 1_000_000_000,
            queueDepthMax: queue
        )
    }
}
