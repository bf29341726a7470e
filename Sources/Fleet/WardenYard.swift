import Linux
import Logging
import Scheduling
import Wire

/// The warden's thread: all processes of the node, and the loop that hears of them.
struct WardenYard {
    /// What a descriptor in the poll belongs to; the upper byte of its token.
    ///
    /// The rest is a number.
    enum Subject: UInt64 {
        case templateControl = 1
        case templateDeath
        case templateListener
        case templateLog
        case workerDeath
        case packDeath
        case packSocket
        case packListener
        case packReport
        case packLog
        case wayOutDeath
        case installDeath
        case installLog

        func token(_ number: UInt32) -> UInt64 {
            rawValue << 56 | UInt64(number)
        }
    }

    let programs: WardenPrograms
    let memoryGroups: MemoryGroups?
    let poll: EventPoll
    let delegate: any WardenDelegate
    let logger: Logger
    let log: Warden.LogSink
    /// Takes what is in the mailbox.
    let orders: () -> [WardenOrder]

    var templates: [TemplateID: TemplateWatch] = [:]
    var workers: [WorkerID: WorkerWatch] = [:]
    var packs: [UInt32: PackWatch] = [:]
    var installs: [UInt32: InstallWatch] = [:]
    var lastPack: UInt32 = 0
    /// Ways out of templates' networks, and of those whose template has ended until they have, too.
    var waysOut: [UInt32: WayOutWatch] = [:]
    /// The network that this thread began in; nil where it still is there.
    var machineNetwork: SharedDescriptor?
    /// The thread is in an empty network of its own, which its children inherit.
    var hasEmptyNetwork = false
    var stopping: CheckedContinuation<Void, Never>?
    /// Logs that were read a moment ago, and are not looked at again before it is over.
    var restingLogs: Set<TemplateID> = []
    private var logsRestUntil: UInt64 = 0
    /// Groups of workers that are dead, which may still have processes that are dying.
    private var leaving: [MemoryAllowance] = []
    private var heap = HeapKeeper()

    init(
        programs: WardenPrograms,
        memoryGroups: MemoryGroups?,
        poll: EventPoll,
        delegate: any WardenDelegate,
        logger: Logger,
        log: @escaping Warden.LogSink,
        orders: @escaping () -> [WardenOrder]
    ) {
        self.programs = programs
        self.memoryGroups = memoryGroups
        self.poll = poll
        self.delegate = delegate
        self.logger = logger
        self.log = log
        self.orders = orders
    }

    mutating func run() {
        // Needs privilege; without it each process gets a network of its own, which costs 3 ms.
        let network = try? FileDescriptor.open("/proc/thread-self/ns/net")
        hasEmptyNetwork = (try? Namespaces.enterEmptyNetwork()) != nil
        if hasEmptyNetwork, let network { machineNetwork = SharedDescriptor(network) }
        while stopping == nil || !templates.isEmpty || !packs.isEmpty || !installs.isEmpty {
            let events = wait()
            carryOutOrders()
            for event in events {
                hear(event)
            }
            wakeLogs()
            endLatePacks()
            endLateInstalls()
            watchMemory()
            giveBackEmptyGroups()
            heap.noteProcesses(workers.count + templates.count + packs.count)
        }
        leaving.forEach { $0.giveBack() }
        stopping?.resume()
    }

    private func wait() -> [EventPoll.Event] {
        do {
            return try poll.wait(timeoutMilliseconds: timeoutMilliseconds)
        } catch {
            preconditionFailure("the warden's poll cannot fail: \(error)")
        }
    }

    /// nil: sleep until something happens.
    ///
    /// A packer has a deadline, and memory without groups is watched.
    private var timeoutMilliseconds: Int? {
        if !restingLogs.isEmpty { return Int(FleetLimits.logRestNanoseconds / 1_000_000) }
        if memoryGroups == nil, !workers.isEmpty { return Int(FleetLimits.memoryWatchMilliseconds) }
        if !leaving.isEmpty { return Int(FleetLimits.groupLeavingMilliseconds) }
        return packs.isEmpty && installs.isEmpty ? nil : 1000
    }

    private mutating func carryOutOrders() {
        for order in orders() {
            carryOut(order)
        }
    }

    mutating func carryOut(_ order: WardenOrder) {
        switch order {
        case .boot(let template, let binding):
            guard stopping == nil else { return delegate.templateGone(template, because: Self.endVerdict) }
            boot(template, binding)
        case .end(let template):
            // It takes its forks with it; it has none that work.
            templates[template]?.verdict = Self.endVerdict
            try? templates[template]?.handle.kill()
        case .killTemplate(let template, let verdict):
            templates[template]?.verdict = verdict
            try? templates[template]?.handle.kill()
        case .expect(let worker, let template, let memory):
            workers[worker] = WorkerWatch(template: template, memory: memory)
            templates[template]?.workers.insert(worker)
            if templates[template] == nil { bury(worker, because: DeathReason(verdict: "its template has ended")) }
        case .killWorker(let worker, let verdict):
            kill(worker, because: verdict)
        case .buryWorker(let worker):
            guard let watch = workers[worker] else { return }
            if watch.handle != nil, !watch.isReapOrdered {
                return kill(worker, because: "it did not end when it was told to")
            }
            let report = watch.handle == nil ? "a fork that was ordered" : "the end of a fork that is dead"
            templates[watch.template]?.verdict = "contract: it never reported \(report)"
            try? templates[watch.template]?.handle.kill()
        case .pack(let order):
            guard stopping == nil else { return order.continuation.resume(returning: .died(reason: Self.endVerdict)) }
            startPack(order)
        case .install(let order):
            guard stopping == nil else {
                return order.continuation.resume(returning: .failed(reason: Self.endVerdict, lines: []))
            }
            startInstall(order)
        case .stop(let continuation):
            stopping = continuation
            for template in templates.values {
                template.verdict = Self.endVerdict
                try? template.handle.kill()
            }
            for pack in packs.values {
                pack.kill(because: Self.endVerdict)
            }
            for install in installs.values {
                install.kill(because: Self.endVerdict)
            }
        }
    }

    private mutating func hear(_ event: EventPoll.Event) {
        guard let subject = Subject(rawValue: event.token >> 56) else { return }
        let number = UInt32(truncatingIfNeeded: event.token)
        switch subject {
        case .templateControl: readReports(TemplateID(number))
        case .templateDeath: buryTemplate(TemplateID(number))
        case .templateListener: hearTemplateRefusal(TemplateID(number), event)
        case .templateLog: readLog(TemplateID(number))
        case .workerDeath: reap(WorkerID(number))
        case .packDeath: buryPack(number)
        case .packSocket: receivePackListener(number)
        case .packListener: hearPackRefusal(number, event)
        case .packReport: packs[number]?.readReport()
        case .packLog: readPackLog(number)
        case .wayOutDeath: buryWayOut(number)
        case .installDeath: buryInstall(number)
        case .installLog: readInstallLog(number)
        }
    }

    // MARK: Logs

    /// A function that writes lines at every call would wake this thread at each of them, on a core that the call needs.
    mutating func restLog(_ template: TemplateID, _ pipe: borrowing FileDescriptor) {
        let token = Subject.templateLog.token(template.number)
        guard (try? poll.change(pipe, token: token, for: [])) != nil else { return }
        if restingLogs.isEmpty { logsRestUntil = Clock.monotonicNanoseconds() + FleetLimits.logRestNanoseconds }
        restingLogs.insert(template)
    }

    private mutating func wakeLogs() {
        guard !restingLogs.isEmpty, Clock.monotonicNanoseconds() >= logsRestUntil else { return }
        for template in restingLogs {
            guard let watch = templates[template] else { continue }
            try? poll.change(watch.log.pipe, token: Subject.templateLog.token(template.number), for: .reading)
        }
        restingLogs.removeAll()
    }

    // MARK: Workers

    mutating func kill(_ worker: WorkerID, because verdict: String) {
        guard let watch = workers[worker] else { return }
        watch.verdict = watch.verdict ?? verdict
        // Without a handle the kill comes with the report of the fork.
        try? watch.handle?.kill()
    }

    /// A template may speak of its own forks only, and of each once.
    mutating func noteForked(
        _ worker: WorkerID,
        of template: TemplateID,
        _ handle: consuming ProcessHandle
    ) throws(WatchError) {
        let watch = try watch(worker, of: template)
        guard watch.handle == nil, watch.pid == nil else { throw WatchError(complaint: "it reported a fork twice") }
        // Not of a process that is gone: its number, -1, would name the scheduler's own clock.
        guard let pid = try? handle.pid(), pid > 0 else { throw WatchError(complaint: "a fork's pidfd has no pid") }
        watch.pid = pid
        do throws(SystemError) {
            try poll.add(handle.descriptor, token: Subject.workerDeath.token(worker.number))
        } catch {
            logger.error("worker cannot be watched", metadata: ["pid": "\(pid)", "error": "\(error)"])
            watch.verdict = "it could not be watched: \(error)"
        }
        if watch.verdict != nil { try? handle.kill() }
        watch.handle = consume handle
        delegate.workerForked(worker, pid: pid)
    }

    /// A worker has died: reads its clock while the kernel still has it, then lets its parent take it off.
    mutating func reap(_ worker: WorkerID) {
        guard let watch = workers[worker], let template = templates[watch.template] else { return }
        if let handle = watch.handle?.descriptor.rawValue { poll.forget(handle) }
        if watch.memory?.isShared == true { _ = watch.memory?.killAll() }
        watch.cpuNanoseconds = watch.memory?.cpuNanoseconds() ?? watch.pid.flatMap(Clock.processCPUNanoseconds(pid:))
        watch.isReapOrdered = true
        do throws(TemplateError) {
            try template.process.reap(worker: worker.number)
        } catch {
            // It is dead too, or ought to be: it buries its workers with itself.
            template.verdict = template.verdict ?? "contract: \(error)"
            try? template.handle.kill()
        }
    }

    /// What a template's report may be about.
    private mutating func watch(_ worker: WorkerID, of template: TemplateID) throws(WatchError) -> WorkerWatch {
        // The worker was announced before its fork was ordered, but the announcement may still lie in the mailbox.
        if workers[worker] == nil { carryOutOrders() }
        guard let watch = workers[worker], watch.template == template else {
            throw WatchError(complaint: "it reported a worker that is not its fork")
        }
        return watch
    }

    mutating func noteReaped(
        _ worker: WorkerID,
        of template: TemplateID,
        _ death: TemplateReport.Death
    ) throws(WatchError) {
        let watch = try watch(worker, of: template)
        // Its memory group goes to somebody else: nobody may be left in it.
        if let isOnTable = try? watch.handle?.isOnTable(), isOnTable {
            throw WatchError(complaint: "it reported the end of a worker that is still there")
        }
        if death.refusedCall >= 0, watch.refusedCall == nil {
            watch.refusedCall = SystemCall.name(of: death.refusedCall)
        }
        watch.cpuNanoseconds = watch.cpuNanoseconds ?? death.cpuNanoseconds
        bury(worker, because: reason(of: watch, death: death))
    }

    private func reason(of watch: WorkerWatch, death: TemplateReport.Death?) -> DeathReason {
        var reason = DeathReason(verdict: watch.verdict, refusedCall: watch.refusedCall, death: death)
        if let memory = watch.memory, memory.wasExceeded { reason.memoryLimitBytes = memory.limitBytes }
        return reason
    }

    mutating func bury(_ worker: WorkerID, because reason: DeathReason) {
        guard let watch = workers.removeValue(forKey: worker) else { return }
        templates[watch.template]?.workers.remove(worker)
        if !reason.isOrderly, let key = templates[watch.template]?.binding.key {
            log(key, "a worker died: \(reason.sentence)")
        }
        delegate.workerGone(worker, because: reason, cpuNanoseconds: watch.cpuNanoseconds)
        guard let memory = watch.memory else { return }
        if memory.isShared { leaving.append(memory) } else { memory.giveBack() }
    }

    /// Groups whose workers are dead are used again when what their programs had started is dead too.
    private mutating func giveBackEmptyGroups() {
        leaving.removeAll { memory in
            if memory.killAll() { return false }
            memory.giveBack()
            return true
        }
    }

    /// Where the kernel has no memory groups: kills what holds more private memory than it may.
    private mutating func watchMemory() {
        guard memoryGroups == nil else { return }
        for (worker, watch) in workers {
            guard let pid = watch.pid, let limit = templates[watch.template]?.binding.memoryBytesMax,
                let used = ProcessMemory.privateBytes(pid: pid), used > limit
            else { continue }
            kill(worker, because: DeathReason(memoryLimitBytes: limit).sentence)
        }
    }
}

/// A report that its template had no right to make.
struct WatchError: Error, CustomStringConvertible {
    let complaint: String

    var description: String { complaint }
}
