import Scheduling
import Testing

/// What must hold of a whole node after every step, beside what the referee says of each order.
///
/// * Nothing that is due is forgotten: a wake is out, and not later.
/// * Nothing is done late: no call is open past its time once the pool has looked.
/// * The pool's books agree with what has happened: calls, workers, tiers, function by function.
/// * Calls of one version are served in the order in which they came, and never by a worker whose template has died.
/// * Of a removed version nothing stays but what its calls still need.
/// * What rests weighs no more than the budget, the reserve included; in a drain nothing is admitted.
/// * What was made ready ahead of calls was of use or not, and is counted once.
struct SimulationLaws {
    private var waitingUntil: [CallID: Instant] = [:]
    private var runningUntil: [CallID: Instant] = [:]
    /// Workers without a call that have had one, and since when.
    private var idleSince: [WorkerID: Instant] = [:]
    private var removed: Set<PoolKey> = []
    private var isDraining = false
    /// Bytes of a worker that was never used, as measured last.
    private var reserveBytes: [PoolKey: UInt64] = [:]
    private(set) var fouls: [String] = []

    mutating func note(_ event: PoolEvent, _ effects: [PoolEffect], in match: Match) {
        let before = fouls.count
        take(event, in: match)
        for effect in effects { take(effect, in: match) }
        checkWake(event, in: match)
        checkBooks(in: match)
        checkRemoved(in: match)
        checkWeight(in: match)
        if case .called(let call, _, _) = event, isDraining, match.referee.isOpen(call) {
            foul("call \(call.number) is admitted in a drain")
        }
        for foul in fouls[before...] { Issue.record("foul: \(foul), after \(event)") }
    }

    // MARK: Deadlines, by the rules and not by the pool

    private mutating func take(_ event: PoolEvent, in match: Match) {
        switch event {
        case .installed(let key, _, _): removed.remove(key)
        case .removed(let key): if match.referee.limits[key] != nil { removed.insert(key) }
        case .called(let call, let key, _):
            let wait = match.referee.limits[key]?.waitNanosecondsMax ?? 0
            waitingUntil[call] = match.now.advanced(byNanoseconds: wait)
        case .cancelled(let call): waitingUntil[call] = nil
        case .finished(let call, let worker):
            // Not if it runs elsewhere: an answer of a worker that has gone.
            if !match.referee.isOpen(call) { runningUntil[call] = nil }
            if match.referee.workers[worker]?.leases.isEmpty == true, idleSince[worker] == nil {
                idleSince[worker] = match.now
            }
        case .workerGone(let worker): idleSince[worker] = nil
        case .workerMeasured(let worker, let bytes):
            guard let record = match.referee.workers[worker], !record.isGone else { return }
            reserveBytes[record.key] = bytes
        case .draining: isDraining = true
        default: break
        }
    }

    private mutating func take(_ effect: PoolEffect, in match: Match) {
        switch effect {
        case .assign(let call, let worker, _): take(call, on: worker, in: match)
        case .assignBatch(let members, let worker): for member in members { take(member.call, on: worker, in: match) }
        case .refuse(let call, _), .fail(let call), .timeOut(let call, _):
            waitingUntil[call] = nil
            runningUntil[call] = nil
        case .endWorker(let worker): idleSince[worker] = nil
        case .forgotten(let key):
            removed.remove(key)
            reserveBytes[key] = nil
        default: break
        }
    }

    private mutating func take(_ call: CallID, on worker: WorkerID, in match: Match) {
        waitingUntil[call] = nil
        idleSince[worker] = nil
        checkTurn(of: call, on: worker, in: match)
        guard let key = match.referee.calls[call]?.key, let limits = match.referee.limits[key] else { return }
        runningUntil[call] = match.now.advanced(byNanoseconds: limits.timeoutNanoseconds)
    }

    private mutating func checkWake(_ event: PoolEvent, in match: Match) {
        var due = waitingUntil.values.min()
        if let running = runningUntil.values.min() { due = due.map { min($0, running) } ?? running }
        if case .tick = event, let due, due <= match.now { foul("a call is open past its time") }
        for (worker, since) in idleSince where mayEndIdle(worker, in: match) {
            guard let record = match.referee.workers[worker], let limits = match.referee.limits[record.key] else {
                continue
            }
            let end = since.advanced(byNanoseconds: limits.idleNanoseconds)
            due = due.map { min($0, end) } ?? end
        }
        guard let due else { return }
        guard let wake = match.referee.wakeAt else { return foul("something is due, and no wake is out") }
        if wake > max(due, match.now.advanced(byNanoseconds: 1)) { foul("a wake comes later than what is due") }
    }

    /// Whether the worker is surplus and lives, so that its idle time comes to an end.
    private func mayEndIdle(_ worker: WorkerID, in match: Match) -> Bool {
        guard let record = match.referee.workers[worker], !record.isGone, !record.isToldToEnd,
            match.referee.templates[record.template]?.state == .resident
        else { return false }
        let live = match.referee.present(record.key).count { other in
            !other.isReserve && !other.isToldToEnd && match.referee.templates[other.template]?.state == .resident
        }
        return live > match.referee.limits[record.key]?.workersMin ?? 0
    }

    // MARK: Who is served, and what stays

    private mutating func checkTurn(of call: CallID, on worker: WorkerID, in match: Match) {
        let key = match.referee.calls[call]?.key
        if waitingUntil.keys.contains(where: { $0.number < call.number && match.referee.calls[$0]?.key == key }) {
            foul("call \(call.number) overtakes another")
        }
        let template = match.referee.workers[worker].flatMap { match.referee.templates[$0.template] }
        if case .gone = template?.state { foul("call \(call.number) goes to a worker whose template has died") }
    }

    private mutating func checkRemoved(in match: Match) {
        for key in removed where match.referee.resident(key) != nil && match.referee.present(key).isEmpty {
            let waits = waitingUntil.keys.contains { match.referee.calls[$0]?.key == key }
            if !waits { foul("\(key) was removed, has no work, and keeps its template") }
        }
    }

    private mutating func checkWeight(in match: Match) {
        var sum = match.referee.packed.values.reduce(0, +)
        for entry in match.pool.census() where entry.tier == .resident && entry.waiting == 0 {
            let present = match.referee.present(entry.key)
            guard match.referee.limits[entry.key]?.workersMin == 0, let id = match.referee.resident(entry.key),
                present.allSatisfy({ $0.isReserve && !$0.isToldToEnd })
            else { continue }
            sum += match.referee.templates[id]?.bytes ?? 0
            sum += UInt64(present.count) * (reserveBytes[entry.key] ?? 1 << 20)
        }
        if sum > match.pool.restingBytesMax { foul("\(sum) bytes rest with their reserve") }
    }

    /// At the end of a night nothing that was made ready is still waited for.
    func checkForecasts(in match: Match) {
        for (function, forecast) in match.pool.forecasts() {
            #expect(forecast.hits + forecast.waste == forecast.prewarms, "\(function): \(forecast)")
        }
    }

    // MARK: The pool's books

    private mutating func checkBooks(in match: Match) {
        let referee = match.referee
        if match.pool.callsInFlight != waitingUntil.count + runningUntil.count {
            foul("\(match.pool.callsInFlight) calls are in flight, not \(waitingUntil.count + runningUntil.count)")
        }
        for entry in match.pool.census() {
            let present = referee.present(entry.key)
            if entry.workers + entry.parked != present.count {
                foul("\(entry.key) has \(present.count) workers, not \(entry.workers) and \(entry.parked)")
            }
            let running = present.reduce(0) { $0 + $1.leases.count }
            if entry.running != running { foul("\(entry.key) runs \(running) calls, not \(entry.running)") }
            let isResident = referee.resident(entry.key) != nil
            if isResident != (entry.tier == .resident || entry.tier == .bound) {
                foul("\(entry.key) is said to be \(entry.tier), and its template is resident: \(isResident)")
            }
        }
        for (function, forecast) in match.pool.forecasts() where forecast.hits + forecast.waste > forecast.prewarms {
            foul("\(function) was made ready \(forecast.prewarms) times, and counts \(forecast)")
        }
    }

    private mutating func foul(_ sentence: String) {
        fouls.append(sentence)
    }
}
