import Synchronization

/// The memory control groups of one scheduler: made on demand, used again, removed at the end.
///
/// Making a group costs the kernel more than a fork, so that those given back wait for the next worker.
package final class MemoryGroups: Sendable {
    package let dialect: MemoryHierarchy.Dialect
    /// The folder of this scheduler's groups, `thaw-<pid>-<number>`.
    package let path: String
    /// The folder of the groups that count processor time, in the first dialect.
    private let processorPath: String?

    private struct State {
        var free: [MemoryGroup] = []
        var made = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Two schedulers in one process (tests have them) must not share groups.
    private static let madeInThisProcess = Atomic<Int>(0)

    private init(dialect: MemoryHierarchy.Dialect, path: String, processorPath: String?) {
        self.dialect = dialect
        self.path = path
        self.processorPath = processorPath
    }

    deinit {
        close()
    }

    /// Groups where the machine lets us limit memory; `nil` where it does not (then limits and a watch serve).
    package static func make() -> MemoryGroups? {
        guard let mounts = text("/proc/self/mounts"), let memberships = text("/proc/self/cgroup") else { return nil }
        for hierarchy in MemoryHierarchy.candidates(mounts: mounts, memberships: memberships) {
            for folder in hierarchy.folders {
                if hierarchy.dialect == .v2, !delegate(folder) { continue }
                removeLeftovers(in: folder)
                let number = madeInThisProcess.wrappingAdd(1, ordering: .relaxed).newValue
                let name = "thaw-\(CurrentProcess.pid)-\(number)"
                let processors = MemoryHierarchy.processorFolder(mounts: mounts, memberships: memberships)
                if let processors { removeLeftovers(in: processors) }
                let groups = MemoryGroups(
                    dialect: hierarchy.dialect,
                    path: "\(folder)/\(name)",
                    processorPath: processors.map { "\($0)/\(name)" }
                )
                if groups.isUsable() { return groups }
            }
        }
        return nil
    }

    /// A group with this limit, without processes; at once where one is prepared for it.
    package func take(limitBytes: UInt64) throws(SystemError) -> MemoryGroup {
        let waiting = state.withLock { state -> MemoryGroup? in
            if let index = state.free.lastIndex(where: { $0.preparedLimitBytes == limitBytes }) {
                return state.free.remove(at: index)
            }
            return state.free.popLast()
        }
        if let waiting, waiting.preparedLimitBytes == limitBytes { return waiting }
        let group: MemoryGroup
        if let waiting { group = waiting } else { group = try make() }
        do throws(SystemError) {
            try group.prepare(limitBytes: limitBytes)
        } catch {
            try? group.remove()
            throw error
        }
        return group
    }

    /// Sees to it that the next ``take(limitBytes:)`` with this limit finds a group prepared.
    ///
    /// Costs a tenth of a millisecond: call it where nobody waits.
    package func keepPrepared(limitBytes: UInt64) {
        let isThere = state.withLock { state in
            state.isClosed || state.free.contains { $0.preparedLimitBytes == limitBytes }
        }
        if !isThere, let group = try? make() { giveBack(group, preparedFor: limitBytes) }
    }

    /// Takes a group back whose processes have all been waited for, and prepares it for one like the last.
    package func giveBack(_ group: MemoryGroup) {
        giveBack(group, preparedFor: group.preparedLimitBytes)
    }

    private func giveBack(_ group: MemoryGroup, preparedFor limitBytes: UInt64) {
        // Before it is free: afterwards it may be taken at any time. One that refuses is prepared when it is taken.
        try? group.prepare(limitBytes: limitBytes)
        let isKept = state.withLock { state in
            guard !state.isClosed else { return false }
            state.free.append(group)
            return true
        }
        if !isKept { try? group.remove() }
    }

    private func make() throws(SystemError) -> MemoryGroup {
        let number = state.withLock { state in
            state.made += 1
            return state.made
        }
        return try MemoryGroup(
            path: "\(path)/worker-\(number)",
            processorPath: processorPath.map { "\($0)/worker-\(number)" },
            dialect: dialect
        )
    }

    /// Removes what is free, and the folder if nothing is in use.
    package func close() {
        let free = state.withLock { state in
            state.isClosed = true
            let free = state.free
            state.free = []
            return free
        }
        for group in free {
            try? group.remove()
        }
        try? Directory.remove(path)
        if let processorPath { try? Directory.remove(processorPath) }
    }

    /// Makes the scheduler's folder and a first group in it: permissions and controllers show only this way.
    private func isUsable() -> Bool {
        do throws(SystemError) {
            try Directory.make(path)
            if dialect == .v2 { try MemoryGroups.enableMemory(in: path) }
            giveBack(try take(limitBytes: 1 << 30))
            return true
        } catch {
            close()
            return false
        }
    }

    /// In the unified hierarchy a group with processes cannot have groups with limits: ours move one level down.
    ///
    /// Answers false where the memory controller is not ours to use.
    private static func delegate(_ folder: String) -> Bool {
        guard let controllers = text("\(folder)/cgroup.controllers"),
            controllers.split(whereSeparator: { $0 == " " || $0 == "\n" }).contains("memory")
        else { return false }
        do throws(SystemError) {
            try enableMemory(in: folder)
            return true
        } catch {
            // Processes are in the way: this one can move itself. Any other makes the next attempt fail too.
        }
        do throws(SystemError) {
            let place = "\(folder)/thaw-scheduler"
            try Directory.make(place)
            try FileDescriptor.open("\(place)/cgroup.procs", .writing).writeAll(Array("0".utf8))
            try enableMemory(in: folder)
            return true
        } catch {
            return false
        }
    }

    private static func enableMemory(in folder: String) throws(SystemError) {
        try FileDescriptor.open("\(folder)/cgroup.subtree_control", .writing).writeAll(Array("+memory".utf8))
    }

    /// Removes what schedulers that were killed have left: folders named after processes that are gone.
    private static func removeLeftovers(in folder: String) {
        for name in (try? Directory.names(in: folder)) ?? [] where name.hasPrefix("thaw-") {
            guard let pid = Int32(name.dropFirst("thaw-".count).prefix { $0 != "-" }),
                (try? FileIdentity(ofPath: "/proc/\(pid)")) == nil
            else { continue }
            let path = "\(folder)/\(name)"
            for inner in (try? Directory.names(in: path)) ?? [] where inner.hasPrefix("worker-") {
                try? Directory.remove("\(path)/\(inner)")
            }
            try? Directory.remove(path)
        }
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? FileDescriptor.open(path).readAll(countMax: 1024 * 1024) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
