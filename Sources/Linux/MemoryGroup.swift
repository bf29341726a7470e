import Synchronization

/// One memory control group: a limit, and what its processes used.
package final class MemoryGroup: Sendable {
    package let path: String
    /// The limit that it was last prepared for, in bytes; kept so that a worker of the same function finds it ready.
    private let preparedBytes = Atomic<UInt64>(0)
    /// A process joins by writing `0` here; attaching another one costs 10 ms, joining oneself 33 µs.
    package let tasks: FileDescriptor
    private let dialect: MemoryHierarchy.Dialect
    /// Kept open: it is read after each call.
    private let peak: FileDescriptor?

    /// Counts the processor time of its processes; nil where the kernel does not.
    package let processor: ProcessorGroup?

    /// - Parameter processorPath: of the group that counts processor time in the first dialect; nil where there is none.
    init(path: String, processorPath: String?, dialect: MemoryHierarchy.Dialect) throws(SystemError) {
        do throws(SystemError) {
            try Directory.make(path)
            tasks = try FileDescriptor.open(path + (dialect == .v1 ? "/tasks" : "/cgroup.procs"), .writing)
            let name = dialect == .v1 ? "memory.max_usage_in_bytes" : "memory.peak"
            // Kernels before 5.19 have no peak in the unified hierarchy.
            peak = try? FileDescriptor.open("\(path)/\(name)")
        } catch {
            throw error
        }
        self.path = path
        self.dialect = dialect
        processor = ProcessorGroup(path: dialect == .v1 ? processorPath : path, dialect: dialect)
    }

    private let killsBefore = Atomic<UInt64>(0)

    /// The kernel has killed a process here since the group was prepared, because the limit was reached.
    package var wasExceeded: Bool { killCount() > killsBefore.load(ordering: .relaxed) }

    package var preparedLimitBytes: UInt64 { preparedBytes.load(ordering: .relaxed) }

    /// Sets the limit and forgets the peak, so that the group can serve its next process.
    ///
    /// Costs some tens of microseconds, and more where pages of the last process are left: not for a request's path.
    package func prepare(limitBytes: UInt64) throws(SystemError) {
        preparedBytes.store(0, ordering: .relaxed)
        switch dialect {
        case .v1:
            // A group that is used again may hold pages of its last process, which count against a new limit.
            try? write("0", to: "memory.force_empty")
            // Memory with swap may never be limited below memory alone; a kernel without swap has no such limit.
            try? write("-1", to: "memory.memsw.limit_in_bytes")
            try write("\(limitBytes)", to: "memory.limit_in_bytes")
            try? write("\(limitBytes)", to: "memory.memsw.limit_in_bytes")
            try write("0", to: "memory.max_usage_in_bytes")
        case .v2:
            try write("\(limitBytes)", to: "memory.max")
            try? write("0", to: "memory.swap.max")
            // From kernel 6.12 on; before, the peak is that of the group's whole life.
            try? write("0", to: "memory.peak")
        }
        killsBefore.store(killCount(), ordering: .relaxed)
        processor?.prepare()
        preparedBytes.store(limitBytes, ordering: .relaxed)
    }

    /// The most memory its processes held since ``prepare(limitBytes:)``; `nil` where the kernel does not say.
    package func peakBytes() -> UInt64? {
        // A 64-bit number has at most 20 digits.
        guard let bytes = try? peak?.pread(count: 24, at: 0) else { return nil }
        return UInt64(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    /// How many processes the kernel has killed here since the group was made, because the limit was reached.
    package func killCount() -> UInt64 {
        guard let text = contents(of: dialect == .v1 ? "memory.oom_control" : "memory.events") else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return UInt64(line.dropFirst("oom_kill ".count)) ?? 0
        }
        return 0
    }

    /// Kills every process that is in the group now; answers whether there was any.
    package func killAll() -> Bool {
        guard let text = contents(of: dialect == .v1 ? "tasks" : "cgroup.procs") else { return false }
        let pids = text.split(separator: "\n").compactMap { Int32($0) }
        for pid in pids where pid > 0 {
            // By handle: the number may be another's by the time of the signal.
            guard let handle = try? ProcessHandle(pid: pid) else { continue }
            try? handle.kill()
        }
        return !pids.isEmpty
    }

    /// Removes the group; refused while a process is in it.
    func remove() throws(SystemError) {
        processor?.remove()
        try Directory.remove(path)
    }

    private func write(_ text: String, to name: String) throws(SystemError) {
        let file = try FileDescriptor.open("\(path)/\(name)", .writing)
        do throws(SystemError) {
            try file.writeAll(Array(text.utf8))
        } catch {
            throw SystemError(call: "write \(text) to \(path)/\(name)", code: error.code)
        }
    }

    private func contents(of name: String) -> String? {
        guard let bytes = try? FileDescriptor.open("\(path)/\(name)").readAll(countMax: 64 * 1024) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
