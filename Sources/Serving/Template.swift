package import Linux
package import Sandboxing
package import Wire

/// A process that has done everything a worker needs before its first call, and forks workers on order.
///
/// It is the first process of its pid namespace: when it ends, its workers end with it.
package struct Template: ~Copyable {
    /// Where the scheduler puts the control socket, and where a fork keeps its doorbell.
    private static let place: Int32 = 3
    /// Kernels keep their matrices elsewhere: a tile of sums and some rows of factors are what lies on a stack.
    private static let secondThreadStackBytes = 256 << 10

    private let control: FileDescriptor
    private var function: LoadedFunction
    private let boot: TemplateBoot
    private let refusals: RefusalRecord
    private let lastWords: LastWordsRecord
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

    /// Why a sandbox did not close.
    package typealias ConfinementError = SandboxError

    /// Closes the sandbox of a template; answers the listener of its filter, where it has one.
    package typealias Confiner = (_ boot: TemplateBoot) throws(SandboxError) -> FileDescriptor?

    /// Runs a template on descriptor 3 until the scheduler ends it.
    ///
    /// `load` runs inside the sandbox.
    package static func run(
        confining confine: Confiner = { (boot) throws(SandboxError) in
            try Sandbox.template.enter(SystemCallFilter(instructions: boot.templateFilter))
        },
        loading load: Loader
    ) -> Never {
        Signals.ignoreBrokenPipes()
        Signals.ignoreEndings()
        let status: ExitStatus
        do throws(TemplateEnd) {
            var template = try Template.booted(FileDescriptor(owning: place), confine, load)
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
        refusals: consuming RefusalRecord,
        lastWords: consuming LastWordsRecord
    ) {
        self.control = control
        self.function = function
        self.boot = boot
        self.refusals = refusals
        self.lastWords = lastWords
    }

    /// Closes the sandbox, then loads the function: in this order, since a snapshot is somebody else's bytes.
    private static func booted(
        _ control: consuming FileDescriptor,
        _ confine: Confiner,
        _ load: Loader
    ) throws(TemplateEnd) -> Template {
        guard var message = try control.nextOrder() else { throw TemplateEnd(status: .told) }
        guard case .boot(var boot) = try message.order(), let snapshot = message.takeDescriptor() else {
            throw TemplateEnd(status: .brokenContract)
        }
        var bases: [SharedDescriptor] = []
        while let base = message.takeDescriptor() { bases.append(SharedDescriptor(base)) }
        let refusals = try prepared(boot, control)
        if boot.code?.hasSecrets == true { boot.environment += try secrets(in: &bases) }
        let lastWords = try shared(control) { () throws(SystemError) in try LastWordsRecord() }
        if let listener = try confined(boot, confine, control) {
            try control.report(.sandboxed, with: listener.rawValue)
            // Whoever holds the listener can let refused calls pass: only the scheduler may.
            _ = consume listener
        }
        let function: LoadedFunction
        do throws(LoadFailure) {
            function = try load(snapshot, bases, boot)
        } catch {
            try control.report(.refused(message: ReplyText.cut(error.message)))
            throw TemplateEnd(status: .refusedSnapshot)
        }
        try control.report(.resident(function.residency))
        return Template(control: control, function: function, boot: boot, refusals: refusals, lastWords: lastWords)
    }

    /// `NAME=value` of each secret, out of the order's last descriptor.
    private static func secrets(in descriptors: inout [SharedDescriptor]) throws(TemplateEnd) -> [String] {
        guard let file = descriptors.popLast(),
            let bytes = try? file.descriptor.readAll(countMax: WireLimits.secretsBytesMax)
        else { throw TemplateEnd(status: .brokenContract) }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
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

    private static func shared<Record: ~Copyable>(
        _ control: borrowing FileDescriptor,
        _ make: () throws(SystemError) -> Record
    ) throws(TemplateEnd) -> Record {
        do throws(SystemError) {
            return try make()
        } catch {
            try control.report(.refused(message: "the template could not prepare itself: \(error)"))
            throw TemplateEnd(status: .openSandbox)
        }
    }

    private static func confined(
        _ boot: TemplateBoot,
        _ confine: Confiner,
        _ control: borrowing FileDescriptor
    ) throws(TemplateEnd) -> FileDescriptor? {
        do throws(SandboxError) {
            return try confine(boot)
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
                let groups = Groups(memory: message.takeDescriptor(), processor: message.takeDescriptor())
                try fork(worker, isAhead, doorbell: doorbell, rings: rings, groups)
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
        _ groups: consuming Groups
    ) throws(TemplateEnd) {
        // More forks than slots cannot live at once: the sandbox's limit on processes is one above.
        guard let slot = freeSlots.popLast() else { throw TemplateEnd(status: .brokenContract) }
        refusals.clear(slot)
        lastWords.clear(slot)
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
            becomeWorker(isAhead, doorbell: doorbell, rings: rings, groups, slot: slot)
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

    /// The `tasks` files of the control groups that a fork joins, as far as there are any.
    private struct Groups: ~Copyable {
        let memory: FileDescriptor?
        let processor: FileDescriptor?

        /// Numbers that stay open for as long as this process.
        consuming func takeNumbers() -> [Int32] {
            var numbers: [Int32] = []
            if let memory = memory { numbers.append(memory.take()) }
            if let processor = processor { numbers.append(processor.take()) }
            return numbers
        }
    }

    /// The child's life, from the fork to its end.
    private func becomeWorker(
        _ isAhead: Bool,
        doorbell: consuming FileDescriptor,
        rings: consuming FileDescriptor,
        _ groups: consuming Groups,
        slot: Int
    ) -> Never {
        refusals.use(slot)
        do throws(SystemError) {
            if groups.processor != nil { try groups.processor?.writeAll([UInt8(ascii: "0")]) }
            if groups.memory != nil {
                try groups.memory?.writeAll([UInt8(ascii: "0")])
            } else {
                // No memory group: the kernel then bounds what the worker may map. Its template's share stays as is.
                let (bytes, isBeyond) = boot.memoryBytesMax.addingReportingOverflow(function.residency.arenaBytes)
                if !isBeyond { try Confinement.limit(.dataBytes, to: bytes) }
            }
            let pair = try RingPair(mapping: rings, ringByteCount: WireLimits.ringByteCount, as: .far)
            // Closed with everything else, by number.
            _ = rings.take()
            if let begin = function.beginWorker {
                let kept = try CurrentProcess.move(doorbell, to: Template.place)
                let place = WorkerPlace(lastWords: lastWords.writer(of: slot), groups: groups.takeNumbers())
                try serveBegun(begin, FrameLine(rings: pair, doorbell: kept), place)
            }
            let kept = try CurrentProcess.keepOnly(doorbell, at: Template.place)
            try startSecondThread()
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

    /// Starts the function's second thread, which needs calls that a worker's filter refuses, and waits until it has
    /// loaded that filter: a filter holds for the thread that loads it.
    private func startSecondThread() throws(SystemError) {
        guard let secondThread = function.secondThread else { return }
        let (filter, help) = (SystemCallFilter(instructions: boot.workerFilter), secondThread.help)
        try Thread.start(stackByteCount: Template.secondThreadStackBytes) {
            do throws(SystemError) {
                try filter.load()
            } catch {
                CurrentProcess.exit(ExitStatus.unconfined.rawValue)
            }
            help()
        }
        secondThread.awaitHelp()
    }

    /// A worker beside a program of the author's: starts that, gives up its own power, and serves.
    ///
    /// It holds the control socket no more than a fork of a model does, but keeps what it has opened itself.
    private func serveBegun(
        _ begin: (WorkerPlace) throws(LoadFailure) -> BegunWorker,
        _ line: consuming FrameLine,
        _ place: WorkerPlace
    ) throws(SystemError) -> Never {
        do throws(LoadFailure) {
            let begun = try begin(place)
            do throws(SystemError) {
                try Confinement.dropCapabilities()
                try SystemCallFilter(instructions: boot.workerFilter).load()
            } catch {
                throw LoadFailure(message: "the worker could not be confined: \(error)")
            }
            try begun.awaitProgram()
            let worker = Worker(
                line: line,
                payloadBytesMax: boot.payloadBytesMax,
                handler: { (_) throws(CallFailure) in
                    throw CallFailure(code: .model, message: "a program's calls are answered by its own handler")
                },
                callingHandler: begun.handler,
                afterCall: begun.afterCall
            )
            CurrentProcess.exit(worker.serve(warmingUp: nil).rawValue)
        } catch {
            place.lastWords.say(error.message)
            CurrentProcess.exit(ExitStatus.programEnded.rawValue)
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
                residentBytesMax: ending.residentBytesMax,
                lastWords: lastWords.text(in: child.slot, bytesMax: WireLimits.lastWordsBytesMax)
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
