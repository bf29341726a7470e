import Linux
import NIOCore
import Scheduling
import Wire

/// One thing to do outside the lock.
enum FleetAction: Sendable {
    case boot(TemplateID, FunctionBinding)
    case fork(WorkerID, from: TemplateProcess?, FunctionBinding, isAhead: Bool)
    /// `followers` are the calls behind it that are run with it.
    case send(CallID, AdmittedWork, WorkerChannel, followers: Int)
    case answer(AdmittedWork, WorkResult)
    case kill(WorkerID, because: String)
    case close(WorkerID, WorkerChannel)
    case end(TemplateID)
    case hold(SnapshotID, path: String, order: UInt64)
    case release(SnapshotID, order: UInt64)
    case wake(Instant)
    /// No call is left.
    case quiet(CheckedContinuation<Void, Never>)
}

/// What a worker's reply led to.
enum AnswerOutcome {
    case done([FleetAction])
    /// It came before the worker's pid, which is needed to read the meter, and waits for that.
    case kept
    /// Its memory was last read too long ago: read it, note it, then answer again.
    case memoryIsDue(pid: Int32, MemoryAllowance?)
    case workerIsGone
    /// The worker does not have that call.
    case callIsNotIts
}

/// What never changes of a call: one reference to hand on, where its parts would be five.
final class AdmittedWork: Sendable {
    let order: WorkOrder
    let completion: WorkCompletion

    init(_ order: WorkOrder, _ completion: @escaping WorkCompletion) {
        self.order = order
        self.completion = completion
    }
}

/// A call between admission and answer.
struct CallRecord {
    let work: AdmittedWork
    var times: CallTimes
    var start: StartKind?
    var worker: WorkerID?
    /// The worker's processor time when it was given the call.
    var cpuMark: UInt64 = 0
    /// Why it will fail, known before the pool says that it does.
    var lastWords: WorkFailure?
    var cpuNanoseconds: UInt64 = 0
    var memoryBytesPeak: UInt64 = 0
    /// Its place in its batch, and how many calls that has.
    var batchIndex = 0
    var batchSize = 1

    mutating func assigned(to worker: WorkerID, _ start: StartKind, isReady: Bool, cpuMark: UInt64, at now: UInt64) {
        self.start = start
        self.worker = worker
        self.cpuMark = cpuMark
        times.assignedAt = now
        times.readyAt = isReady ? now : nil
    }

    /// Takes over what the kernel says that its worker has used since that began.
    mutating func note(cpuNanoseconds used: UInt64, memoryBytesPeak: UInt64) {
        cpuNanoseconds = used >= cpuMark ? used - cpuMark : 0
        self.memoryBytesPeak = memoryBytesPeak
    }

    /// The call's outcome and times, as far as it came.
    func result(_ outcome: Result<WorkReply, WorkFailure>, at now: UInt64) -> WorkResult {
        var result = WorkResult(result: outcome)
        result.start = start
        result.cpuNanoseconds = cpuNanoseconds
        result.memoryBytesPeak = memoryBytesPeak
        result.batchIndex = batchIndex
        result.batchSize = batchSize
        (result.queueNanoseconds, result.bindNanoseconds, result.runNanoseconds) = times.spans(start, until: now)
        return result
    }
}

/// When a call passed each station, in nanoseconds of the monotonic clock.
///
/// Each was read by the thread that saw it happen, before it had the lock: two stations a hair apart may stand in the
/// other order.
struct CallTimes {
    let acceptedAt: UInt64
    var assignedAt: UInt64?
    /// When its worker was ready for it; the assignment itself where it was already.
    var readyAt: UInt64?

    init(acceptedAt: UInt64) {
        self.acceptedAt = acceptedAt
    }

    func spans(_ start: StartKind?, until now: UInt64) -> (queue: UInt64, bind: UInt64, run: UInt64) {
        guard let assignedAt else { return (Self.span(acceptedAt, now), 0, 0) }
        // A cold call waits for processes from its first moment, any other for its turn until it is assigned.
        let boundFrom = start == .cold ? acceptedAt : assignedAt
        let ready = readyAt ?? now
        return (Self.span(acceptedAt, boundFrom), Self.span(boundFrom, ready), Self.span(ready, now))
    }

    private static func span(_ from: UInt64, _ until: UInt64) -> UInt64 {
        until > from ? until - from : 0
    }
}

/// A worker from the order to fork it until it is buried.
///
/// An object, since every call looks at it twice: what is found once is read and changed where it lies. It never leaves
/// the tables, so their lock is its own. Which calls it has, these say themselves.
final class WorkerRecord {
    let key: PoolKey
    var channel: WorkerChannel?
    var memory: MemoryAllowance?
    var pid: Int32?
    var readyAt: UInt64?
    var cpuMark: UInt64 = 0
    /// The most private memory at the last reading, and when that was.
    var memoryBytesPeak: UInt64 = 0
    var memoryReadAt: UInt64?
    /// Of the batch that it has.
    var batch: BatchMeter?
    /// Calls given to it before its channel was open; a batch is all of them.
    var unsent: [CallID] = []
    /// Told to end before its channel was open.
    var mustEnd = false
    /// Replies that came before its pid was known.
    var deferred: [DeferredAnswer] = []

    init(key: PoolKey) {
        self.key = key
    }

    /// Processor time so far: of the process, or of all in its group where others work for it; nil before its pid is known.
    func cpuNanoseconds() -> UInt64? {
        guard let pid else { return nil }
        return memory?.cpuNanoseconds() ?? Clock.processCPUNanoseconds(pid: pid)
    }

    /// Its memory was read so lately that a call which ends now needs no reading of its own.
    func hasRecentMemory(at now: UInt64) -> Bool {
        memoryReadAt.map { now < $0 + FleetLimits.memoryReadNanoseconds } ?? false
    }
}

struct DeferredAnswer {
    let call: CallID
    let result: Result<WorkReply, WorkFailure>
}

struct TemplateRecord {
    /// Kept here too: a deleted function's calls are finished, and may need a fork for it.
    let binding: FunctionBinding
    var process: TemplateProcess?
    var isResident = false
    /// Of its memory, what the kernel keeps in huge pages; nil while nobody has looked.
    var hugePageBytes: UInt64?
}

/// The tables behind the fleet's lock.
///
/// Methods change them and say what is to be done afterwards.
struct FleetState {
    var pool: WorkerPool
    var bindings: [PoolKey: FunctionBinding] = [:]
    /// Of deleted versions whose last calls are being finished.
    var removed: [PoolKey: FunctionBinding] = [:]
    var calls: [CallID: CallRecord] = [:]
    var workers: [WorkerID: WorkerRecord] = [:]
    var templates: [TemplateID: TemplateRecord] = [:]
    /// Workers forked ahead of calls that nobody has measured yet.
    var unmeasured: Set<WorkerID> = []
    var wakeTask: (at: Instant, task: Scheduled<Void>)?
    /// Who waits for the last call to end.
    var quietWaiter: CheckedContinuation<Void, Never>?
    /// Why the last template that never came up did not.
    var lastLoadFailure: (key: PoolKey, reason: String)?
    /// Who waits for a version to be resident; told why it is not.
    var loadWaiters: [PoolKey: [CheckedContinuation<String?, Never>]] = [:]
    private var lastCallNumber: UInt64 = 0
    /// Of orders to hold files and to let go of them.
    private var lastOrderNumber: UInt64 = 0

    init(node: NodeLimits) {
        pool = WorkerPool(node: node)
    }

    /// Puts a call on the table and asks the pool what becomes of it.
    mutating func call(
        _ order: WorkOrder,
        _ completion: @escaping WorkCompletion,
        at now: UInt64,
        noting note: (CallID) -> Void = { _ in }
    ) -> [FleetAction] {
        lastCallNumber += 1
        let call = CallID(lastCallNumber)
        calls[call] = CallRecord(work: AdmittedWork(order, completion), times: CallTimes(acceptedAt: now))
        note(call)
        return handle(.called(call, order.key, bytes: order.body.readableBytes), at: Instant(nanoseconds: now))
    }

    /// Lets the pool decide and turns its effects into actions.
    mutating func handle(_ event: PoolEvent, at now: Instant) -> [FleetAction] {
        var actions: [FleetAction] = []
        handle(event, at: now, &actions)
        return actions
    }

    private mutating func handle(_ event: PoolEvent, at now: Instant, _ actions: inout [FleetAction]) {
        for effect in pool.handle(event, at: now) {
            switch effect {
            case .bootTemplate(let template, let key):
                guard let binding = bindings[key] ?? removed[key] else {
                    preconditionFailure("a pool is installed with its binding")
                }
                templates[template] = TemplateRecord(binding: binding)
                actions.append(.boot(template, binding))
            case .reserveWorker(let worker, let template), .forkWorker(let worker, let template):
                let isAhead = if case .reserveWorker = effect { true } else { false }
                if isAhead { unmeasured.insert(worker) }
                guard let record = templates[template] else {
                    preconditionFailure("a pool forks from templates that are on the table")
                }
                workers[worker] = WorkerRecord(key: record.binding.key)
                actions.append(.fork(worker, from: record.process, record.binding, isAhead: isAhead))
            case .assign(let call, let worker, let start):
                assign(call, to: worker, start, at: now.nanoseconds, &actions)
            case .assignBatch(let members, let worker):
                assign(members, to: worker, at: now.nanoseconds, &actions)
            case .refuse(let call, let refusal):
                complete(call, .failure(.refused(refusal)), at: now.nanoseconds, &actions)
            case .fail(let call):
                let words = calls[call]?.lastWords ?? .died(reason: DeathReason().sentence)
                complete(call, .failure(words), at: now.nanoseconds, &actions)
            case .timeOut(let call, let worker):
                measure(call, on: worker)
                complete(call, .failure(.timedOut), at: now.nanoseconds, &actions)
                workers[worker]?.mustEnd = true
                actions.append(.kill(worker, because: "timeout: its call ran for longer than limits.timeout"))
            case .endWorker(let worker):
                if let channel = workers[worker]?.channel { actions.append(.close(worker, channel)) }
                workers[worker]?.mustEnd = true
            case .endTemplate(let template):
                actions.append(.end(template))
            case .holdPacked(let snapshot, let key):
                guard let path = (bindings[key] ?? removed[key])?.path(of: snapshot) else {
                    preconditionFailure("a pool is installed with its binding")
                }
                lastOrderNumber += 1
                actions.append(.hold(snapshot, path: path, order: lastOrderNumber))
            case .releasePacked(let snapshot):
                lastOrderNumber += 1
                actions.append(.release(snapshot, order: lastOrderNumber))
            case .forgotten(let key):
                removed[key] = nil
            case .wake(let instant):
                actions.append(.wake(instant))
            }
        }
    }

    // MARK: Calls

    private mutating func assign(
        _ call: CallID,
        to worker: WorkerID,
        _ start: StartKind,
        at now: UInt64,
        followers: Int = 0,
        _ actions: inout [FleetAction]
    ) {
        guard let place = calls.index(forKey: call), let target = workers[worker] else { return }
        let isReady = target.readyAt != nil
        // What a parked worker did before its first call, coming up and warming itself, is nobody's call.
        let cpuMark =
            if isReady, target.cpuMark == 0, target.pid != nil {
                target.cpuNanoseconds() ?? 0
            } else {
                target.cpuMark
            }
        calls.values[place].assigned(to: worker, start, isReady: isReady, cpuMark: cpuMark, at: now)
        guard let channel = target.channel else { return target.unsent.append(call) }
        actions.append(.send(call, calls.values[place].work, channel, followers: followers))
    }

    private mutating func assign(
        _ members: [BatchMember],
        to worker: WorkerID,
        at now: UInt64,
        _ actions: inout [FleetAction]
    ) {
        var weight: UInt64 = 0
        for (index, member) in members.enumerated() {
            calls[member.call]?.batchIndex = index
            calls[member.call]?.batchSize = members.count
            weight += BatchMeter.weight(bytes: calls[member.call]?.work.order.body.readableBytes ?? 0)
            let followers = members.count - 1 - index
            assign(member.call, to: worker, member.start, at: now, followers: followers, &actions)
        }
        let mark = members.first.flatMap { calls[$0.call]?.cpuMark } ?? 0
        workers[worker]?.batch = BatchMeter(mark: mark, weight: weight)
    }

    /// Takes the call off the table: whoever does that answers it.
    private mutating func complete(
        _ call: CallID,
        _ outcome: Result<WorkReply, WorkFailure>,
        at now: UInt64,
        _ actions: inout [FleetAction]
    ) {
        guard let record = calls.removeValue(forKey: call) else { return }
        actions.append(.answer(record.work, record.result(outcome, at: now)))
        if calls.isEmpty, let waiter = takeQuietWaiter() { actions.append(.quiet(waiter)) }
    }

    /// What a worker has, the oldest call first; on no call's way.
    func calls(of worker: WorkerID) -> [CallID] {
        calls.filter { $0.value.worker == worker }.keys.sorted { $0.number < $1.number }
    }

    mutating func takeQuietWaiter() -> CheckedContinuation<Void, Never>? {
        defer { quietWaiter = nil }
        return quietWaiter
    }

    private mutating func measure(_ call: CallID, on worker: WorkerID) {
        guard let record = workers[worker], let place = calls.index(forKey: call), let used = record.cpuNanoseconds()
        else { return }
        note(used, record.memory?.peakBytes() ?? 0, at: place, by: record)
    }

    /// Notes a call's part of what its worker has used.
    private mutating func note(
        _ used: UInt64,
        _ peak: UInt64,
        at place: Dictionary<CallID, CallRecord>.Index,
        by record: WorkerRecord
    ) {
        guard record.batch != nil, calls.values[place].batchSize > 1 else {
            return calls.values[place].note(cpuNanoseconds: used, memoryBytesPeak: peak)
        }
        let weight = BatchMeter.weight(bytes: calls.values[place].work.order.body.readableBytes)
        calls.values[place].cpuNanoseconds = record.batch?.take(weight: weight, used: used) ?? 0
        calls.values[place].memoryBytesPeak = peak
    }

    /// Notes what the kernel said a worker's memory was at most.
    mutating func noteMemory(_ bytesPeak: UInt64, of worker: WorkerID, at now: UInt64) {
        workers[worker]?.memoryBytesPeak = bytesPeak
        workers[worker]?.memoryReadAt = now
    }

    /// Reads the worker's clock, takes the call off the table and asks the pool what comes next.
    ///
    /// What comes next goes first: a worker has its next call before the answer to the last is written.
    mutating func answered(
        _ call: CallID,
        by worker: WorkerID,
        _ result: Result<WorkReply, WorkFailure>,
        at now: UInt64
    ) -> AnswerOutcome {
        guard let record = workers[worker] else { return .workerIsGone }
        guard let place = calls.index(forKey: call), calls.values[place].worker == worker,
            !record.deferred.contains(where: { $0.call == call })
        else { return .callIsNotIts }
        guard let pid = record.pid else {
            // The reply overtook the template's report of the fork.
            record.deferred.append(DeferredAnswer(call: call, result: result))
            return .kept
        }
        guard record.hasRecentMemory(at: now) else { return .memoryIsDue(pid: pid, record.memory) }
        // 0.2 µs, and the one thing that a receipt must not guess.
        let used = record.cpuNanoseconds() ?? 0
        note(used, record.memoryBytesPeak, at: place, by: record)
        record.cpuMark = used
        var actions: [FleetAction] = []
        handle(.finished(call, worker), at: Instant(nanoseconds: now), &actions)
        complete(call, result, at: now, &actions)
        return .done(actions)
    }

    /// Answers what a worker holds before it is dead; its burial then finds nothing to answer.
    mutating func failCalls(of worker: WorkerID, with failure: WorkFailure, at now: UInt64) -> [FleetAction] {
        var actions: [FleetAction] = []
        for call in calls(of: worker) {
            measure(call, on: worker)
            complete(call, .failure(failure), at: now, &actions)
        }
        return actions
    }

    /// Ends a call whose caller has gone, and its worker with it, unless others share that.
    ///
    /// One that still waits for a worker is left to run: its place in the queue is the pool's.
    mutating func cancel(_ call: CallID, at now: UInt64) -> [FleetAction] {
        guard let worker = calls[call]?.worker, calls(of: worker) == [call] else { return [] }
        var actions = failCalls(of: worker, with: .cancelled, at: now)
        workers[worker]?.mustEnd = true
        actions.append(.kill(worker, because: "cancelled: its caller went away"))
        return actions
    }

    // MARK: Workers

    mutating func noteReady(_ worker: WorkerID, at now: UInt64) {
        workers[worker]?.readyAt = now
        for call in calls(of: worker) { calls[call]?.times.readyAt = now }
    }

    mutating func forkOrdered(_ worker: WorkerID, channel: WorkerChannel, memory: MemoryAllowance?) -> [FleetAction] {
        guard let record = workers[worker] else { return [.close(worker, channel)] }
        let unsent = record.unsent
        record.channel = channel
        record.memory = memory
        record.unsent = []
        if record.mustEnd { return [.close(worker, channel)] }
        let isBatch = record.batch != nil
        return unsent.enumerated().compactMap { index, call in
            let followers = isBatch ? unsent.count - 1 - index : 0
            return calls[call].map { .send(call, $0.work, channel, followers: followers) }
        }
    }

    mutating func noteForked(_ worker: WorkerID, pid: Int32) -> [DeferredAnswer] {
        guard let record = workers[worker] else { return [] }
        record.pid = pid
        defer { record.deferred = [] }
        return record.deferred
    }

    mutating func noteGone(_ worker: WorkerID, because reason: String, _ cpuNanoseconds: UInt64?, at now: UInt64) {
        guard let record = workers.removeValue(forKey: worker) else { return }
        for call in calls(of: worker) {
            if let cpuNanoseconds, let place = calls.index(forKey: call) {
                note(cpuNanoseconds, record.memory?.peakBytes() ?? 0, at: place, by: record)
            }
            calls[call]?.lastWords = .died(reason: reason)
        }
    }

    // MARK: Templates

    func isBooting(_ template: TemplateID) -> Bool {
        templates[template].map { !$0.isResident } ?? false
    }

    /// - Returns: false if nobody waits for it any more.
    mutating func noteStarted(_ process: TemplateProcess) -> Bool {
        guard templates[process.id] != nil else { return false }
        templates[process.id]?.process = process
        return true
    }

    mutating func noteResident(_ template: TemplateID) {
        templates[template]?.isResident = true
    }

    mutating func noteGone(_ template: TemplateID, because reason: String) {
        guard let record = templates.removeValue(forKey: template) else { return }
        if !record.isResident { lastLoadFailure = (record.binding.key, reason) }
        for (call, waiting) in calls where waiting.worker == nil && waiting.work.order.key == record.binding.key {
            calls[call]?.lastWords = .died(reason: reason)
        }
    }
}
