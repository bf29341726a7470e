package import Linux
package import Scheduling
import NIOCore
import Synchronization

/// What the node keeps in memory while nobody calls, carried out and measured.
extension Fleet {
    /// Makes a version known that may serve: it is installed now if it keeps a minimum, or if an earlier version of its
    /// function has to hear that it is overtaken; else with its first call, since most of many functions sleep.
    package func announce(_ binding: FunctionBinding) {
        let isNeeded = state.withLock { $0.mustBeInstalled(binding) }
        if isNeeded { install(binding) }
    }

    package func census() -> NodeCensus {
        var census = NodeCensus()
        state.withLock { state in
            census.versions = state.pool.census()
            census.forecasts = state.pool.forecasts()
            census.hugePageBytes = state.hugePageBytes()
            census.restingBytes = state.pool.restingBytes
            census.restingBytesMax = state.pool.restingBytesMax
        }
        census.unlockedFiles = pantry.unlockedCount
        census.hugePages = HugePages.offer
        return census
    }

    func hold(_ snapshot: SnapshotID, path: String, order: UInt64) {
        pantry.hold(snapshot, path: path, order: order) { [weak self] outcome in
            switch outcome {
            case .held(let bytes, let nanoseconds):
                self?.handle(.packedHeld(snapshot, bytes: bytes, nanoseconds: nanoseconds))
            case .refused:
                self?.handle(.packedRefused(snapshot))
            }
        }
    }

    /// Looks at a template's memory when the call that it was booted for has been answered, not beside it.
    ///
    /// Of a table that is decoded when there is time a part may be missing by then: it never counts less than its arena.
    func measureSoon(_ template: TemplateID, arenaBytes: UInt64, pid: Int32) {
        timerLoop.scheduleTask(in: .milliseconds(FleetLimits.measureDelayMilliseconds)) { [weak self] in
            self?.pantry.run { [weak self] in
                guard let self, let memory = ProcessMemory.of(pid: pid) else { return }
                let hugePageBytes = ProcessMemory.hugePageBytes(pid: pid)
                // Its number may be another process's by now: then it is not this template's to tell.
                let isThere = state.withLock { state in
                    state.templates[template]?.hugePageBytes = hugePageBytes
                    return state.templates[template]?.isResident ?? false
                }
                if isThere { handle(.templateMeasured(template, bytes: max(memory.anonymousBytes, arenaBytes))) }
            }
        }
    }

    func measure(_ worker: WorkerID, pid: Int32) {
        pantry.run { [weak self] in
            guard let bytes = ProcessMemory.privateBytes(pid: pid) else { return }
            self?.handle(.workerMeasured(worker, bytes: bytes))
        }
    }
}

/// What the node holds at this moment.
package struct NodeCensus: Sendable {
    package var versions: [WorkerPool.Census] = []
    package var forecasts: [String: WorkerPool.Forecast] = [:]
    /// Bytes that the kernel keeps in huge pages for the templates of a function.
    package var hugePageBytes: [String: UInt64] = [:]
    package var restingBytes: UInt64 = 0
    package var restingBytesMax: UInt64 = 0
    /// Packed files that the kernel may take out of memory when that is short: it did not let us lock them.
    package var unlockedFiles = 0
    package var hugePages = HugePages.Kind.none

    package init() {}
}

extension FleetState {
    /// Whether a version has something to do before its first call.
    func mustBeInstalled(_ binding: FunctionBinding) -> Bool {
        binding.limits.workersMin > 0 || binding.limits.workersProvisioned > 0
            || pool.hasVersion(of: binding.key.function)
    }

    /// A worker of the reserve, once: when it is ready and before it is used.
    mutating func takeUnmeasured(_ worker: WorkerID) -> Int32? {
        guard !unmeasured.isEmpty, let record = workers[worker], let pid = record.pid, record.readyAt != nil,
            unmeasured.remove(worker) != nil, calls(of: worker).isEmpty
        else { return nil }
        return pid
    }

    func hugePageBytes() -> [String: UInt64] {
        templates.values.reduce(into: [:]) { bytes, record in
            guard let own = record.hugePageBytes else { return }
            bytes[record.binding.key.function, default: 0] += own
        }
    }
}

// MARK: Loaded on demand

extension Fleet {
    /// Makes a version resident, and returns when it is; it stays so while the budget has room.
    ///
    /// - Returns: a sentence where it did not become resident.
    package func load(_ binding: FunctionBinding) async -> String? {
        install(binding)
        return await withCheckedContinuation { continuation in
            handle(.loadRequested(binding.key)) { state in
                state.loadWaiters[binding.key, default: []].append(continuation)
            }
            tellLoaded(binding.key)
        }
    }

    /// Lets a version rest on the disk; calls that it has are finished first.
    package func unload(_ key: PoolKey) {
        handle(.unloadRequested(key))
    }

    /// Answers those who wait for the version, unless its template is still being built.
    func tellLoaded(_ key: PoolKey) {
        let (waiters, sentence) = state.withLock { state in
            switch state.pool.residency(of: key) {
            case .booting: return ([CheckedContinuation<String?, Never>](), String?.none)
            case .resident: return (state.loadWaiters.removeValue(forKey: key) ?? [], nil)
            case .below:
                let reason = state.lastLoadFailure.flatMap { $0.key == key ? $0.reason : nil }
                state.lastLoadFailure = nil
                return (
                    state.loadWaiters.removeValue(forKey: key) ?? [],
                    reason.map { "\(key.function) did not load: \($0)" }
                        ?? "the resting memory has no room for \(key.function); give serve a larger --resting-memory"
                )
            }
        }
        for waiter in waiters { waiter.resume(returning: sentence) }
    }
}
