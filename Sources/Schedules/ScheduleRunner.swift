package import Logging
import Synchronization

/// Makes the runs of schedules when they are due: each becomes an accepted event, once.
///
/// At rest it holds when each schedule runs next and one alarm for the first of them, and none where there is none.
package final class ScheduleRunner: Sendable {
    /// What the runner does to the world.
    package struct Acts: Sendable {
        /// Has ``ScheduleRunner/wake()`` called when the wall clock shows a time, however it gets there; nil for never.
        package var alarm: @Sendable (_ unixMilliseconds: Int64?) -> Void
        /// Hands in the event of a run, to be accepted once for a schedule's id and planned time.
        package var fire: @Sendable (_ run: ScheduledRun) async throws -> Void
        /// How far each schedule has run, by its id.
        package var positions: @Sendable () async throws -> [Int64: Int64]
        /// Schedules that are no more.
        package var forget: @Sendable (_ ids: [Int64]) async throws -> Void
        package var unixMilliseconds: @Sendable () -> Int64

        package init(
            alarm: @escaping @Sendable (Int64?) -> Void,
            fire: @escaping @Sendable (ScheduledRun) async throws -> Void,
            positions: @escaping @Sendable () async throws -> [Int64: Int64],
            forget: @escaping @Sendable ([Int64]) async throws -> Void,
            unixMilliseconds: @escaping @Sendable () -> Int64
        ) {
            self.alarm = alarm
            self.fire = fire
            self.positions = positions
            self.forget = forget
            self.unixMilliseconds = unixMilliseconds
        }
    }

    let store: ScheduleStore
    private let acts: Acts
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var table = ScheduleTable()
        var isPumping = false
        var mustPumpAgain = false
        var isStopped = false
        /// Nothing is due before this: the disk refused.
        var notBefore: Int64 = 0
    }

    /// Runs that are handed in together.
    private static let batchMax = 64
    private static let refusedMilliseconds: Int64 = 1000

    /// - Parameter path: of the file that the schedules lie in.
    package init(path: String, acts: Acts, logger: Logger) throws {
        store = try ScheduleStore(path: path)
        self.acts = acts
        self.logger = logger
    }

    /// Schedules with a run ahead.
    package var count: Int { state.withLock { $0.table.count } }

    /// Seconds since 1970 of a schedule's next run.
    func nextPlanned(of id: Int64) -> Int64? { state.withLock { $0.table.nextPlanned(of: id) } }

    /// Takes up the schedules that there are, and what was missed of them.
    package func resume() async throws {
        let positions = try await acts.positions()
        let left = Mutex(Set(positions.keys))
        try await store.forEachEnabled { [self] stored in
            _ = left.withLock { $0.remove(stored.id) }
            set(stored, position: positions[stored.id])
        }
        // Paused schedules have positions too: they are another one when they go on.
        let unknown = left.withLock { Array($0) }
        try await acts.forget(unknown)
        pump()
    }

    /// Makes no more runs; the rest are found again at the next start.
    package func stop() {
        state.withLock { $0.isStopped = true }
        acts.alarm(nil)
    }

    /// To be called when the alarm goes off.
    package func wake() { pump() }

    // MARK: Changes

    /// Takes over what the store now has.
    func became(_ after: ScheduleStore.Stored?, was before: ScheduleStore.Stored?) async {
        if let before, before.id != after?.id { await drop([before.id]) }
        if let after {
            // What runs at the same times as before goes on from where it is.
            let now = acts.unixMilliseconds().flooredQuotient(by: 1000)
            set(after, position: before?.id == after.id ? nextPlanned(of: after.id).map { $0 - 1 } ?? now : nil)
        }
        pump()
    }

    func forget(_ ids: [Int64]) async {
        await drop(ids)
        pump()
    }

    private func drop(_ ids: [Int64]) async {
        state.withLock { state in
            for id in ids { state.table.remove(id) }
        }
        do {
            try await acts.forget(ids)
        } catch {
            // They are forgotten at the next start.
            logger.warning("schedules could not be forgotten", metadata: ["error": "\(error)"])
        }
    }

    private func set(_ stored: ScheduleStore.Stored, position: Int64?) {
        guard stored.schedule.isEnabled else {
            state.withLock { $0.table.remove(stored.id) }
            return
        }
        do throws(ScheduleExpressionError) {
            let timing = try stored.schedule.timing()
            state.withLock { $0.table.set(stored.id, timing, position: position) }
        } catch {
            logger.error(
                "a schedule cannot be read any more and does not run",
                metadata: ["schedule": "\(stored.schedule.group)/\(stored.schedule.name)", "error": "\(error)"]
            )
        }
    }

    // MARK: The pump

    private func pump() {
        let mayBegin = state.withLock { state in
            if state.isPumping { state.mustPumpAgain = true }
            guard !state.isPumping, !state.isStopped else { return false }
            state.isPumping = true
            return true
        }
        guard mayBegin else { return }
        Task { await pumpUntilNothingIsDue() }
    }

    private func pumpUntilNothingIsDue() async {
        while true {
            let now = acts.unixMilliseconds()
            let runs = state.withLock { state in
                state.mustPumpAgain = false
                guard !state.isStopped, now >= state.notBefore else { return [ScheduleTable.Run]() }
                return state.table.takeDue(nowUnixMilliseconds: now, countMax: Self.batchMax)
            }
            if !runs.isEmpty { await make(runs, nowUnixMilliseconds: now) }
            // The alarm is set before the pump ends, so that who changes something meanwhile pumps again.
            let isOver = state.withLock { state in
                guard runs.isEmpty, !state.mustPumpAgain || state.isStopped else { return false }
                state.isPumping = false
                if !state.isStopped {
                    acts.alarm(state.table.nextDueUnixMilliseconds.map { max($0, state.notBefore) })
                }
                return true
            }
            if isOver { return }
        }
    }

    private func make(_ runs: [ScheduleTable.Run], nowUnixMilliseconds now: Int64) async {
        do {
            let schedules = try await store.find(runs.map(\.id))
            try await withThrowingTaskGroup { group in
                // Those of one schedule one after the other: the queue takes none that is earlier than the last.
                for (id, runs) in Dictionary(grouping: runs, by: \.id) {
                    guard let schedule = schedules[id] else { continue }
                    group.addTask { [acts] in
                        for run in runs.sorted(by: { $0.planned < $1.planned }) {
                            try await acts.fire(ScheduledRun(id: id, schedule: schedule, planned: run.planned))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let over = runs.filter { $0.isLast && schedules[$0.id]?.isDeletedAfterCompletion == true }.map(\.id)
            for id in over { try await store.delete(id) }
            if !over.isEmpty { try await acts.forget(over) }
        } catch {
            logger.error("runs of schedules could not be accepted; they come again", metadata: ["error": "\(error)"])
            // All of them are due again: those that were accepted are known to the queue.
            state.withLock { state in
                state.notBefore = now + Self.refusedMilliseconds
                for run in runs.reversed() { state.table.set(run.id, run.timing, position: run.planned - 1) }
            }
        }
    }
}
