import Scheduling

/// Stands in for the fleet: carries out effects on a model of the processes, and notes every order that no fleet could
/// carry out or that breaks a promise.
struct Referee {
    enum CallState: Equatable {
        case waiting
        case running(WorkerID, since: Instant)
        case answered
        /// Cancelled while it waited: nobody is there to be answered.
        case forgotten
    }

    struct Call {
        var key: PoolKey
        var state = CallState.waiting
        var metResidentTemplate: Bool
        /// By the limits of when it was given to a worker; they may change while it runs.
        var runsUntil: Instant?
        var since = Instant(nanoseconds: 0)
        var bytes = 0
    }

    enum TemplateState {
        case booting
        case resident
        case toldToEnd
        case gone
    }

    struct Template {
        var key: PoolKey
        var state = TemplateState.booting
        var bytes: UInt64 = 0
    }

    struct Worker {
        var key: PoolKey
        var template: TemplateID
        var leases: Set<CallID> = []
        /// It was given a call in answer to an earlier event.
        var hasServed = false
        /// Forked ahead of calls on resting memory: it has a place on the node from its first call.
        var isReserve = false
        var isToldToEnd = false
        var isGone = false
    }

    let node: NodeLimits
    private(set) var limits: [PoolKey: PoolLimits] = [:]
    private(set) var sources: [PoolKey: PoolSource] = [:]
    /// Files in memory, with their bytes, or on their way there.
    private(set) var packed: [SnapshotID: UInt64] = [:]
    private(set) var calls: [CallID: Call] = [:]
    private(set) var templates: [TemplateID: Template] = [:]
    private(set) var workers: [WorkerID: Worker] = [:]
    private(set) var wakeAt: Instant?
    /// The calls whose state is `waiting`: most of a long night's calls are not.
    private var waiting: Set<CallID> = []
    private(set) var fouls: [String] = []
    private var isDraining = false

    init(node: NodeLimits) {
        self.node = node
    }

    // MARK: What has happened, told before the pool is

    mutating func note(_ event: PoolEvent, at now: Instant) {
        switch event {
        case .installed(let key, let limits, let source):
            self.limits[key] = limits
            sources[key] = source
        case .removed(let key): limits[key]?.workersMin = 0
        case .called(let call, let key, let bytes):
            calls[call] = Call(key: key, metResidentTemplate: resident(key) != nil, since: now, bytes: bytes)
            waiting.insert(call)
        case .cancelled(let call): if calls[call]?.state == .waiting { move(call, to: .forgotten) }
        case .finished(let call, let worker): finish(call, worker)
        case .templateResident(let template, let bytes):
            templates[template]?.state = .resident
            templates[template]?.bytes = bytes
        case .templateMeasured(let template, let bytes): templates[template]?.bytes = bytes
        case .packedHeld(let snapshot, let bytes, _): if packed[snapshot] != nil { packed[snapshot] = bytes }
        case .packedRefused(let snapshot): packed[snapshot] = nil
        case .workerMeasured, .loadRequested, .unloadRequested: break
        case .templateGone(let template): templates[template]?.state = .gone
        case .workerGone(let worker): workers[worker]?.isGone = true
        case .draining: isDraining = true
        case .tick: wakeAt = nil
        }
    }

    private mutating func finish(_ call: CallID, _ worker: WorkerID) {
        guard case .running(worker, _) = calls[call]?.state else { return }
        move(call, to: .answered)
        workers[worker]?.leases.remove(call)
    }

    private mutating func move(_ call: CallID, to state: CallState) {
        calls[call]?.state = state
        waiting.remove(call)
    }

    /// Another version of its function serves from now on.
    mutating func overtake(_ key: PoolKey) {
        limits[key]?.workersMin = 0
    }

    // MARK: What is ordered

    mutating func carryOut(_ effects: [PoolEffect], of event: PoolEvent, at now: Instant) {
        var killed: Set<WorkerID> = []
        for case .timeOut(_, let worker) in effects { killed.insert(worker) }
        for effect in effects {
            switch effect {
            case .bootTemplate(let template, let key): boot(template, key)
            case .forkWorker(let worker, let template): fork(worker, template)
            case .reserveWorker(let worker, let template): reserve(worker, template)
            case .assign(let call, let worker, let start): assign(call, worker, start, at: now)
            case .assignBatch(let members, let worker): assign(members, worker, at: now)
            case .refuse(let call, let refusal): refuse(call, refusal)
            case .fail(let call): fail(call, because: event, killed)
            case .timeOut(let call, let worker): timeOut(call, worker, at: now)
            case .endWorker(let worker): end(worker)
            case .endTemplate(let template): end(template)
            case .holdPacked(let snapshot, let key): hold(snapshot, for: key)
            case .releasePacked(let snapshot): release(snapshot)
            case .forgotten(let key): forget(key)
            case .wake(let instant):
                if instant <= now { foul("a wake at \(instant.nanoseconds), not after now") }
                wakeAt = instant
            }
        }
        for worker in killed { workers[worker]?.isToldToEnd = true }
        for case .assign(_, let worker, _) in effects { workers[worker]?.hasServed = true }
        for case .assignBatch(_, let worker) in effects { workers[worker]?.hasServed = true }
        checkThatNothingWaitsInVain(at: now)
    }

    private mutating func boot(_ template: TemplateID, _ key: PoolKey) {
        if templates[template] != nil { foul("template \(template.number) is booted twice") }
        if limits[key] == nil { foul("a template is booted for \(key), which is not installed") }
        if templates.values.contains(where: { $0.key == key && $0.state != .gone }) {
            foul("\(key) gets a second template")
        }
        templates[template] = Template(key: key)
    }

    private mutating func fork(_ worker: WorkerID, _ template: TemplateID) {
        guard let parent = templates[template] else { return foul("a fork of an unknown template") }
        if parent.state != .resident { foul("a fork of a template that is \(parent.state)") }
        if workers[worker] != nil { foul("worker \(worker.number) is forked twice") }
        workers[worker] = Worker(key: parent.key, template: template)
        checkPlaces(of: parent.key)
    }

    private mutating func checkPlaces(of key: PoolKey) {
        let own = present(key).count { !$0.isReserve }
        if let limits = limits[key], own > limits.workersMax {
            foul("\(key) has \(own) workers, and \(limits.workersMax) are allowed")
        }
        if placesTaken > node.workersMax {
            foul("the node has \(placesTaken) workers, and \(node.workersMax) are allowed")
        }
    }

    private var placesTaken: Int {
        workers.values.count { !$0.isGone && !$0.isReserve }
    }

    private mutating func reserve(_ worker: WorkerID, _ template: TemplateID) {
        guard let parent = templates[template] else { return foul("a reserve of an unknown template") }
        if parent.state != .resident { foul("a reserve of a template that is \(parent.state)") }
        if workers[worker] != nil { foul("worker \(worker.number) is forked twice") }
        workers[worker] = Worker(key: parent.key, template: template, isReserve: true)
        let count = workers.values.count {
            $0.template == template && $0.isReserve && !$0.isGone && !$0.isToldToEnd
        }
        if count > node.reservePerTemplate { foul("\(parent.key) has \(count) workers in reserve") }
        if node.restingBytesMax == 0 { foul("a reserve without a budget for it") }
    }

    private mutating func hold(_ snapshot: SnapshotID, for key: PoolKey) {
        guard let bytes = sources[key]?.files[snapshot] else { return foul("a file of another function") }
        if packed[snapshot] != nil { foul("\(snapshot) is loaded twice") }
        packed[snapshot] = bytes
    }

    private mutating func release(_ snapshot: SnapshotID) {
        if packed.removeValue(forKey: snapshot) == nil { foul("\(snapshot) is let go and was not held") }
        let isInUse = templates.values.contains { template in
            if case .booting = template.state { sources[template.key]?.files[snapshot] != nil } else { false }
        }
        if isInUse { foul("\(snapshot) is let go while a template is built from it") }
    }

    private mutating func forget(_ key: PoolKey) {
        if limits.removeValue(forKey: key) == nil { foul("\(key) is forgotten twice") }
        if !present(key).isEmpty { foul("\(key) is forgotten with workers") }
        if templates.values.contains(where: { $0.key == key && $0.state != .gone }) {
            foul("\(key) is forgotten with a template")
        }
    }

    /// What rests weighs no more than the budget, by what the events said and by the pool's own books.
    mutating func checkBudget(entered: UInt64) {
        if entered > node.restingBytesMax { foul("\(entered) bytes are entered as resting") }
        let resting = templates.filter { id, template in
            template.state == .resident && limits[template.key]?.workersMin == 0
                && !workers.values.contains { $0.template == id && !$0.isGone && (!$0.isReserve || $0.isToldToEnd) }
                && !waiting.contains { calls[$0]?.key == template.key }
        }
        let sum = resting.values.reduce(packed.values.reduce(0, +)) { $0 + $1.bytes }
        if sum > node.restingBytesMax { foul("\(sum) bytes rest, and \(node.restingBytesMax) may") }
    }

    private mutating func assign(_ call: CallID, _ worker: WorkerID, _ start: StartKind, at now: Instant) {
        guard let record = calls[call], let target = workers[worker] else { return foul("an unknown assignment") }
        if record.state != .waiting { foul("call \(call.number) is assigned while it is \(record.state)") }
        if record.key != target.key { foul("call \(call.number) goes to a worker of another function") }
        if target.isGone || target.isToldToEnd { foul("call \(call.number) goes to a worker that ends") }
        if target.leases.count >= limits[record.key]?.callsPerWorkerMax ?? 1 {
            foul("worker \(worker.number) has \(target.leases.count) calls already")
        }
        switch start {
        case .hot:
            if !target.hasServed { foul("call \(call.number) is called hot on a worker that has not served before") }
        case .warm, .cold:
            if target.hasServed { foul("call \(call.number) is called \(start) on a used worker") }
            if record.metResidentTemplate == (start == .cold) {
                foul("call \(call.number) is called \(start): the template was resident: \(record.metResidentTemplate)")
            }
        }
        move(call, to: .running(worker, since: now))
        calls[call]?.runsUntil = limits[record.key].map { now.advanced(byNanoseconds: $0.timeoutNanoseconds) }
        workers[worker]?.leases.insert(call)
        // Only one of the reserve takes another place; with a lower bound than before, the workers there may go on.
        guard target.isReserve else { return }
        workers[worker]?.isReserve = false
        checkPlaces(of: record.key)
    }

    /// A batch is a worker's only work, and within its bounds.
    private mutating func assign(_ members: [BatchMember], _ worker: WorkerID, at now: Instant) {
        guard let key = workers[worker]?.key, let batch = limits[key]?.batch else { return foul("an unknown batch") }
        if workers[worker]?.leases.isEmpty == false { foul("worker \(worker.number) gets a batch beside other calls") }
        if members.count < 2 || members.count > batch.callsMax { foul("a batch of \(members.count) calls") }
        let bytes = members.reduce(0) { $0 + (calls[$1.call]?.bytes ?? 0) }
        if bytes > batch.bytesMax { foul("a batch of \(bytes) bytes") }
        for member in members { assign(member.call, worker, member.start, at: now) }
    }

    private mutating func refuse(_ call: CallID, _ refusal: Refusal) {
        if calls[call]?.state != .waiting { foul("call \(call.number) is refused, but it does not wait") }
        if isDraining != (refusal == .draining), refusal == .draining { foul("refused for a drain that is not") }
        move(call, to: .answered)
    }

    private mutating func fail(_ call: CallID, because event: PoolEvent, _ killed: Set<WorkerID>) {
        guard let record = calls[call] else { return foul("an unknown call fails") }
        switch record.state {
        case .waiting:
            guard case .templateGone(let template) = event, templates[template]?.key == record.key else {
                return foul("call \(call.number) fails while it waits, and no template of its function has gone")
            }
        case .running(let worker, _):
            if workers[worker]?.isGone == false, !killed.contains(worker) {
                foul("call \(call.number) fails on a living worker")
            }
            workers[worker]?.leases.remove(call)
        case .answered, .forgotten:
            foul("call \(call.number) is answered twice")
        }
        move(call, to: .answered)
    }

    private mutating func timeOut(_ call: CallID, _ worker: WorkerID, at now: Instant) {
        guard case .running(worker, _) = calls[call]?.state else {
            return foul("call \(call.number) times out on a worker that it is not on")
        }
        if let until = calls[call]?.runsUntil, now < until {
            foul("call \(call.number) times out early")
        }
        workers[worker]?.leases.remove(call)
        move(call, to: .answered)
    }

    private mutating func end(_ worker: WorkerID) {
        guard let target = workers[worker], !target.isGone else { return foul("a worker is ended that is not there") }
        if target.isToldToEnd { foul("worker \(worker.number) is ended twice") }
        if !target.leases.isEmpty { foul("worker \(worker.number) is ended with a call on it") }
        workers[worker]?.isToldToEnd = true
    }

    private mutating func end(_ template: TemplateID) {
        if templates[template]?.state != .resident { foul("template \(template.number) is ended, but is not resident") }
        if workers.values.contains(where: { $0.template == template && !$0.isGone }) {
            foul("template \(template.number) is ended under its workers")
        }
        templates[template]?.state = .toldToEnd
    }

    // MARK: What must always hold

    private mutating func checkThatNothingWaitsInVain(at now: Instant) {
        if waiting.isEmpty { return }
        let hasRoom = placesTaken < node.workersMax
        for key in Set(waiting.compactMap { calls[$0]?.key }) {
            let free = present(key).filter { $0.leases.isEmpty && !$0.isToldToEnd && isAlive($0.template) }
            let active = present(key).count { !$0.isReserve }
            let workersMax = limits[key]?.workersMax ?? 0
            if free.contains(where: { !$0.isReserve || hasRoom && active < workersMax }) {
                foul("a call of \(key) waits beside a free worker")
            }
            if resident(key) != nil, hasRoom, active < workersMax, !mayGather(key, at: now) {
                foul("a call of \(key) waits although a worker could be forked")
            }
            if !templates.values.contains(where: { $0.key == key && $0.state != .gone }), present(key).isEmpty, hasRoom
            {
                foul("a call of \(key) waits, and nothing is on its way")
            }
        }
    }

    /// Whether the calls that wait may be left to gather: behind a busy worker, while their time is not over.
    private func mayGather(_ key: PoolKey, at now: Instant) -> Bool {
        guard let batch = limits[key]?.batch, batch.callsMax > 1 else { return false }
        let own = waiting.compactMap { calls[$0] }.filter { $0.key == key }
        let isBusy = present(key).contains { !$0.leases.isEmpty && !$0.isToldToEnd && isAlive($0.template) }
        guard isBusy, own.count < batch.callsMax, let first = own.map(\.since).min() else { return false }
        return now < first.advanced(byNanoseconds: batch.delayNanoseconds)
    }

    private mutating func foul(_ sentence: String) {
        fouls.append(sentence)
    }

    /// Workers of the function whose end has not been reported.
    func present(_ key: PoolKey) -> [Worker] {
        workers.values.filter { $0.key == key && !$0.isGone }
    }

    private func isAlive(_ template: TemplateID) -> Bool {
        if case .gone = templates[template]?.state { return false }
        return true
    }

    func resident(_ key: PoolKey) -> TemplateID? {
        templates.first { $0.value.key == key && $0.value.state == .resident }?.key
    }

    func isOpen(_ call: CallID) -> Bool {
        switch calls[call]?.state {
        case .waiting, .running: true
        case .answered, .forgotten, nil: false
        }
    }

    var openCalls: [CallID] {
        calls.keys.filter(isOpen).sorted { $0.number < $1.number }
    }
}

extension PoolSource {
    /// All files that a template is built from, with their bytes.
    var files: [SnapshotID: UInt64] {
        Dictionary(bases.map { ($0.snapshot, $0.fileBytes) } + [(snapshot, fileBytes)]) { first, _ in first }
    }
}
