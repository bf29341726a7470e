import Linux
import NIOCore
import Scheduling
import Wire

/// One thing to do outside the lock.
enum FleetAction: Sendable {
    case boot(TemplateID, FunctionBinding)
    case fork(WorkerID, from: TemplateProcess?, FunctionBinding, isAhead: Bool)
    /// `followers` are the calls behind it that are run with it.
    case send(CallID, WorkOrder, WorkerChannel, followers: Int)
    case answer(any EventLoop, WorkCompletion, WorkResult)
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

/// A call between admission and answer.
struct CallRecord {
    let completion: WorkCompletion
    let order: WorkOrder
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
struct WorkerRecord {
    let key: PoolKey
    var channel: WorkerChannel?
    var memory: MemoryAllowance?
    var pid: Int32?
    var readyAt: UInt64?
    var cpuMark: UInt64 = 0
    /// The most private memory at the last reading, and when that was.
    var memoryBytesPeak: UInt64 = 0
    var memoryReadAt: UInt64?
    var calls: Set<CallID> = []
    /// Of the batch that it has.
    var batch: BatchMeter?
    /// Calls given to it before its channel was open; a batch is all of them.
    var unsent: [CallID] = []
    /// Told to end before its channel was open.
    var mustEnd = false
    /// Replies that came before its pid was known.
    var deferred: [DeferredAnswer] = []
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
    mutating func call(_ order: WorkOrder, _ completion: @escaping WorkCompletion, at now: UInt64) -> [FleetAction] {
        lastCallNumber += 1
        let call = CallID(lastCallNumber)
        calls[call] = CallRecord(completion: completion, order: order, times: CallTimes(acceptedAt: now))
        return handle(.called(call, order.key, bytes: order.body.readableBytes), at: Instant(nanoseconds: now))
    }

    /// Lets the pool decide and turns its effects into actions.
    mutating func handle(_ event: PoolEvent, at now: Instant) -> [FleetAction] {
        var actions: [FleetAction] = []
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
                actions += assign(call, to: worker, start, at: now.nanoseconds)
            case .assignBatch(let members, let worker):
                actions += assign(members, to: worker, at: now.nanoseconds)
            case .refuse(let call, let refusal):
                actions += complete(call, .failure(.refused(refusal)), at: now.nanoseconds)
            case .fail(let call):
                let words = calls[call]?.lastWords ?? .died(reason: DeathReason().sentence)
                actions += complete(call, .failure(words), at: now.nanoseconds)
            case .timeOut(let call, let worker):
                measure(call, on: worker)
                actions += complete(call, .failure(.timedOut), at: now.nanoseconds)
                workers[worker]?.mustEnd = true
                actions.append(.kill(worker, because: "timeout: its call ran for longer than limits.timeout"))
            case .endWorker(let worker):
                if let channel = workers[worker]?.channel { actions.append(.close(worker, channel)) }
                workers[worker]?.mustEnd = true
            case .endTemplate(let template):
                actions.append(.end(template))
            case .holdPacked(let snapshot, let key):
                guard let path = (bindings[key] ?? removed[key])?.snapshotPath else {
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
        return actions
    }

    // MARK: Calls

    private mutating func assign(
        _ call: CallID,
        to worker: WorkerID,
        _ start: StartKind,
        at now: UInt64
    ) -> [FleetAction] {
        guard let order = calls[call]?.order, let target = workers[worker] else { return [] }
        let (isReady, channel) = (target.readyAt != nil, target.channel)
        // What a parked worker did before its first call, coming up and warming itself, is nobody's call.
        let cpuMark =
            if isReady, target.cpuMark == 0, let pid = target.pid {
                Clock.processCPUNanoseconds(pid: pid) ?? 0
            } else {
                target.cpuMark
            }
        calls[call]?.assigned(to: worker, start, isReady: isReady, cpuMark: cpuMark, at: now)
        workers[worker]?.calls.insert(call)
        guard let channel else {
            workers[worker]?.unsent.append(call)
            return []
        }
        return [.send(call, order, channel, followers: 0)]
    }

    private mutating func assign(_ members: [BatchMember], to worker: WorkerID, at now: UInt64) -> [FleetAction] {
        var actions: [FleetAction] = []
        var weight: UInt64 = 0
        for (index, member) in members.enumerated() {
            calls[member.call]?.batchIndex = index
            calls[member.call]?.batchSize = members.count
            weight += BatchMeter.weight(bytes: calls[member.call]?.order.body.readableBytes ?? 0)
            for case .send(let call, let order, let channel, _) in assign(
                member.call,
                to: worker,
                member.start,
                at: now
            ) {
                actions.append(.send(call, order, channel, followers: members.count - 1 - index))
            }
        }
        let mark = members.first.flatMap { calls[$0.call]?.cpuMark } ?? 0
        workers[worker]?.batch = BatchMeter(mark: mark, weight: weight)
        return actions
    }

    /// Takes the call off the table: whoever does that answers it.
    private mutating func complete(
        _ call: CallID,
        _ outcome: Result<WorkReply, WorkFailure>,
        at now: UInt64
    ) -> [FleetAction] {
        guard let record = calls.removeValue(forKey: call) else { return [] }
        if let worker = record.worker { workers[worker]?.calls.remove(call) }
        let answer = FleetAction.answer(record.order.loop, record.completion, record.result(outcome, at: now))
        guard calls.isEmpty, let waiter = takeQuietWaiter() else { return [answer] }
        return [answer, .quiet(waiter)]
    }

    mutating func takeQuietWaiter() -> CheckedContinuation<Void, Never>? {
        defer { quietWaiter = nil }
        return quietWaiter
    }

    private mutating func measure(_ call: CallID, on worker: WorkerID) {
        guard let pid = workers[worker]?.pid, let used = Clock.processCPUNanoseconds(pid: pid) else { return }
        var meter = workers[worker]?.batch
        note(used, workers[worker]?.memory?.peakBytes() ?? 0, of: call, by: &meter)
        workers[worker]?.batch = meter
    }

    /// Notes a call's part of what its worker has used.
    private mutating func note(_ used: UInt64, _ peak: UInt64, of call: CallID, by meter: inout BatchMeter?) {
        guard meter != nil, let record = calls[call], record.batchSize > 1 else {
            calls[call]?.note(cpuNanoseconds: used, memoryBytesPeak: peak)
            return
        }
        let weight = BatchMeter.weight(bytes: record.order.body.readableBytes)
        calls[call]?.cpuNanoseconds = meter?.take(weight: weight, used: used) ?? 0
        calls[call]?.memoryBytesPeak = peak
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
        guard record.calls.contains(call), !record.deferred.contains(where: { $0.call == call }) else {
            return .callIsNotIts
        }
        guard let pid = record.pid else {
            // The reply overtook the template's report of the fork.
            workers[worker]?.deferred.append(DeferredAnswer(call: call, result: result))
            return .kept
        }
        let isRecent = record.memoryReadAt.map { now < $0 + FleetLimits.memoryReadNanoseconds } ?? false
        guard isRecent else { return .memoryIsDue(pid: pid, record.memory) }
        // 0.2 µs, and the one thing that a receipt must not guess.
        let used = Clock.processCPUNanoseconds(pid: pid) ?? 0
        let peak = record.memoryBytesPeak
        var meter = record.batch
        note(used, peak, of: call, by: &meter)
        workers[worker]?.cpuMark = used
        if meter != nil { workers[worker]?.batch = meter }
        let answers = complete(call, result, at: now)
        return .done(handle(.finished(call, worker), at: Instant(nanoseconds: now)) + answers)
    }

    /// Answers what a worker holds before it is dead; its burial then finds nothing to answer.
    mutating func failCalls(of worker: WorkerID, with failure: WorkFailure, at now: UInt64) -> [FleetAction] {
        (workers[worker]?.calls ?? []).flatMap { call in
            measure(call, on: worker)
            return complete(call, .failure(failure), at: now)
        }
    }

    // MARK: Workers

    mutating func noteReady(_ worker: WorkerID, at now: UInt64) {
        workers[worker]?.readyAt = now
        for call in workers[worker]?.calls ?? [] {
            calls[call]?.times.readyAt = now
        }
    }

    mutating func forkOrdered(_ worker: WorkerID, channel: WorkerChannel, memory: MemoryAllowance?) -> [FleetAction] {
        guard var record = workers[worker] else { return [.close(worker, channel)] }
        let unsent = record.unsent
        record.channel = channel
        record.memory = memory
        record.unsent = []
        workers[worker] = record
        if record.mustEnd { return [.close(worker, channel)] }
        let isBatch = record.batch != nil
        return unsent.enumerated().compactMap { index, call in
            let followers = isBatch ? unsent.count - 1 - index : 0
            return calls[call].map { .send(call, $0.order, channel, followers: followers) }
        }
    }

    mutating func noteForked(_ worker: WorkerID, pid: Int32) -> [DeferredAnswer] {
        workers[worker]?.pid = pid
        let deferred = workers[worker]?.deferred ?? []
        workers[worker]?.deferred = []
        return deferred
    }

    mutating func noteGone(_ worker: WorkerID, because reason: String, _ cpuNanoseconds: UInt64?, at now: UInt64) {
        guard let record = workers.removeValue(forKey: worker) else { return }
        var meter = record.batch
        for call in record.calls {
            if let cpuNanoseconds { note(cpuNanoseconds, record.memory?.peakBytes() ?? 0, of: call, by: &meter) }
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
        for (call, waiting) in calls where waiting.worker == nil && waiting.order.key == record.binding.key {
            calls[call]?.lastWords = .died(reason: reason)
        }
    }
}
