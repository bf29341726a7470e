import Scheduling
import Testing

/// A pool with its referee and a clock that the test moves.
struct Match {
    private(set) var pool: WorkerPool
    private(set) var referee: Referee
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var transcript: [PoolEffect] = []
    private(set) var lastCall = CallID(0)

    init(workersMax: Int = 8, restingBytesMax: UInt64 = 0) {
        let node = NodeLimits(workersMax: workersMax, restingBytesMax: restingBytesMax)
        pool = WorkerPool(node: node)
        referee = Referee(node: node)
    }

    /// Tells the pool what happened; its answer has been carried out when this returns.
    @discardableResult
    mutating func play(_ event: PoolEvent, at location: SourceLocation = #_sourceLocation) -> [PoolEffect] {
        let before = referee.fouls.count
        referee.note(event)
        let effects = pool.handle(event, at: now)
        referee.carryOut(effects, of: event, at: now)
        transcript += effects
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
    mutating func warmUp(_ key: PoolKey, _ limits: PoolLimits) throws -> WorkerID {
        let installed = play(.installed(key, limits))
        let (call, effects) = call(key)
        let template = try #require(installed.bootedTemplate ?? effects.bootedTemplate)
        let worker = try #require(play(.templateResident(template, bytes: 100)).assignedWorker)
        play(.finished(call, worker))
        return worker
    }

    /// Moves the clock to each wake that the pool asked for, until it asks for none.
    mutating func sleep() {
        while let instant = referee.wakeAt {
            advance(to: instant)
            for worker in endingWorkers(in: play(.tick)) { play(.workerGone(worker)) }
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
