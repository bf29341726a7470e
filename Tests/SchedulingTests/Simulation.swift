import Scheduling
import Testing

/// A node whose processes boot, answer, hang and die at random, and whose callers come in bursts and go away.
struct Simulation {
    private enum Happening {
        case event(PoolEvent)
        /// Of a function, by name: whichever version serves then.
        case call(String)
        case install(PoolKey)
        /// The caller goes, if the call is still open.
        case hangUp(CallID)
        case boot(TemplateID, succeeds: Bool)
        case templateEnds(TemplateID)
        case workerEnds(WorkerID)
        case answer(CallID, WorkerID)
        case fileLoaded(SnapshotID, succeeds: Bool)
        /// The kernel counts more for a template than it did: memory gets tight.
        case templateGrows(TemplateID)
        case workerWeighed(WorkerID)
        /// A later version of the function serves; calls of the earlier one may run on.
        case updated(PoolKey)
        case removed(PoolKey)
        /// Events about what is long gone, or never was: answers cross with orders.
        case echo
    }

    private(set) var match: Match
    private(set) var keys: [PoolKey]
    private(set) var laws = SimulationLaws()
    private(set) var stepCount = 0
    /// The version of each function that callers reach.
    private var serving: [String: PoolKey] = [:]
    private var generator: SeededGenerator
    private var agenda: [(at: Instant, order: Int, what: Happening)] = []
    private var orderCount = 0

    /// Chances in a thousand.
    private let bootFailures: Int
    private let workerDeaths: Int
    private let hangs: Int
    /// All functions have the same model.
    private let sharesSnapshots: Bool
    /// All functions keep parts of theirs in the first one's file.
    private let sharesTensors: Bool

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        keys = (1...Int.random(in: 1...4, using: &generator)).map { PoolKey(function: "function \($0)", version: 1) }
        match = Match(
            workersMax: Int.random(in: 1...6, using: &generator),
            restingBytesMax: [0, 100, 400, 4 << 20].randomElement(using: &generator) ?? 0,
            reserve: Int.random(in: 0...2, using: &generator),
            planner: seed % 3 == 0 ? nil : Self.planner(seed)
        )
        bootFailures = [0, 50, 300].randomElement(using: &generator) ?? 0
        workerDeaths = [0, 20, 200].randomElement(using: &generator) ?? 0
        hangs = [0, 20, 100].randomElement(using: &generator) ?? 0
        sharesSnapshots = Int.random(in: 0..<3, using: &generator) == 0
        sharesTensors = !sharesSnapshots && Bool.random(using: &generator)
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
            let (resident, packed, prewarm) = (seconds(0...2), seconds(0...9), seconds(2...20))
            let until = prewarm.advanced(byNanoseconds: UInt64.random(in: 0...20, using: &generator) * 1_000_000_000)
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
            plan(.install(key), in: 0)
            for _ in 0..<Int.random(in: 4...16, using: &generator) {
                let start = milliseconds(0...60_000)
                // Now and then sixty-four at the same instant.
                let isBurst = chance(150)
                for _ in 0..<(isBurst ? 64 : Int.random(in: 15...60, using: &generator)) {
                    plan(.call(key.function), in: isBurst ? start : start + milliseconds(0...300))
                }
            }
            // A timer, whose calls may be foreseen.
            let period = milliseconds(3000...15_000)
            for round in 1...8 as ClosedRange<UInt64> { plan(.call(key.function), in: 60_000_000_000 + round * period) }
            if chance(300) { plan(.updated(key), in: milliseconds(1000...60_000)) }
            if chance(150) { plan(.removed(key), in: milliseconds(1000...60_000)) }
            if chance(200) { plan(.install(key), in: milliseconds(1000...60_000)) }
        }
        for _ in 0..<300 { plan(.call(keys[0].function), in: milliseconds(0...60_000)) }
        for _ in 0..<50 { plan(.echo, in: milliseconds(0...70_000)) }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            plan(.event(.loadRequested(keys[0])), in: milliseconds(0...60_000))
            plan(.event(.unloadRequested(keys[0])), in: milliseconds(0...60_000))
        }
        plan(.event(.unloadRequested(keys[0])), in: 200_000_000_000)
        if chance(200) { plan(.event(.draining), in: milliseconds(30_000...70_000)) }
    }

    /// Some functions run calls together.
    private mutating func batch() -> BatchLimits {
        guard chance(400) else { return BatchLimits() }
        return BatchLimits(
            callsMax: Int.random(in: 2...8, using: &generator),
            bytesMax: chance(500) ? 100 : .max,
            delayNanoseconds: milliseconds(0...20)
        )
    }

    private mutating func install(_ key: PoolKey) {
        let batch = batch()
        let limits = PoolLimits(
            workersMin: chance(200) ? 1 : 0,
            workersMax: Int.random(in: 1...4, using: &generator),
            concurrency: batch.callsMax == 1 && chance(300) ? 3 : 1,
            idleNanoseconds: milliseconds(1...2000),
            timeoutNanoseconds: milliseconds(200...1000),
            waitNanosecondsMax: chance(300) ? milliseconds(20...300) : nil,
            queueDepthMax: chance(300) ? Int.random(in: 1...5, using: &generator) : nil,
            batch: batch
        )
        if let other = serving.updateValue(key, forKey: key.function), other != key { match.overtake(other) }
        let digest = sharesSnapshots ? "everybody's \(key.version)" : "\(key.function)'s \(key.version)"
        let base = PoolSource.Base(snapshot: SnapshotID(digest: "\(keys[0].function)'s 1"), fileBytes: 40)
        let bases = sharesTensors && digest != base.snapshot.digest ? [base] : []
        play(.installed(key, limits, PoolSource(snapshot: SnapshotID(digest: digest), fileBytes: 40, bases: bases)))
    }

    private mutating func happen(_ what: Happening) {
        switch what {
        case .event(let event): play(event)
        case .install(let key):
            // The last version is brought back, if a later one is there; or its limits change.
            if serving[key.function].map({ $0.version <= key.version }) ?? true { install(key) }
        case .updated(let key):
            let next = PoolKey(function: key.function, version: key.version + 1)
            keys.append(next)
            install(next)
            if chance(700) { plan(.removed(key), in: milliseconds(0...500)) }
        case .removed(let key): play(.removed(key))
        case .templateGrows(let template):
            if match.referee.templates[template]?.state == .resident {
                play(.templateMeasured(template, bytes: UInt64.random(in: 1...400, using: &generator)))
            }
        case .workerWeighed(let worker):
            if match.referee.workers[worker]?.isGone == false {
                play(.workerMeasured(worker, bytes: UInt64.random(in: 0...30, using: &generator)))
            }
        case .echo: playEcho()
        case .call(let function):
            guard let key = serving[function] else { return }
            let call = match.nextCall()
            play(.called(call, key, bytes: Int.random(in: 0...50, using: &generator)))
            if chance(50) { plan(.hangUp(call), in: milliseconds(0...400)) }
        case .hangUp(let call):
            if match.referee.isOpen(call) { play(.cancelled(call)) }
        case .boot(let template, let succeeds):
            guard case .booting = match.referee.templates[template]?.state else { return }
            guard succeeds else { return play(.templateGone(template)) }
            play(.templateResident(template, bytes: UInt64.random(in: 1...90, using: &generator)))
            play(.templateMeasured(template, bytes: UInt64.random(in: 1...90, using: &generator)))
            if chance(workerDeaths / 4) { plan(.templateEnds(template), in: milliseconds(1...3000)) }
            if chance(200) { plan(.templateGrows(template), in: milliseconds(1...3000)) }
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

    private mutating func playEcho() {
        let worker = WorkerID(UInt32.random(in: 1...40, using: &generator))
        let call = CallID(UInt64.random(in: 1...(match.lastCall.number + 1), using: &generator))
        let template = TemplateID(UInt32.random(in: 1...20, using: &generator))
        let isThere = match.referee.workers[worker]?.isGone == false
        if !isThere, match.referee.workers[worker] != nil {
            play(.finished(call, worker))
            play(.workerGone(worker))
            play(.workerMeasured(worker, bytes: 99))
        }
        if case .gone = match.referee.templates[template]?.state {
            play(.templateGone(template))
            play(.templateMeasured(template, bytes: 99))
        }
        if !match.referee.isOpen(call), match.referee.calls[call] != nil { play(.cancelled(call)) }
        play(.packedRefused(SnapshotID(digest: "nobody's")))
        play(.removed(PoolKey(function: "nobody", version: 1)))
    }

    /// Its forks end with it; their ends are reported one after the other.
    private mutating func endTemplate(_ template: TemplateID) {
        if case .gone = match.referee.templates[template]?.state { return }
        play(.templateGone(template))
        // In order: a dictionary's own order is another in each run.
        let forks = match.referee.workers.filter { $0.value.template == template && !$0.value.isGone }
        for worker in forks.keys.sorted() { plan(.workerEnds(worker), in: milliseconds(0...20)) }
    }

    /// Does what the orders say, with delays and failures.
    private mutating func play(_ event: PoolEvent) {
        stepCount += 1
        let effects = match.play(event)
        laws.note(event, effects, in: match)
        for effect in effects {
            switch effect {
            case .bootTemplate(let template, _):
                plan(.boot(template, succeeds: !chance(bootFailures)), in: milliseconds(5...150))
            case .assign(let call, let worker, _):
                if !chance(hangs) { plan(.answer(call, worker), in: milliseconds(1...40)) }
                if chance(workerDeaths) { plan(.workerEnds(worker), in: milliseconds(0...40)) }
            case .assignBatch(let members, let worker):
                // A worker that hangs answers none of the batch; one that does not answers them in turn.
                if !chance(hangs) {
                    let delay = milliseconds(1...40)
                    for member in members { plan(.answer(member.call, worker), in: delay) }
                }
                if chance(workerDeaths) { plan(.workerEnds(worker), in: milliseconds(0...40)) }
            case .endWorker(let worker), .timeOut(_, let worker):
                plan(.workerEnds(worker), in: milliseconds(0...10))
            case .holdPacked(let snapshot, _):
                plan(.fileLoaded(snapshot, succeeds: !chance(bootFailures)), in: milliseconds(1...50))
            case .endTemplate(let template):
                plan(.templateEnds(template), in: milliseconds(0...10))
            case .forkWorker(let worker, _), .reserveWorker(let worker, _):
                // A fork may fail, or be killed while nobody uses it.
                if chance(workerDeaths / 4) { plan(.workerEnds(worker), in: milliseconds(0...200)) }
                if chance(200) { plan(.workerWeighed(worker), in: milliseconds(0...200)) }
            case .releasePacked, .forgotten, .refuse, .fail, .wake:
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
