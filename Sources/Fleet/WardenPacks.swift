import Linux
import Logging
import Wire

/// Packers: one process for each deploy under way.
extension WardenYard {
    mutating func startPack(_ order: PackOrder) {
        lastPack += 1
        let number = lastPack
        do {
            packs[number] = try spawnPack(number, order)
        } catch {
            order.continuation.resume(returning: .died(reason: "could not be started: \(error)"))
        }
    }

    private func spawnPack(_ number: UInt32, _ order: PackOrder) throws -> PackWatch {
        let bundle = try FileDescriptor.open(order.bundlePath)
        let snapshot = try FileDescriptor.open(
            order.snapshotPath,
            [.readingWriting, .creating, .exclusive],
            permissions: 0o644
        )
        let reports = try DescriptorPair.pipe()
        let report = reports.first
        let reportTheirs = reports.second
        let output = try DescriptorPair.pipe()
        let logOurs = output.first
        let logTheirs = output.second
        let sockets = try DescriptorPair.sequencedSockets()
        let socket = sockets.first
        let socketTheirs = sockets.second
        try report.setNonBlocking(true)
        try logOurs.setNonBlocking(true)
        let filter = try FileDescriptor.memoryFile("packer-filter")
        try filter.pwrite(programs.packerFilter.instructions, at: 0)
        let catalog = try FileDescriptor.memoryFile("packer-catalog")
        try catalog.pwrite(order.catalog, at: 0)

        let packages = try FileDescriptor.open(order.packagesPath ?? "/dev/null")

        var spawn = Spawn(name: "thaw-pack")
        spawn.environment = ["PATH=/nonexistent"]
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        spawn.descriptors = [
            null.rawValue, null.rawValue, logTheirs.rawValue, bundle.rawValue, snapshot.rawValue,
            reportTheirs.rawValue, filter.rawValue, socketTheirs.rawValue, catalog.rawValue,
            packages.rawValue,
        ]
        spawn.namespaces = hasEmptyNetwork ? .sandbox : [.sandbox, .network]
        let memory = try MemoryAllowance(from: memoryGroups, limitBytes: Packing.memoryBytesMax)
        spawn.memoryGroupTasks = memory?.tasks
        let handle = try spawn.start(try FileDescriptor.open(programs.packerPath))

        let log = LineReader(logOurs)
        try poll.add(handle.descriptor, token: Subject.packDeath.token(number))
        try poll.add(socket, token: Subject.packSocket.token(number))
        try poll.add(report, token: Subject.packReport.token(number))
        try poll.add(log.pipe, token: Subject.packLog.token(number))
        let limit = UInt64(FleetLimits.packSecondsMax) * 1_000_000_000
        return PackWatch(
            continuation: order.continuation,
            handle: handle,
            memory: memory,
            listenerSocket: socket,
            report: report,
            log: log,
            deadlineNanoseconds: Clock.monotonicNanoseconds() + limit
        )
    }

    mutating func receivePackListener(_ number: UInt32) {
        guard let watch = packs[number] else { return }
        do {
            let arrival = try watch.listenerSocket.receiveMessageAvailable(bytesMax: 64, descriptorsMax: 1)
            switch consume arrival {
            case .nothing: return
            case .end: poll.forget(watch.listenerSocket.rawValue)
            case .message(var message):
                guard watch.listener == nil, let descriptor = message.takeDescriptor() else { return }
                try poll.add(descriptor, token: Subject.packListener.token(number))
                watch.listener = RefusalListener(owning: descriptor)
            }
        } catch {
            watch.kill(because: "contract: its listener cannot be received: \(error)")
        }
    }

    mutating func hearPackRefusal(_ number: UInt32, _ event: EventPoll.Event) {
        guard let watch = packs[number] else { return }
        guard event.isReadable else {
            if let listener = watch.listener?.descriptor.rawValue { poll.forget(listener) }
            return
        }
        let refusal: RefusalListener.Refusal?
        do throws(SystemError) {
            refusal = try watch.listener?.next()
        } catch {
            if let listener = watch.listener?.descriptor.rawValue { poll.forget(listener) }
            return watch.kill(because: "contract: its listener is none: \(error)")
        }
        guard let refusal else { return }
        watch.refusedCall = SystemCall.name(of: refusal.call)
        watch.kill(because: "seccomp")
    }

    mutating func readPackLog(_ number: UInt32) {
        guard let watch = packs[number] else { return }
        let (lines, isEnded) = watch.log.readLines()
        for line in lines {
            logger.notice("packer: \(line)")
        }
        if isEnded { poll.forget(watch.log.pipe.rawValue) }
    }

    mutating func endLatePacks() {
        guard !packs.isEmpty else { return }
        let now = Clock.monotonicNanoseconds()
        for watch in packs.values where watch.deadlineNanoseconds < now {
            watch.kill(because: "timeout: it worked for more than \(FleetLimits.packSecondsMax) seconds")
        }
    }

    mutating func buryPack(_ number: UInt32) {
        packs[number]?.readReport()
        readPackLog(number)
        guard let watch = packs.removeValue(forKey: number) else { return }
        poll.forget(watch.handle.descriptor.rawValue)
        poll.forget(watch.listenerSocket.rawValue)
        poll.forget(watch.report.rawValue)
        poll.forget(watch.log.pipe.rawValue)
        if let listener = watch.listener?.descriptor.rawValue { poll.forget(listener) }
        let ending = try? watch.handle.wait()
        var reason = DeathReason(
            verdict: watch.verdict,
            refusedCall: watch.refusedCall,
            death: ending.map(TemplateReport.Death.init)
        )
        if let memory = watch.memory {
            if memory.wasExceeded { reason.memoryLimitBytes = memory.limitBytes }
            memory.giveBack()
        }
        let isInOrder = ending?.signal == 0 && ending?.status == 0 && !watch.reportBytes.isEmpty
        watch.continuation.resume(
            returning: isInOrder && watch.verdict == nil
                ? .reported(watch.reportBytes) : .died(reason: reason.sentence)
        )
    }
}
