package import Linux
import Sandboxing
package import Wire

/// A process that has done everything a worker needs before its first call, and forks workers on order.
///
/// It is the first process of its pid namespace: when it ends, its workers end with it.
package struct Template: ~Copyable {
    /// Where the scheduler puts the control socket, and where a fork keeps its doorbell.
    private static let place: Int32 = 3

    private let control: FileDescriptor
    private var function: LoadedFunction
    private let boot: TemplateBoot
    private let refusals: RefusalRecord
    private var workers: [UInt32: Child] = [:]
    private var freeSlots = Array(0..<RefusalRecord.slotCount)

    private struct Child {
        let pid: Int32
        let slot: Int
    }

    /// Makes the function of its snapshot: of the snapshot's file, and of others in which parts of it lie, in its own order.
    package typealias Loader = (
        _ snapshot: borrowing FileDescriptor, _ bases: [SharedDescriptor], _ boot: TemplateBoot
    ) throws(LoadFailure) -> LoadedFunction

    /// Runs a template on descriptor 3 until the scheduler ends it.
    ///
    /// `load` runs inside the sandbox.
    package static func run(
        loading load: Loader
    ) -> Never {
        Signals.ignoreBrokenPipes()
        Signals.ignoreEndings()
        let status: ExitStatus
        do throws(TemplateEnd) {
            var template = try Template.booted(FileDescriptor(owning: place), load)
            status = try template.obey()
        } catch {
            status = error.status
        }
        CurrentProcess.exit(status.rawValue)
    }

    private init(
        control: consuming FileDescriptor,
        function: LoadedFunction,
        boot: TemplateBoot,
        refusals: consuming RefusalRecord
    ) {
        self.control = control
        self.function = function
        self.boot = boot
        self.refusals = refusals
    }

    /// Closes the sandbox, then loads the function: in this order, since a snapshot is somebody else's bytes.
    private static func booted(
        _ control: consuming FileDescriptor,
        _ load: Loader
    ) throws(TemplateEnd) -> Template {
        guard var message = try control.nextOrder() else { throw TemplateEnd(status: .told) }
        guard case .boot(let boot) = try message.order(), let snapshot = message.takeDescriptor() else {
            throw TemplateEnd(status: .brokenContract)
        }
        var bases: [SharedDescriptor] = []
        while let base = message.takeDescriptor() { bases.append(SharedDescriptor(base)) }
        let refusals = try prepared(boot, control)
        let listener = try confined(boot, control)
        try control.report(.sandboxed, with: listener.rawValue)
        // Whoever holds the listener can let refused calls pass: only the scheduler may.
        _ = consume listener
        let function: LoadedFunction
        do throws(LoadFailure) {
            function = try load(snapshot, bases, boot)
        } catch {
            try control.report(.refused(message: ReplyText.cut(error.message)))
            throw TemplateEnd(status: .refusedSnapshot)
        }
        try control.report(.resident(function.residency))
        return Template(control: control, function: function, boot: boot, refusals: refusals)
    }

    /// What needs calls that the filter will refuse.
    private static func prepared(
        _ boot: TemplateBoot,
        _ control: borrowing FileDescriptor
    ) throws(TemplateEnd) -> RefusalRecord {
        do throws(SystemError) {
            for variable in boot.environment {
                let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { continue }
                try CurrentProcess.setEnvironment(String(parts[0]), String(parts[1]))
            }
            return try RefusalRecord()
        } catch {
            try control.report(.refused(message: "the template could not prepare itself: \(error)"))
            throw TemplateEnd(status: .openSandbox)
        }
    }

    private static func confined(
        _ boot: TemplateBoot,
        _ control: borrowing FileDescriptor
    ) throws(TemplateEnd) -> FileDescriptor {
        do throws(SandboxError) {
            return try Sandbox.template.enter(SystemCallFilter(instructions: boot.templateFilter))
        } catch {
            try control.report(.refused(message: error.description))
            throw TemplateEnd(status: .openSandbox)
        }
    }

    /// Waits for the next order, and has the function make use of the time until one comes.
    private mutating func nextOrder() throws(TemplateEnd) -> Message? {
        while let step = function.idleStep {
            switch try control.nextOrderAvailable() {
            case .message(let message): return message
            case .end: return nil
            case .nothing: if !step() { function.idleStep = nil }
            }
        }
        return try control.nextOrder()
    }

    /// Carries out orders until the control socket ends.
    private mutating func obey() throws(TemplateEnd) -> ExitStatus {
        while var message = try nextOrder() {
            switch try message.order() {
            case .boot:
                throw TemplateEnd(status: .brokenContract)
            case .fork(let worker, let isAhead):
                guard let doorbell = message.takeDescriptor(), let rings = message.takeDescriptor(),
                    workers[worker] == nil
                else { throw TemplateEnd(status: .brokenContract) }
                try fork(worker, isAhead, doorbell: doorbell, rings: rings, tasks: message.takeDescriptor())
            case .reap(let worker):
                guard let child = workers.removeValue(forKey: worker) else {
                    throw TemplateEnd(status: .brokenContract)
                }
                try reap(worker, child)
            }
        }
        return .told
    }

    private mutating func fork(
        _ worker: UInt32,
        _ isAhead: Bool,
        doorbell: consuming FileDescriptor,
        rings: consuming FileDescriptor,
        tasks: consuming FileDescriptor?
    ) throws(TemplateEnd) {
        // More forks than slots cannot live at once: the sandbox's limit on processes is one above.
        guard let slot = freeSlots.popLast() else { throw TemplateEnd(status: .brokenContract) }
        refusals.clear(slot)
        let side: ForkSide
        do throws(SystemError) {
            side = try CurrentProcess.fork()
        } catch {
            // The scheduler learns of it as of a worker that died at once.
            freeSlots.append(slot)
            try control.report(.reaped(worker: worker, .unborn))
            return
        }
        switch side {
        case .child:
            becomeWorker(isAhead, doorbell: doorbell, rings: rings, tasks: tasks, slot: slot)
        case .parent(let child):
            workers[worker] = Child(pid: child, slot: slot)
            do throws(SystemError) {
                let handle = try ProcessHandle(pid: child)
                try control.sendMessage(
                    TemplateReport.forked(worker: worker).encoded(),
                    descriptors: [handle.descriptor.rawValue]
                )
            } catch {
                throw TemplateEnd(status: .lostConnection)
            }
        }
    }

    /// The child's life, from the fork to its end.
    private func becomeWorker(
        _ isAhead: Bool,
        doorbell: consuming FileDescriptor,
        rings: consuming FileDescriptor,
        tasks: consuming FileDescriptor?,
        slot: Int
    ) -> Never {
        refusals.use(slot)
        do throws(SystemError) {
            if let tasks = tasks.take() {
                try tasks.writeAll([UInt8(ascii: "0")])
            } else {
                // No memory group: the kernel then bounds what the worker may map. Its template's share stays as is.
                let (bytes, isBeyond) = boot.memoryBytesMax.addingReportingOverflow(function.residency.arenaBytes)
                if !isBeyond { try Confinement.limit(.dataBytes, to: bytes) }
            }
            let pair = try RingPair(mapping: rings, ringByteCount: WireLimits.ringByteCount, as: .far)
            // Closed with everything else, by number.
            _ = rings.take()
            let kept = try CurrentProcess.keepOnly(doorbell, at: Template.place)
            try SystemCallFilter(instructions: boot.workerFilter).load()
            let worker = Worker(
                line: FrameLine(rings: pair, doorbell: kept),
                payloadBytesMax: boot.payloadBytesMax,
                handler: function.handler,
                callingHandler: function.callingHandler,
                batchHandler: function.batchHandler
            )
            CurrentProcess.exit(worker.serve(warmingUp: isAhead ? function.warmUp : nil).rawValue)
        } catch {
            CurrentProcess.exit(ExitStatus.unconfined.rawValue)
        }
    }

    /// Waits for a fork that the scheduler knows to be dead.
    private mutating func reap(_ worker: UInt32, _ child: Child) throws(TemplateEnd) {
        do throws(SystemError) {
            let ending = try ProcessHandle.wait(pid: child.pid)
            let death = TemplateReport.Death(
                signal: UInt8(truncatingIfNeeded: ending.signal),
                status: UInt8(truncatingIfNeeded: ending.status),
                refusedCall: refusals.call(in: child.slot),
                cpuNanoseconds: ending.cpuNanoseconds,
                residentBytesMax: ending.residentBytesMax
            )
            freeSlots.append(child.slot)
            try control.sendMessage(TemplateReport.reaped(worker: worker, death).encoded())
        } catch {
            throw TemplateEnd(status: .lostConnection)
        }
    }
}

extension TemplateReport.Death {
    /// Of a worker that could not be forked.
    fileprivate static let unborn = TemplateReport.Death(
        signal: 0,
        status: UInt8(truncatingIfNeeded: ExitStatus.unconfined.rawValue),
        refusedCall: RefusalRecord.none,
        cpuNanoseconds: 0,
        residentBytesMax: 0
    )
}
