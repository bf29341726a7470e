package import Logging
package import NIOCore
package import Scheduling
import Linux
import Synchronization
import Wire

/// Carries out what the pool decides: the only owner of its lock, and of the node's processes.
///
/// Every event goes the same way: take the lock, hand the event to the ``WorkerPool``, note in the tables what its
/// effects will change, release the lock, then act. A call's completion is called exactly once, when its record leaves
/// the table: nothing waits meanwhile.
package final class Fleet: Sendable {
    let state: Mutex<FleetState>
    private let warden: Warden
    private let channels: PreparedChannels
    let timerLoop: any EventLoop
    private let logger: Logger
    let pantry: Pantry

    package init(
        node: NodeLimits,
        warden: Warden,
        group: any EventLoopGroup,
        logger: Logger
    ) {
        state = Mutex(FleetState(node: node))
        self.warden = warden
        channels = PreparedChannels(on: group)
        timerLoop = group.next()
        self.logger = logger
        pantry = Pantry(logger: logger)
    }

    /// Starts to watch processes.
    ///
    /// Call once, before anything else.
    package func start() throws {
        try warden.start(delegate: self)
    }

    // MARK: What others ask for

    /// Makes a version callable, or changes its limits.
    package func install(_ binding: FunctionBinding) {
        handle(.installed(binding.key, binding.limits, binding.source)) { state in
            state.bindings[binding.key] = binding
            state.removed[binding.key] = nil
        }
    }

    /// Lets what a version runs finish, and ends its processes.
    package func remove(_ key: PoolKey) {
        handle(.removed(key)) { state in
            state.removed[key] = state.bindings.removeValue(forKey: key)
        }
    }

    /// Runs one call to its end, whatever that is.
    ///
    /// - Parameters:
    ///   - binding: of the order's version; asked for where that is not installed, as before its first call.
    ///   - completion: called once, on the order's loop; before this returns where the call is refused on that loop.
    package func run(
        _ order: WorkOrder,
        binding: () -> FunctionBinding,
        completion: @escaping WorkCompletion
    ) {
        let acceptedAt = Clock.monotonicNanoseconds()
        var call: CallID?
        var actions = state.withLock { state in
            state.bindings[order.key] == nil ? nil : state.call(order, completion, at: acceptedAt) { call = $0 }
        }
        if actions == nil {
            install(binding())
            actions = state.withLock { $0.call(order, completion, at: acceptedAt) { call = $0 } }
        }
        perform(actions ?? [])
        if let cancellation = order.cancellation, let call {
            cancellation.arm { [weak self] in self?.cancel(call) }
        }
    }

    private func cancel(_ call: CallID) {
        perform(state.withLock { $0.cancel(call, at: Clock.monotonicNanoseconds()) })
    }

    /// Admits nothing more; what was admitted goes on.
    package func drain() {
        handle(.draining)
    }

    /// Returns when no call is left, or when the time is over.
    package func waitUntilNothingRuns(atMost limit: Duration) async {
        let milliseconds = limit.components.seconds * 1000
        await withCheckedContinuation { continuation in
            let isQuiet = state.withLock { state in
                if state.calls.isEmpty { return true }
                state.quietWaiter = continuation
                return false
            }
            if isQuiet { return continuation.resume() }
            timerLoop.scheduleTask(in: .milliseconds(milliseconds)) { [weak self] in
                self?.state.withLock { $0.takeQuietWaiter() }?.resume()
            }
        }
    }

    /// Ends every process and answers every call that is left.
    ///
    /// Nothing may be asked afterwards.
    package func stop() async {
        handle(.draining)
        let left = state.withLock { state in
            let left = state.calls
            state.calls.removeAll()
            state.wakeTask?.task.cancel()
            return left
        }
        for waiter in state.withLock({ state in
            defer { state.loadWaiters.removeAll() }
            return state.loadWaiters.values.flatMap(\.self)
        }) {
            waiter.resume(returning: "the node is shutting down")
        }
        await warden.stop()
        await pantry.stop()
        channels.stop()
        for call in left.values {
            answer(call.work, call.result(.failure(.interrupted), at: Clock.monotonicNanoseconds()))
        }
    }

    // MARK: One event

    func handle(_ event: PoolEvent, noting change: (inout FleetState) -> Void = { _ in }) {
        let actions = state.withLock { state in
            change(&state)
            return state.handle(event, at: Instant(nanoseconds: Clock.monotonicNanoseconds()))
        }
        perform(actions)
    }

    private func perform(_ actions: [FleetAction]) {
        for action in actions {
            switch action {
            case .boot(let template, let binding): boot(template, binding)
            case .fork(let worker, let template, let binding, let isAhead):
                fork(worker, from: template, for: binding, isAhead: isAhead)
            case .send(let call, let work, let channel, let followers):
                channel.send(work.order, as: call.number, followers: followers)
            case .answer(let work, let result): answer(work, result)
            case .quiet(let continuation): continuation.resume()
            case .kill(let worker, let verdict): kill(worker, because: verdict)
            case .close(let worker, let channel): end(worker, channel)
            case .end(let template): warden.end(template)
            case .hold(let snapshot, let path, let order): hold(snapshot, path: path, order: order)
            case .release(let snapshot, let order): pantry.release(snapshot, order: order)
            case .wake(let instant): wake(at: instant)
            }
        }
    }

    private func answer(_ work: AdmittedWork, _ result: WorkResult) {
        // With one loop this is always the caller's: no queue, no wake-up.
        if work.order.loop.inEventLoop { return work.completion(result) }
        work.order.loop.execute { work.completion(result) }
    }

    private func wake(at instant: Instant) {
        // The loop's clock is the same monotonic clock; 1 ms later costs nothing and saves a second wake-up for a
        // deadline that the first one missed by a rounding.
        let deadline = NIODeadline.uptimeNanoseconds(instant.nanoseconds) + .milliseconds(1)
        // Made and noted under one lock: a task that is due at once would else run before it is noted, and the note
        // would then stand for good in the way of every later one.
        let obsolete = state.withLock { (state) -> Scheduled<Void>? in
            // Two threads may order in the other order than the pool decided: the earlier instant stands, and its tick
            // orders the later one again.
            if let current = state.wakeTask, current.at <= instant { return nil }
            let task = timerLoop.scheduleTask(deadline: deadline) { [weak self] in
                guard let self else { return }
                handle(.tick) { state in
                    if state.wakeTask?.at == instant { state.wakeTask = nil }
                }
            }
            defer { state.wakeTask = (instant, task) }
            return state.wakeTask?.task
        }
        obsolete?.cancel()
    }

    // MARK: Processes

    private func boot(_ template: TemplateID, _ binding: FunctionBinding) {
        warden.boot(template, binding)
        timerLoop.scheduleTask(in: .seconds(FleetLimits.bootSecondsMax)) { [weak self] in
            guard let self, self.state.withLock({ $0.isBooting(template) }) else { return }
            warden.kill(template, because: "timeout: not resident after \(FleetLimits.bootSecondsMax) seconds")
        }
    }

    private func fork(
        _ worker: WorkerID,
        from template: TemplateProcess?,
        for binding: FunctionBinding,
        isAhead: Bool
    ) {
        do {
            guard let template else { throw FleetError.templateEnded }
            let memory = try warden.memoryAllowance(of: binding)
            // The channel is open before the fork exists: a call can be written while the worker is being made.
            let channel = try channels.take(for: worker.number, delegate: self)
            warden.expect(worker, of: template.id, memory: memory)
            try template.fork(worker: worker.number, isAhead: isAhead, channel: channel.ends, memory: memory)
            let actions = state.withLock { $0.forkOrdered(worker, channel: channel.ends.near, memory: memory) }
            perform(actions)
        } catch {
            workerGone(worker, because: DeathReason(verdict: "could not be forked: \(error)"), cpuNanoseconds: nil)
        }
    }

    private func kill(_ worker: WorkerID, because verdict: String) {
        warden.kill(worker, because: verdict)
        buryLate(worker)
    }

    /// The end of its channel is a worker's order to end; one that does not obey is killed.
    private func end(_ worker: WorkerID, _ channel: WorkerChannel) {
        channel.close()
        buryLate(worker)
    }

    /// Sees to it that a worker on its way out goes: its place is somebody else's by now.
    private func buryLate(_ worker: WorkerID) {
        timerLoop.scheduleTask(in: .seconds(FleetLimits.endSecondsMax)) { [weak self] in
            guard let self, self.state.withLock({ $0.workers[worker] != nil }) else { return }
            warden.bury(worker)
        }
    }
}

enum FleetError: Error, CustomStringConvertible {
    case templateEnded

    var description: String {
        switch self {
        case .templateEnded: "its template has ended"
        }
    }
}

// MARK: What workers say

extension Fleet: WorkerChannelDelegate {
    func workerIsReady(_ worker: UInt32) {
        let now = Clock.monotonicNanoseconds()
        let pid = state.withLock { state in
            state.noteReady(WorkerID(worker), at: now)
            return state.takeUnmeasured(WorkerID(worker))
        }
        if let pid { measure(WorkerID(worker), pid: pid) }
    }

    func worker(
        _ number: UInt32,
        answered invocation: UInt64,
        with result: Result<WorkReply, WorkFailure>,
        at answeredAt: UInt64
    ) {
        let worker = WorkerID(number)
        let call = CallID(invocation)
        var outcome = state.withLock { $0.answered(call, by: worker, result, at: answeredAt) }
        if case .memoryIsDue(let pid, let memory) = outcome {
            // A file of the kernel's, several microseconds: not under the lock.
            let peak = memory?.peakBytes() ?? ProcessMemory.of(pid: pid)?.residentBytesMax ?? 0
            outcome = state.withLock { state in
                state.noteMemory(peak, of: worker, at: answeredAt)
                return state.answered(call, by: worker, result, at: answeredAt)
            }
        }
        switch outcome {
        case .done(let actions):
            perform(actions)
        case .kept, .memoryIsDue, .workerIsGone:
            break
        case .callIsNotIts:
            self.worker(number, brokeContract: "a reply to invocation \(invocation), which it does not have")
        }
    }

    func worker(_ number: UInt32, brokeContract complaint: String) {
        let worker = WorkerID(number)
        let now = Clock.monotonicNanoseconds()
        logger.warning("worker broke the contract", metadata: ["worker": "\(number)", "complaint": "\(complaint)"])
        let actions = state.withLock { $0.failCalls(of: worker, with: .contractBroken(complaint), at: now) }
        perform(actions)
        kill(worker, because: "contract: it sent \(complaint)")
    }
}

// MARK: What the warden says

extension Fleet: WardenDelegate {
    func templateStarted(_ template: TemplateProcess) {
        let isKnown = state.withLock { $0.noteStarted(template) }
        if !isKnown { warden.end(template.id) }
    }

    func templateResident(_ template: TemplateID, _ residency: TemplateReport.Residency, pid: Int32) {
        handle(.templateResident(template, bytes: residency.arenaBytes)) { $0.noteResident(template) }
        tellLoaders(of: template)
        measureSoon(template, arenaBytes: residency.arenaBytes, pid: pid)
    }

    func templateGone(_ template: TemplateID, because reason: String) {
        let key = state.withLock { $0.templates[template]?.binding.key }
        handle(.templateGone(template)) { $0.noteGone(template, because: reason) }
        if let key { tellLoaded(key) }
    }

    private func tellLoaders(of template: TemplateID) {
        if let key = state.withLock({ $0.templates[template]?.binding.key }) { tellLoaded(key) }
    }

    func workerForked(_ worker: WorkerID, pid: Int32) {
        let (deferred, measurable) = state.withLock { state in
            (state.noteForked(worker, pid: pid), state.takeUnmeasured(worker))
        }
        if let measurable { measure(worker, pid: measurable) }
        for answer in deferred {
            let now = Clock.monotonicNanoseconds()
            self.worker(worker.number, answered: answer.call.number, with: answer.result, at: now)
        }
    }

    func workerGone(_ worker: WorkerID, because reason: DeathReason, cpuNanoseconds: UInt64?) {
        let now = Clock.monotonicNanoseconds()
        handle(.workerGone(worker)) { $0.noteGone(worker, because: reason.sentence, cpuNanoseconds, at: now) }
    }
}
