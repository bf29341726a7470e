import Linux
import Logging
import Wire

/// Installers of packages: one process for each deploy that asks for some.
extension WardenYard {
    mutating func startInstall(_ order: InstallOrder) {
        lastPack += 1
        let number = lastPack
        do {
            installs[number] = try spawnInstall(number, order)
        } catch {
            order.continuation.resume(returning: .failed(reason: "it could not be started: \(error)", lines: []))
        }
    }

    private func spawnInstall(_ number: UInt32, _ order: InstallOrder) throws -> InstallWatch {
        let bundle = try FileDescriptor.open(order.bundlePath)
        let result = try FileDescriptor.open(
            order.resultPath,
            [.readingWriting, .creating, .exclusive],
            permissions: 0o644
        )
        let output = try DescriptorPair.pipe()
        let logOurs = output.first
        let logTheirs = output.second
        try logOurs.setNonBlocking(true)
        let filter = try FileDescriptor.memoryFile("code-filter")
        try filter.pwrite(programs.codeFilter.instructions, at: 0)

        var spawn = Spawn(name: "thaw-jail")
        spawn.arguments = order.arguments
        let closed = Routes.addressesOfMachine().map { address in
            address.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        spawn.environment =
            [
                "PATH=/nonexistent", "THAW_RUNTIME=\(programs.runtimePath)",
                "THAW_CLOSED=\(closed.joined(separator: ","))",
            ] + order.settings.environment
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        spawn.descriptors = [
            null.rawValue, null.rawValue, logTheirs.rawValue, bundle.rawValue, result.rawValue, filter.rawValue,
        ]
        spawn.namespaces = [.sandbox, .network]
        let memory = try MemoryAllowance(from: memoryGroups, limitBytes: Packing.installMemoryBytesMax)
        spawn.memoryGroupTasks = memory?.tasks
        let handle = try spawn.start(try FileDescriptor.open(programs.jailPath))
        var wayOut: WayOutWatch?
        if WayOut.path != nil {
            do {
                let attached = try WayOut.attach(to: try handle.pid(), machine: machineNetwork, log: logTheirs)
                wayOut = WayOutWatch(handle: attached)
            } catch {
                try handle.kill()
                _ = try handle.wait()
                throw error
            }
        }
        let log = LineReader(logOurs)
        try poll.add(handle.descriptor, token: Subject.installDeath.token(number))
        try poll.add(log.pipe, token: Subject.installLog.token(number))
        return InstallWatch(
            order: order,
            handle: handle,
            wayOut: wayOut,
            memory: memory,
            log: log,
            deadlineNanoseconds: Clock.monotonicNanoseconds() + UInt64(order.settings.secondsMax) * 1_000_000_000
        )
    }

    mutating func readInstallLog(_ number: UInt32) {
        guard let watch = installs[number] else { return }
        let (lines, isEnded) = watch.log.readLines()
        watch.lines = (watch.lines + lines).suffix(Packing.installLinesMax)
        if isEnded { poll.forget(watch.log.pipe.rawValue) }
    }

    mutating func endLateInstalls() {
        guard !installs.isEmpty else { return }
        let now = Clock.monotonicNanoseconds()
        for watch in installs.values where watch.deadlineNanoseconds < now {
            watch.kill(because: "it worked for more than \(watch.order.settings.secondsMax) seconds")
        }
    }

    mutating func buryInstall(_ number: UInt32) {
        readInstallLog(number)
        guard let watch = installs.removeValue(forKey: number) else { return }
        poll.forget(watch.handle.descriptor.rawValue)
        poll.forget(watch.log.pipe.rawValue)
        let ending = try? watch.handle.wait()
        try? watch.wayOut?.handle.kill()
        _ = try? watch.wayOut?.handle.wait()
        var reason = watch.verdict
        if let memory = watch.memory {
            if reason == nil, memory.wasExceeded {
                reason = "it wanted more than \(memory.limitBytes) bytes of memory, files included"
            }
            memory.giveBack()
        }
        if reason == nil, ending?.signal != 0 || ending?.status != 0 {
            reason = ending.map { "it ended with status \($0.signal == 0 ? $0.status : 128 + $0.signal)" } ?? "it ended"
        }
        let outcome = reason.map { InstallOutcome.failed(reason: $0, lines: watch.lines) } ?? .installed
        watch.order.continuation.resume(returning: outcome)
    }
}
