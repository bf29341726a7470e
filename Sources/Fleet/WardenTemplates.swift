import Linux
import Logging
import Scheduling
import Wire

/// Templates: from the spawn to the burial.
extension WardenYard {
    /// Why a template that was told to end has ended.
    static let endVerdict = "ended by the scheduler"
    /// No node of ours has a tebibyte; sums of such numbers stay far from overflow.
    private static let arenaBytesMax: UInt64 = 1 << 40

    mutating func boot(_ template: TemplateID, _ binding: FunctionBinding) {
        do {
            let watch = try spawnTemplate(template, binding)
            templates[template] = watch
            delegate.templateStarted(watch.process)
        } catch {
            logger.error(
                "template not started",
                metadata: ["function": "\(binding.key.function)", "error": "\(error)"]
            )
            delegate.templateGone(template, because: "\(error)")
        }
    }

    private mutating func spawnTemplate(_ template: TemplateID, _ binding: FunctionBinding) throws -> TemplateWatch {
        let snapshot = try FileDescriptor.open(binding.snapshotPath)
        let bases = try openBases(of: binding)
        let identities =
            try [FileIdentity(of: snapshot)]
            + bases.map { base throws(SystemError) in try FileIdentity(of: base.descriptor) }
        let verifiesDigests = !binding.isVerified(identities)
        let control = try DescriptorPair.sequencedSockets()
        let ours = control.first
        let theirs = control.second
        let output = try DescriptorPair.pipe()
        let logOurs = output.first
        let logTheirs = output.second
        try logOurs.setNonBlocking(true)

        let isCode = binding.code != nil
        var spawn = Spawn(name: isCode ? "thaw-jail" : "thaw-worker")
        spawn.environment = ["PATH=/nonexistent"]
        if isCode { spawn.environment.append("THAW_RUNTIME=\(programs.runtimePath)") }
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        spawn.descriptors = [null.rawValue, null.rawValue, logTheirs.rawValue, theirs.rawValue]
        // In a network that is shared, sockets without a file would join the programs of different functions.
        spawn.namespaces = hasEmptyNetwork && !isCode ? .sandbox : [.sandbox, .network]
        let handle = try spawn.start(try FileDescriptor.open(isCode ? programs.jailPath : programs.workerPath))

        // A template that does not read must not hold up whoever gives it orders.
        try ours.setNonBlocking(true)
        let process = TemplateProcess(id: template, control: ours)
        if binding.code?.egress != nil { try openWayOut(of: template, try handle.pid(), log: logTheirs) }
        let secrets = try Self.secrets(of: binding)
        var code = binding.code
        code?.hasSecrets = secrets != nil
        if code?.egress != nil { code?.egress?.closed = Routes.addressesOfMachine().map(\.bytes) }
        try process.boot(
            TemplateBoot(
                function: binding.key.function,
                snapshotDigest: binding.snapshotDigest,
                verifiesDigests: verifiesDigests,
                memoryBytesMax: binding.memoryBytesMax,
                payloadBytesMax: UInt64(binding.payloadBytesMax),
                templateFilter: programs.templateFilter(for: code).instructions,
                workerFilter: (isCode ? programs.codeWorkerFilter : programs.workerFilter).instructions,
                environment: binding.environment,
                code: code
            ),
            snapshot: snapshot,
            bases: bases,
            secrets: secrets?.descriptor.rawValue
        )
        let log = LineReader(logOurs)
        try poll.add(process.control, token: Subject.templateControl.token(template.number))
        try poll.add(handle.descriptor, token: Subject.templateDeath.token(template.number))
        try poll.add(log.pipe, token: Subject.templateLog.token(template.number))
        let pid = try handle.pid()
        return TemplateWatch(
            process: process,
            binding: binding,
            handle: handle,
            pid: pid,
            fileIdentities: identities,
            verifiesDigests: verifiesDigests,
            log: log
        )
    }

    private mutating func openWayOut(of template: TemplateID, _ pid: Int32, log: borrowing FileDescriptor) throws {
        let wayOut = WayOutWatch(
            handle: try WayOut.attach(to: pid, machine: machineNetwork, log: log)
        )
        try poll.add(wayOut.handle.descriptor, token: Subject.wayOutDeath.token(template.number))
        waysOut[template.number] = wayOut
    }

    /// A template whose way out has ended is of no use any more.
    mutating func buryWayOut(_ number: UInt32) {
        guard let wayOut = waysOut.removeValue(forKey: number) else { return }
        poll.forget(wayOut.handle.descriptor.rawValue)
        let ending = try? wayOut.handle.wait()
        guard let watch = templates[TemplateID(number)], watch.verdict == nil else { return }
        let end = ending.map { $0.signal == 0 ? "exit status \($0.status)" : "signal \($0.signal)" } ?? "unknown"
        watch.verdict = "Runtime.Unknown: pasta, the way out of the function's network, ended: \(end)"
        try? watch.handle.kill()
    }

    /// A file in memory that only its reader gets: messages and files of the kernel's show it to nobody.
    private static func secrets(of binding: FunctionBinding) throws -> SharedDescriptor? {
        guard binding.code != nil else { return nil }
        let secrets = try binding.secrets()
        guard !secrets.isEmpty else { return nil }
        let file = try FileDescriptor.memoryFile("secrets")
        try file.pwrite(secrets.flatMap { Array($0.utf8) + [0] }, at: 0)
        return SharedDescriptor(file)
    }

    private func openBases(of binding: FunctionBinding) throws -> [SharedDescriptor] {
        try binding.bases.map { base in
            do throws(SystemError) {
                return SharedDescriptor(try FileDescriptor.open(base.path))
            } catch {
                throw WatchError(
                    complaint: """
                        snapshot: a part of it lies in the file of the snapshot \(base.digest), which cannot be opened: \
                        \(error); deploy the function again
                        """
                )
            }
        }
    }

    /// Takes reports that have come; the poll tells of the rest again.
    mutating func readReports(_ template: TemplateID) {
        for _ in 0..<FleetLimits.reportsPerEvent {
            guard let watch = templates[template] else { return }
            do {
                let arrival = try watch.process.control.receiveMessageAvailable(
                    bytesMax: WireLimits.controlMessageBytesMax,
                    descriptorsMax: WireLimits.descriptorsMax
                )
                switch consume arrival {
                case .nothing:
                    return
                case .end:
                    return poll.forget(watch.process.control.rawValue)
                case .message(var message):
                    try take(try TemplateReport(parsing: message.bytes), message.takeDescriptor(), watch)
                }
            } catch {
                watch.verdict = watch.verdict ?? "contract: a report of it was refused: \(error)"
                poll.forget(watch.process.control.rawValue)
                try? watch.handle.kill()
                return
            }
        }
    }

    private mutating func take(
        _ report: TemplateReport,
        _ descriptor: consuming FileDescriptor?,
        _ watch: TemplateWatch
    ) throws {
        let template = watch.process.id
        switch report {
        case .sandboxed:
            guard let descriptor = consume descriptor else { throw WireError.truncated }
            guard watch.listener == nil else { throw WatchError(complaint: "it sent a second listener") }
            try poll.add(descriptor, token: Subject.templateListener.token(template.number))
            watch.listener = RefusalListener(owning: descriptor)
        case .resident(let residency):
            guard residency.arenaBytes <= Self.arenaBytesMax else {
                throw WatchError(complaint: "it says that it holds \(residency.arenaBytes) bytes")
            }
            if watch.verifiesDigests { watch.binding.noteVerified(watch.fileIdentities) }
            delegate.templateResident(template, residency, pid: watch.pid)
            // The next worker, if not the first, finds its group made.
            memoryGroups?.keepPrepared(limitBytes: watch.binding.memoryBytesMax)
        case .refused(let message):
            watch.verdict = watch.binding.code == nil ? "snapshot: \(message)" : message
        case .forked(let worker):
            guard let descriptor = consume descriptor else { throw WireError.truncated }
            try noteForked(WorkerID(worker), of: template, ProcessHandle(owning: descriptor))
        case .reaped(let worker, let death):
            try noteReaped(WorkerID(worker), of: template, death)
        }
    }

    mutating func readLog(_ template: TemplateID) {
        guard let watch = templates[template] else { return }
        let (lines, isEnded) = watch.log.readLines()
        for line in lines {
            log(watch.binding.key, line)
        }
        if isEnded {
            poll.forget(watch.log.pipe.rawValue)
        } else if !lines.isEmpty {
            restLog(template, watch.log.pipe)
        }
    }

    /// A call was refused to the template or to one of its forks: whoever made it is named and killed.
    mutating func hearTemplateRefusal(_ template: TemplateID, _ event: EventPoll.Event) {
        guard let watch = templates[template] else { return }
        guard event.isReadable else {
            if let listener = watch.listener?.descriptor.rawValue { poll.forget(listener) }
            return
        }
        let refusal: RefusalListener.Refusal?
        do throws(SystemError) {
            refusal = try watch.listener?.next()
        } catch {
            watch.verdict = watch.verdict ?? "contract: its listener is none: \(error)"
            if let listener = watch.listener?.descriptor.rawValue { poll.forget(listener) }
            try? watch.handle.kill()
            return
        }
        guard let refusal else { return }
        let name = SystemCall.name(of: refusal.call)
        if refusal.pid == watch.pid {
            watch.refusedCall = name
            try? watch.handle.kill()
            return
        }
        // The fork's report may still lie in the socket.
        readReports(template)
        for worker in watch.workers where workers[worker]?.pid == refusal.pid {
            workers[worker]?.refusedCall = name
            kill(worker, because: "seccomp")
            return
        }
        // Nobody of ours, but under our filter: it must not live, and its caller is told by its death.
        if let stranger = try? ProcessHandle(pid: refusal.pid) { try? stranger.kill() }
    }

    mutating func buryTemplate(_ template: TemplateID) {
        readReports(template)
        readLog(template)
        guard let watch = templates.removeValue(forKey: template) else { return }
        poll.forget(watch.process.control.rawValue)
        poll.forget(watch.handle.descriptor.rawValue)
        poll.forget(watch.log.pipe.rawValue)
        if let listener = watch.listener?.descriptor.rawValue { poll.forget(listener) }
        let ending = try? watch.handle.wait()
        // Its network has gone with it; its own end is heard of as any other.
        try? waysOut[template.number]?.handle.kill()
        let reason = DeathReason(
            verdict: watch.verdict,
            refusedCall: watch.refusedCall,
            death: ending.map(TemplateReport.Death.init)
        )
        if watch.verdict != Self.endVerdict {
            log(watch.binding.key, "the template died: \(reason.sentence)")
        }
        // The kernel has killed its forks with it.
        for worker in watch.workers {
            if let handle = workers[worker]?.handle?.descriptor.rawValue { poll.forget(handle) }
            bury(
                worker,
                because: DeathReason(
                    verdict: workers[worker]?.verdict,
                    refusedCall: workers[worker]?.refusedCall,
                    parentReason: reason.sentence
                )
            )
        }
        delegate.templateGone(template, because: reason.sentence)
    }
}

extension TemplateReport.Death {
    init(_ ending: ProcessEnding) {
        self.init(
            signal: UInt8(clamping: ending.signal),
            status: UInt8(clamping: ending.status),
            refusedCall: -1,
            cpuNanoseconds: ending.cpuNanoseconds,
            residentBytesMax: ending.residentBytesMax
        )
    }
}

extension WardenPrograms {
    /// What a template is under, and where it runs an author's code, what that code is under.
    fileprivate func templateFilter(for code: CodeBoot?) -> SystemCallFilter {
        guard let code else { return templateFilter }
        return code.hasZygote ? zygoteFilter : codeFilter
    }
}
