import ControlPlane
package import Logging
import Synchronization

/// Brings the records of one source to one function: takes, filters, gathers, calls, settles, for as long as it is not stopped.
///
/// Of a queue several batches run at once and each record is settled by itself; of a stream one batch runs, in order. A source that fails is
/// closed and opened again, after a wait that doubles up to a minute.
package final class MappingRunner: Sendable {
    /// Everything outside of it, so that tests have their own.
    package struct Surroundings: Sendable {
        package var open: @Sendable () async throws(SourceError) -> any EventSource
        /// Runs the function with an event; the number counts the attempts of this batch.
        package var call: @Sendable (_ event: [UInt8], _ attempt: Int) async -> EventOutcome
        /// Tells the mapping's destination of records that were given up; false where it could not be told, and they stay.
        package var giveUp: @Sendable (GivenUp) async -> Bool
        package var pause: @Sendable (_ milliseconds: Int64) async -> Void
        package var unixMilliseconds: @Sendable () -> Int64
        package var logger: Logger

        package init(
            open: @escaping @Sendable () async throws(SourceError) -> any EventSource,
            call: @escaping @Sendable (_ event: [UInt8], _ attempt: Int) async -> EventOutcome,
            giveUp: @escaping @Sendable (GivenUp) async -> Bool,
            pause: @escaping @Sendable (_ milliseconds: Int64) async -> Void,
            unixMilliseconds: @escaping @Sendable () -> Int64,
            logger: Logger
        ) {
            self.open = open
            self.call = call
            self.giveUp = giveUp
            self.pause = pause
            self.unixMilliseconds = unixMilliseconds
            self.logger = logger
        }
    }

    /// Records that a stream does not try again.
    package struct GivenUp: Sendable {
        package var records: [SourceRecord]
        package var condition: String
        package var attempts: Int
        package var outcome: EventOutcome
    }

    /// What a person is shown of it.
    package struct Status: Equatable, Sendable {
        /// In the words of `LastProcessingResult`.
        package var lastResult = "No records processed"
        package var batchCount = 0
        package var recordCount = 0
        package var filteredCount = 0
        package var failedCount = 0
    }

    private let settings: @Sendable (SourceKind) throws(FilterPatternError) -> MappingSettings
    private let around: Surroundings
    private let state = Mutex(State())

    private struct State {
        var status = Status()
        var runningCount = 0
        /// What is open now.
        var source: (any EventSource)?
        /// Waits for one of the running batches to end.
        var waiter: CheckedContinuation<Void, Never>?
    }

    static let pauseMillisecondsMin: Int64 = 500
    static let pauseMillisecondsMax: Int64 = 60_000

    package init(
        settings: @escaping @Sendable (SourceKind) throws(FilterPatternError) -> MappingSettings,
        in around: Surroundings
    ) {
        self.settings = settings
        self.around = around
    }

    package var status: Status { state.withLock { $0.status } }

    /// How many records wait in the source; nil where it is not open or cannot say.
    package func lag() async -> Int? { await state.withLock { $0.source }?.lag() }

    /// Until the task that calls it is cancelled, or the source says that trying again is in vain.
    package func run() async {
        var failures = 0
        while !Task.isCancelled {
            let isDone: Bool
            do throws(SourceError) {
                let source = try await around.open()
                state.withLock { $0.source = source }
                defer { state.withLock { $0.source = nil } }
                do throws(SourceError) {
                    try await drain(source) { failures = 0 }
                } catch {
                    await allBatchesEnd()
                    await source.close()
                    throw error
                }
                await allBatchesEnd()
                await source.close()
                isDone = true
            } catch {
                // Whoever ends it takes the source away from under it.
                if Task.isCancelled { return }
                note("PROBLEM: \(error)")
                around.logger.warning("a source gives nothing", metadata: ["error": "\(error)"])
                isDone = error.isFinal
            }
            if isDone || Task.isCancelled { return }
            failures += 1
            await around.pause(
                min(Self.pauseMillisecondsMin << Int64(min(failures - 1, 16)), Self.pauseMillisecondsMax)
            )
        }
    }

    private func drain(_ source: any EventSource, progress: () -> Void) async throws(SourceError) {
        let settings: MappingSettings
        do throws(FilterPatternError) {
            settings = try self.settings(source.kind)
        } catch {
            throw SourceError(error.description, isFinal: true)
        }
        var collector = BatchCollector(
            countMax: settings.batchCountMax,
            windowMilliseconds: settings.windowMilliseconds
        )
        // Of a stream: what the filter dropped behind all that it let through.
        var dropped: [SourceRecord] = []
        while !Task.isCancelled {
            let wait = collector.dueUnixMilliseconds.map { max($0 - around.unixMilliseconds(), 0) }
            if collector.room > 0, wait != 0 {
                let taken = try await source.take(collector.room, waitMilliseconds: wait)
                progress()
                let passed = try await filtered(taken, settings, source, nothingWaits: collector.isEmpty)
                if source.kind.isStream, !(passed.isEmpty && collector.isEmpty) {
                    let behind = taken.lastIndex { settings.filter.lets($0.document) }
                    dropped = behind.map { Array(taken[($0 + 1)...]) } ?? dropped + taken
                }
                for record in passed {
                    if let full = collector.add(record, nowUnixMilliseconds: around.unixMilliseconds()) {
                        try await deliver(full, settings, source)
                    }
                }
            }
            if let batch = collector.takeIfReady(nowUnixMilliseconds: around.unixMilliseconds()) {
                try await deliver(batch, settings, source)
                // A broker may send no more until these are done too.
                if collector.isEmpty, !dropped.isEmpty, !Task.isCancelled {
                    try await source.settle(dropped)
                    dropped = []
                }
            }
        }
        // What was gathered and not called comes again.
        if !collector.isEmpty, !source.kind.isStream {
            try await source.putBack(collector.take(), afterMilliseconds: 0)
        }
    }

    /// Settles at once what the filter does not let through, where that does not overtake what is gathered.
    private func filtered(
        _ taken: [SourceRecord],
        _ settings: MappingSettings,
        _ source: any EventSource,
        nothingWaits: Bool
    ) async throws(SourceError) -> [SourceRecord] {
        let passed = taken.filter { settings.filter.lets($0.document) }
        let dropped = taken.count - passed.count
        guard dropped > 0 else { return passed }
        state.withLock { $0.status.filteredCount += dropped }
        // The cursor of a stream passes dropped records with the next that is done.
        if !source.kind.isStream {
            try await source.settle(taken.filter { !settings.filter.lets($0.document) })
        } else if passed.isEmpty, nothingWaits {
            try await source.settle(taken)
        }
        return passed
    }

    // MARK: Batches

    private func deliver(
        _ batch: [SourceRecord],
        _ settings: MappingSettings,
        _ source: any EventSource
    ) async throws(SourceError) {
        guard !source.kind.isStream else { return try await runStream(batch, settings, source) }
        await roomForABatch(settings.concurrencyMax)
        state.withLock { $0.runningCount += 1 }
        Task {
            await self.runQueue(batch, settings, source)
            let waiter = state.withLock { state in
                state.runningCount -= 1
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }

    private func runQueue(_ batch: [SourceRecord], _ settings: MappingSettings, _ source: any EventSource) async {
        let outcome = await around.call(source.kind.event(batch).bytes, 1)
        let (done, failed): ([SourceRecord], [SourceRecord])
        switch BatchReply(outcome, of: batch, reportsFailures: settings.reportsFailures) {
        case .all: (done, failed) = (batch, [])
        case .none: (done, failed) = ([], batch)
        case .allBut(let ids):
            (done, failed) = (batch.filter { !ids.contains($0.id) }, batch.filter { ids.contains($0.id) })
        }
        count(batch, failed: failed.count)
        let (over, again) = failed.partition(by: settings.stream.retriesMax)
        do throws(SourceError) {
            if !done.isEmpty { try await source.settle(done) }
            if let late = again.map(\.deliveryCount).max() {
                // A refusal is no attempt, but the source has counted it: its own limit may be reached by them.
                let wait = Self.pauseMillisecondsMin << Int64(min(late, 7))
                try await source.putBack(again, afterMilliseconds: min(wait, Self.pauseMillisecondsMax))
            }
            if !over.isEmpty {
                let given = GivenUp(
                    records: over,
                    condition: StreamBatch.Condition.retriesExhausted.rawValue,
                    attempts: over.map(\.deliveryCount).max() ?? 1,
                    outcome: outcome
                )
                if await around.giveUp(given) {
                    try await source.settle(over)
                } else {
                    try await source.putBack(over, afterMilliseconds: Self.pauseMillisecondsMax)
                }
            }
        } catch {
            // They come again by themselves.
            note("PROBLEM: \(error)")
            around.logger.warning("a batch could not be settled", metadata: ["error": "\(error)"])
        }
    }

    private func runStream(
        _ records: [SourceRecord],
        _ settings: MappingSettings,
        _ source: any EventSource
    ) async throws(SourceError) {
        var batch = StreamBatch(
            acceptedUnixMilliseconds: records.map(\.acceptedUnixMilliseconds),
            policy: settings.stream
        )
        var (settled, attempt, refusals) = (0, 0, 0)
        var last = EventOutcome.throttled
        while !Task.isCancelled {
            switch batch.next(nowUnixMilliseconds: around.unixMilliseconds()) {
            case .finished:
                return
            case .giveUp(let range, let condition, let attempts):
                let given = GivenUp(
                    records: Array(records[range]),
                    condition: condition.rawValue,
                    attempts: attempts,
                    outcome: last
                )
                // Nothing is given up silently: a destination that cannot be told holds the stream.
                while await !around.giveUp(given) {
                    if Task.isCancelled { return }
                    await around.pause(Self.pauseMillisecondsMin)
                }
            case .call(let range, let delay):
                if delay > 0 { await around.pause(delay) }
                if Task.isCancelled { return }
                let part = Array(records[range])
                attempt += 1
                last = await around.call(source.kind.event(part).bytes, attempt)
                guard last != .throttled else {
                    refusals += 1
                    await around.pause(
                        min(Self.pauseMillisecondsMin << Int64(min(refusals, 16)), Self.pauseMillisecondsMax)
                    )
                    continue
                }
                refusals = 0
                switch BatchReply(last, of: part, reportsFailures: settings.reportsFailures) {
                case .all:
                    batch.succeeded()
                    count(part, failed: 0)
                case .none:
                    batch.failed(from: nil)
                    count(part, failed: part.count)
                case .allBut(let ids):
                    let first = part.firstIndex { ids.contains($0.id) } ?? 0
                    batch.failed(from: range.lowerBound + first)
                    count(part, failed: part.count - first)
                }
            }
            if batch.settledCount > settled {
                try await source.settle(Array(records[settled..<batch.settledCount]))
                settled = batch.settledCount
            }
        }
    }

    private func roomForABatch(_ countMax: Int) async {
        await waitWhile { $0.runningCount >= countMax }
    }

    private func allBatchesEnd() async {
        await waitWhile { $0.runningCount > 0 }
    }

    private func waitWhile(_ isTooMany: @escaping @Sendable (borrowing State) -> Bool) async {
        while state.withLock({ isTooMany($0) }) {
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    guard isTooMany(state) else { return true }
                    state.waiter = continuation
                    return false
                }
                if isLate { continuation.resume() }
            }
        }
    }

    private func note(_ result: String) { state.withLock { $0.status.lastResult = result } }

    private func count(_ batch: [SourceRecord], failed: Int) {
        state.withLock { state in
            state.status.batchCount += 1
            state.status.recordCount += batch.count - failed
            state.status.failedCount += failed
            state.status.lastResult =
                failed == 0 ? "OK" : failed == batch.count ? "PROBLEM: Function call failed" : "OK"
        }
    }
}

extension [SourceRecord] {
    /// Those that were given out as often as they may be, and those that were not; -1 is no limit.
    fileprivate func partition(by retriesMax: Int) -> (over: [SourceRecord], again: [SourceRecord]) {
        guard retriesMax >= 0 else { return ([], self) }
        return (filter { $0.deliveryCount > retriesMax }, filter { $0.deliveryCount <= retriesMax })
    }
}
