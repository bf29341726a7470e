import Scheduling
import Testing

/// A node whose processes boot, answer, hang and die at random, and whose callers come in bursts and go away.
struct Simulation {
    private enum Happening {
        case event(PoolEvent)
        case call(PoolKey)
        /// The caller goes, if the call is still open.
        case hangUp(CallID)
        case boot(TemplateID, succeeds: Bool)
        case templateEnds(TemplateID)
        case workerEnds(WorkerID)
        case answer(CallID, WorkerID)
        case fileLoaded(SnapshotID, succeeds: Bool)
    }

    private(set) var match: Match
    let keys: [PoolKey]
    private var generator: SeededGenerator
    private var agenda: [(at: Instant, order: Int, what: Happening)] = []
    private var orderCount = 0

    /// Chances in a thousand.
    private let bootFailures: Int
    private let workerDeaths: Int
    private let hangs: Int

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        keys = (1...Int.random(in: 1...4, using: &generator)).map { PoolKey(function: "function \($0)", version: 1) }
        match = Match(
            workersMax: Int.random(in: 1...6, using: &generator),
            restingBytesMax: [0, 100, 400, 4 << 20].randomElement(using: &generator) ?? 0,
            reserve: Int.random(in: 0...2, using: &generator),
            planner: Self.planner(seed)
        )
        bootFailures = [0, 50, 300].randomElement(using: &generator) ?? 0
        workerDeaths = [0, 20, 200].randomElement(using: &generator) ?? 0
        hangs = [0, 20, 100].randomElement(using: &generator) ?? 0
        self.generator = generator
        planNight()
    }

    /// Plans at random, the same for the same seed and time; what nobody has called for an hour is given up.
    private static func planner(_ seed: UInt64) -> WorkerPool.Planner {
        { history, _, now in
            var generator = SeededGenerator(seed: seed ^ now.nanoseconds)
            func seconds(_ range: ClosedRange<UInt64>) -> Instant {
                now.advanced(byNanoseconds: UInt64.random(in: range, using: &generator) * 1_000_000_000)
            }
            guard let last = history.lastArrival, now.nanoseconds(since: last) < 3_600_000_000_000 else {
                return KeepAlivePlan(residentUntil: now, packedUntil: now)
            }
            let (resident, packed, prewarm) = (seconds(0...3), seconds(0...9), seconds(3...60))
            let until = prewarm.advanced(byNanoseconds: UInt64.random(in: 0...5, using: &generator) * 1_000_000_000)
            let isForetold = Bool.random(using: &generator)
            return KeepAlivePlan(
                residentUntil: resident,
                packedUntil: packed,
                prewarmAt: isForetold ? prewarm : nil,
                prewarmedUntil: isForetold ? until : nil,
                value: Double.random(in: 0...9, using: &generator)
            )
        }
    }

    mutating func run() {
        // Far more than any night has; a pool that keeps itself busy for ever ends here, with its calls open.
        for _ in 0..<100_000 {
            let wake = match.referee.wakeAt
            if let next = agenda.first, wake.map({ next.at <= $0 }) ?? true {
                agenda.removeFirst()
                match.advance(to: next.at)
                happen(next.what)
            } else if let wake {
                match.advance(to: wake)
                play(.tick)
            } else {
                return
            }
        }
    }

    private mutating func planNight() {
        for key in keys {
            let workersMax = Int.random(in: 1...4, using: &generator)
            let limits = PoolLimits(
                workersMin: chance(200) ? 1 : 0,
                workersMax: workersMax,
                concurrency: chance(250) ? 3 : 1,
                idleNanoseconds: milliseconds(1...2000),
                timeoutNanoseconds: milliseconds(200...1000),
                queueDepthMax: chance(300) ? Int.random(in: 1...5, using: &generator) : nil
            )
            let snapshot = SnapshotID(digest: chance(400) ? "shared" : key.function)
            plan(.event(.installed(key, limits, PoolSource(snapshot: snapshot, fileBytes: 40))), in: 0)
            for _ in 0..<Int.random(in: 2...6, using: &generator) {
                let start = milliseconds(0...20_000)
                for _ in 0..<Int.random(in: 15...60, using: &generator) {
                    plan(.call(key), in: start + milliseconds(0...300))
                }
            }
            if chance(150) { plan(.event(.removed(key)), in: milliseconds(1000...20_000)) }
        }
        for _ in 0..<100 { plan(.call(keys[0]), in: milliseconds(0...20_000)) }
        if chance(200) { plan(.event(.draining), in: milliseconds(10_000...25_000)) }
    }

    private mutating func happen(_ what: Happening) {
        switch what {
        case .event(let event): play(event)
        case .call(let key):
            let call = match.nextCall()
            play(.called(call, key))
            if chance(50) { plan(.hangUp(call), in: milliseconds(0...400)) }
        case .hangUp(let call):
            if match.referee.isOpen(call) { play(.cancelled(call)) }
        case .boot(let template, let succeeds):
            guard case .booting = match.referee.templates[template]?.state else { return }
            guard succeeds else { return play(.templateGone(template)) }
            play(.templateResident(template, bytes: UInt64.random(in: 1...90, using: &generator)))
            play(.templateMeasured(template, bytes: UInt64.random(in: 1...90, using: &generator)))
            if chance(workerDeaths / 4) { plan(.templateEnds(template), in: milliseconds(1...3000)) }
        case .templateEnds(let template): endTemplate(template)
        case .workerEnds(let worker):
            if match.referee.workers[worker]?.isGone == false { play(.workerGone(worker)) }
        case .fileLoaded(let snapshot, let succeeds):
            // Also when it was let go meanwhile: then nobody waits for it any more.
            let isOrdered = match.referee.packed[snapshot] != nil
            if isOrdered, succeeds {
                play(.packedHeld(snapshot, bytes: UInt64.random(in: 1...40, using: &generator), nanoseconds: 1_000_000))
            } else if isOrdered {
                play(.packedRefused(snapshot))
            }
        case .answer(let call, let worker):
            // Also when the call was timed out or its worker told to end: answers cross with orders.
            if match.referee.workers[worker]?.isGone == false { play(.finished(call, worker)) }
        }
    }

    /// Its forks end with it; their ends are reported one after the other.
    private mutating func endTemplate(_ template: TemplateID) {
        if case .gone = match.referee.templates[template]?.state { return }
        play(.templateGone(template))
        for (worker, state) in match.referee.workers where state.template == template && !state.isGone {
            plan(.workerEnds(worker), in: UInt64(worker.number))
        }
    }

    /// Does what the orders say, with delays and failures.
    private mutating func play(_ event: PoolEvent) {
        for effect in match.play(event) {
            switch effect {
            case .bootTemplate(let template, _):
                plan(.boot(template, succeeds: !chance(bootFailures)), in: milliseconds(5...150))
            case .assign(let call, let worker, _):
                if !chance(hangs) { plan(.answer(call, worker), in: milliseconds(1...40)) }
                if chance(workerDeaths) { plan(.workerEnds(worker), in: milliseconds(0...40)) }
            case .endWorker(let worker), .timeOut(_, let worker):
                plan(.workerEnds(worker), in: milliseconds(0...10))
            case .holdPacked(let snapshot, _):
                plan(.fileLoaded(snapshot, succeeds: !chance(bootFailures)), in: milliseconds(1...50))
            case .endTemplate(let template):
                plan(.templateEnds(template), in: milliseconds(0...10))
            case .forkWorker, .reserveWorker, .releasePacked, .forgotten, .refuse, .fail, .wake:
                break
            }
        }
    }

    // MARK: Time and chance

    private mutating func plan(_ what: Happening, in delay: UInt64) {
        orderCount += 1
        let at = match.now.advanced(byNanoseconds: delay)
        let place = agenda.firstIndex { ($0.at, $0.order) > (at, orderCount) } ?? agenda.endIndex
        agenda.insert((at, orderCount, what), at: place)
    }

    private mutating func chance(_ thousandths: Int) -> Bool {
        Int.random(in: 0..<1000, using: &generator) < thousandths
    }

    private mutating func milliseconds(_ range: ClosedRange<UInt64>) -> UInt64 {
        UInt64.random(in: range, using: &generator) * 1_000_000 + UInt64.random(in: 0..<1_000_000, using: &generator)
    }
}

/// SplitMix64: small, and the same numbers everywhere for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
