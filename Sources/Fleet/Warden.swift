package import Linux
package import Logging
package import Scheduling
import Synchronization
import Wire

/// What the warden tells the fleet, on its own thread.
protocol WardenDelegate: AnyObject, Sendable {
    func templateStarted(_ template: TemplateProcess)
    func templateResident(_ template: TemplateID, _ residency: TemplateReport.Residency, pid: Int32)
    func templateGone(_ template: TemplateID, because reason: String)
    func workerForked(_ worker: WorkerID, pid: Int32)
    /// - Parameter cpuNanoseconds: all that the worker has used; nil where its template died with it.
    func workerGone(_ worker: WorkerID, because reason: DeathReason, cpuNanoseconds: UInt64?)
}

/// The programs that the warden starts, and the filters that close their sandboxes.
package struct WardenPrograms: Sendable {
    package var workerPath: String
    package var packerPath: String
    /// Template and worker of code functions.
    package var jailPath: String
    /// The folder of language runtimes that code functions find in their root.
    package var runtimePath: String
    package var templateFilter: SystemCallFilter
    package var workerFilter: SystemCallFilter
    package var packerFilter: SystemCallFilter
    /// Of an author's program, of one that workers' programs are forks of, and of the worker beside either.
    package var codeFilter: SystemCallFilter
    package var zygoteFilter: SystemCallFilter
    package var codeWorkerFilter: SystemCallFilter

    package init(
        workerPath: String,
        packerPath: String,
        jailPath: String,
        runtimePath: String,
        templateFilter: SystemCallFilter,
        workerFilter: SystemCallFilter,
        packerFilter: SystemCallFilter,
        codeFilter: SystemCallFilter,
        zygoteFilter: SystemCallFilter,
        codeWorkerFilter: SystemCallFilter
    ) {
        self.workerPath = workerPath
        self.packerPath = packerPath
        self.jailPath = jailPath
        self.runtimePath = runtimePath
        self.templateFilter = templateFilter
        self.workerFilter = workerFilter
        self.packerFilter = packerFilter
        self.codeFilter = codeFilter
        self.zygoteFilter = zygoteFilter
        self.codeWorkerFilter = codeWorkerFilter
    }
}

/// The thread that makes, watches and buries the node's processes.
///
/// One thread, so that what it knows needs no lock; and one that lives as long as the scheduler, because a template dies
/// with the *thread* that made it. With nothing to watch it sleeps in the kernel without a time limit.
package final class Warden: Sendable {
    /// A line that a process of a function wrote.
    package typealias LogSink = @Sendable (_ key: PoolKey, _ line: String) -> Void

    private let programs: WardenPrograms
    private let memoryGroups: MemoryGroups?
    private let poll: EventPoll
    private let mailbox = Mutex(Mailbox())
    private let logger: Logger
    private let log: LogSink

    /// - Parameter memoryGroups: nil where the kernel has none for us; then resident memory is watched.
    package init(
        programs: WardenPrograms,
        memoryGroups: MemoryGroups?,
        logger: Logger,
        log: @escaping LogSink
    ) throws(SystemError) {
        self.programs = programs
        self.memoryGroups = memoryGroups
        self.logger = logger
        self.log = log
        poll = try EventPoll()
    }

    func start(delegate: any WardenDelegate) throws(SystemError) {
        try Thread.start(named: "thaw-warden") { [self] in
            var yard = WardenYard(
                programs: programs,
                memoryGroups: memoryGroups,
                poll: poll,
                delegate: delegate,
                logger: logger,
                log: log,
                orders: { self.takeOrders() }
            )
            yard.run()
            let left = mailbox.withLock { mailbox in
                mailbox.isClosed = true
                defer { mailbox.orders = [] }
                return mailbox.orders
            }
            left.forEach(Self.refuse)
        }
    }

    /// Nobody may wait for an order that is not carried out.
    private static func refuse(_ order: WardenOrder) {
        switch order {
        case .pack(let order): order.continuation.resume(returning: .died(reason: WardenYard.endVerdict))
        case .install(let order):
            order.continuation.resume(returning: .failed(reason: WardenYard.endVerdict, lines: []))
        case .stop(let continuation): continuation.resume()
        case .boot, .end, .killTemplate, .expect, .killWorker, .buryWorker: break
        }
    }

    private struct Mailbox {
        var orders: [WardenOrder] = []
        /// The thread has ended: nobody reads any more.
        var isClosed = false
    }

    private func takeOrders() -> [WardenOrder] {
        mailbox.withLock { mailbox in
            defer { mailbox.orders = [] }
            return mailbox.orders
        }
    }

    // MARK: Orders, from any thread

    func boot(_ template: TemplateID, _ binding: FunctionBinding) {
        tell(.boot(template, binding))
    }

    func end(_ template: TemplateID) {
        tell(.end(template))
    }

    func kill(_ template: TemplateID, because verdict: String) {
        tell(.killTemplate(template, because: verdict))
    }

    func kill(_ worker: WorkerID, because verdict: String) {
        tell(.killWorker(worker, because: verdict))
    }

    /// Call before the fork is ordered: the template's report then finds the worker known.
    ///
    /// Wakes nobody.
    func expect(_ worker: WorkerID, of template: TemplateID, memory: MemoryAllowance?) {
        mailbox.withLock { $0.orders.append(.expect(worker, of: template, memory: memory)) }
    }

    /// A worker that ought to be gone is killed; if nobody can name it, its template is.
    func bury(_ worker: WorkerID) {
        tell(.buryWorker(worker))
    }

    func install(_ order: InstallOrder) {
        tell(.install(order))
    }

    func pack(_ order: PackOrder) {
        tell(.pack(order))
    }

    /// A group for one worker, nil where the kernel has none for us.
    func memoryAllowance(of binding: FunctionBinding) throws(SystemError) -> MemoryAllowance? {
        try MemoryAllowance(
            from: memoryGroups,
            limitBytes: binding.memoryBytesMax,
            isShared: binding.code != nil
        )
    }

    /// Kills everything and ends the thread.
    func stop() async {
        await withCheckedContinuation { tell(.stop($0)) }
    }

    private func tell(_ order: WardenOrder) {
        let isClosed = mailbox.withLock { mailbox in
            if !mailbox.isClosed { mailbox.orders.append(order) }
            return mailbox.isClosed
        }
        if isClosed { Self.refuse(order) } else { poll.wake() }
    }
}

/// What the warden is asked to do.
enum WardenOrder: Sendable {
    case boot(TemplateID, FunctionBinding)
    case end(TemplateID)
    case killTemplate(TemplateID, because: String)
    case expect(WorkerID, of: TemplateID, memory: MemoryAllowance?)
    case killWorker(WorkerID, because: String)
    case buryWorker(WorkerID)
    case pack(PackOrder)
    case install(InstallOrder)
    case stop(CheckedContinuation<Void, Never>)
}
