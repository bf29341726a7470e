package import Logging
package import NIOCore
package import Scheduling
import Linux
import Synchronization
import Wire

/// Carries out what the pool decides: the only owner of its lock, and of the node's processes.
///
/// Every event goes the same way: take the lock, hand the event to the ``WorkerPool``, note in the tables what its
/// effects will change, release the lock, then act. Calls wait in continuations that are resumed exactly once, when
/// their record leaves the table.
package final class Fleet: Sendable {
    let state: Mutex<FleetState>
    private let warden: Warden
    private let group: any EventLoopGroup
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
        self.group = group
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

    package func isInstalled(_ key: PoolKey) -> Bool {
        state.withLock { $0.bindings[key] != nil }
    }

    /// Lets what a version runs finish, and ends its processes.
    package func remove(_ key: PoolKey) {
        handle(.removed(key)) { state in
            state.removed[key] = state.bindings.removeValue(forKey: key)
        }
    }

    /// Runs one call to its end, whatever that is.
    package func run(_ order: WorkOrder) async -> WorkResult {
        await withCheckedContinuation { continuation in
            let acceptedAt = Clock.monotonicNanoseconds()
            let actions = state.withLock { state in
                let call = state.admit(order, continuation, at: acceptedAt)
                return state.handle(.called(call, order.key), at: Instant(nanoseconds: acceptedAt))
            }
            perform(actions)
        }
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
        await warden.stop()
        await pantry.stop()
        for call in left.values {
            call.continuation.resume(returning: call.result(.failure(.interrupted), at: Clock.monotonicNanoseconds()))
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
            case .fork(let worker, let template, let binding): fork(worker, from: template, for: binding)
            case .send(let call, let order, let channel):
                channel.send(invocation: call.number, contentType: order.contentType, body: order.body)
            case .resume(let continuation, let result): continuation.resume(returning: result)
            case .quiet(let continuation): continuation.resume()
            case .kill(let worker, let verdict): kill(worker, because: verdict)
            case .close(let worker, let channel): end(worker, channel)
            case .end(let template): warden.end(template)
            case .hold(let snapshot, let path): hold(snapshot, path: path)
            case .release(let snapshot): pantry.release(snapshot)
            case .wake(let instant): wake(at: instant)
            }
        }
    }

    private func wake(at instant: Instant) {
        // The loop's clock is the same monotonic clock; 1 ms later costs nothing and saves a second wake-up for a
        // deadline that the first one missed by a rounding.
        let deadline = NIODeadline.uptimeNanoseconds(instant.nanoseconds) + .milliseconds(1)
        let task = timerLoop.scheduleTask(deadline: deadline) { [weak self] in
            guard let self else { return }
            handle(.tick) { state in
                if state.wakeTask?.at == instant { state.wakeTask = nil }
            }
        }
        // Two threads may order in the other order than the pool decided: the earlier instant stands, and a tick too
        // many does nothing.
        let obsolete = state.withLock { (state) -> Scheduled<Void>? in
            if let current = state.wakeTask, current.at <= instant { return task }
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

    private func fork(_ worker: WorkerID, from template: TemplateProcess?, for binding: FunctionBinding) {
        do {
            guard let template else { throw FleetError.templateEnded }
            let memory = try warden.memoryAllowance(bytes: binding.memoryBytesMax)
            let ends = try DescriptorPair.streamSockets()
            let ours = ends.first
            let theirs = ends.second
            // The channel is open before the fork exists: a call can be written while the worker is being made.
            let channel = WorkerChannel(worker: worker.number, socket: ours, on: group.next(), delegate: self)
            warden.expect(worker, of: template.id, memory: memory)
            try template.fork(worker: worker.number, channel: theirs, memory: memory)
            let actions = state.withLock { $0.forkOrdered(worker, channel: channel, memory: memory) }
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

    func worker(_ number: UInt32, answered invocation: UInt64, with result: Result<WorkReply, WorkFailure>) {
        let worker = WorkerID(number)
        let call = CallID(invocation)
        let answeredAt = Clock.monotonicNanoseconds()
        // The meter is read outside the lock: the kernel's clock of the process, and its memory group's mark.
        let meter = state.withLock { $0.meter(of: worker) }
        guard let meter else { return }
        guard let pid = meter.pid else {
            // The reply overtook the template's report of the fork; without a pid there is nothing to read yet.
            let isKept = state.withLock { $0.defer(result, of: call, by: worker) }
            if isKept { return }
            let hasPid = state.withLock { $0.meter(of: worker)?.pid != nil }
            guard hasPid else {
                return self.worker(number, brokeContract: "a reply to invocation \(invocation), which it does not have")
            }
            return self.worker(number, answered: invocation, with: result)
        }
        let reading = MeterReading(
            cpuNanoseconds: Clock.processCPUNanoseconds(pid: pid) ?? 0,
            memoryBytesPeak: meter.memory?.peakBytes() ?? ProcessMemory.of(pid: pid)?.residentBytesMax ?? 0
        )
        let actions = state.withLock { $0.answered(call, by: worker, result, reading, at: answeredAt) }
        guard let actions else {
            return self.worker(number, brokeContract: "a reply to invocation \(invocation), which it does not have")
        }
        perform(actions)
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
        measureSoon(template, pid: pid)
    }

    func templateGone(_ template: TemplateID, because reason: String) {
        handle(.templateGone(template)) { $0.noteGone(template, because: reason) }
    }

    func workerForked(_ worker: WorkerID, pid: Int32) {
        let (deferred, measurable) = state.withLock { state in
            (state.noteForked(worker, pid: pid), state.takeUnmeasured(worker))
        }
        if let measurable { measure(worker, pid: measurable) }
        for answer in deferred {
            self.worker(worker.number, answered: answer.call.number, with: answer.result)
        }
    }

    func workerGone(_ worker: WorkerID, because reason: DeathReason, cpuNanoseconds: UInt64?) {
        let now = Clock.monotonicNanoseconds()
        handle(.workerGone(worker)) { $0.noteGone(worker, because: reason.sentence, cpuNanoseconds, at: now) }
    }
}
