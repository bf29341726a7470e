import Linux
import NIOCore
import NIOEmbedded
import Scheduling
import Testing

@testable import Fleet

/// What is read of a worker when it answers, and how often.
struct MeterTests {
    private static let key = PoolKey(function: "echo", version: 1)
    private static let interval = FleetLimits.memoryReadNanoseconds

    /// Tables with one worker, forked at 0, of which nothing was read yet.
    private struct Tables {
        var state: FleetState
        let loop = EmbeddedEventLoop()
        private(set) var worker = WorkerID(0)
        private var calls: UInt64 = 0

        init(workersMax: Int = 1, reserve: Int = 0) throws {
            state = FleetState(
                node: NodeLimits(workersMax: workersMax, restingBytesMax: 1 << 30, reservePerTemplate: reserve)
            )
            let limits = PoolLimits(
                workersMin: 0,
                workersMax: workersMax,
                concurrency: 1,
                idleNanoseconds: .max / 4,
                timeoutNanoseconds: .max / 4
            )
            let binding = FunctionBinding(
                key: key,
                limits: limits,
                snapshotPath: "",
                snapshotDigest: "",
                snapshotBytes: 1,
                serves: true,
                memoryBytesMax: 1 << 20,
                payloadBytesMax: 1 << 20,
                environment: [],
                isVerified: { _ in true },
                noteVerified: { _ in }
            )
            state.bindings[key] = binding
            _ = state.handle(.installed(key, limits, binding.source), at: Instant(nanoseconds: 0))
            let booted = begin(at: 0).1.compactMap { if case .boot(let id, _) = $0 { id } else { nil } }
            let template = try #require(booted.first)
            state.noteResident(template)
            let forked = state.handle(.templateResident(template, bytes: 1), at: Instant(nanoseconds: 0))
                .compactMap { if case .fork(let id, _, _, _) = $0 { id } else { nil } }
            worker = try #require(forked.first)
        }

        mutating func begin(at now: UInt64) -> (CallID, [FleetAction]) {
            let order = WorkOrder(key: key, contentType: "a/b", body: ByteBuffer(), loop: loop)
            let actions = state.call(order, { _ in }, at: now)
            calls += 1
            return (CallID(calls), actions)
        }

        mutating func answer(_ call: UInt64, at now: UInt64) -> AnswerOutcome {
            let reply = WorkReply(contentType: "a/b", body: ByteBuffer())
            return state.answered(CallID(call), by: worker, .success(reply), at: now)
        }
    }

    private func memoryIsDue(_ outcome: AnswerOutcome) -> Bool {
        if case .memoryIsDue = outcome { true } else { false }
    }

    private func result(_ outcome: AnswerOutcome) -> WorkResult? {
        guard case .done(let actions) = outcome else { return nil }
        return actions.compactMap { if case .answer(_, let result) = $0 { result } else { nil } }.first
    }

    @Test func `memory is read for the first reply, and again once the reading is old`() throws {
        var tables = try Tables()
        _ = tables.state.noteForked(tables.worker, pid: CurrentProcess.pid)
        #expect(memoryIsDue(tables.answer(1, at: 100)))
        tables.state.noteMemory(4096, of: tables.worker, at: 100)
        #expect(result(tables.answer(1, at: 100))?.memoryBytesPeak == 4096)
        _ = tables.begin(at: 200)
        #expect(result(tables.answer(2, at: 99 + Self.interval))?.memoryBytesPeak == 4096)
        _ = tables.begin(at: 100 + Self.interval)
        #expect(memoryIsDue(tables.answer(3, at: 100 + Self.interval)))
        tables.state.noteMemory(8192, of: tables.worker, at: 100 + Self.interval)
        #expect(result(tables.answer(3, at: 100 + Self.interval))?.memoryBytesPeak == 8192)
    }

    @Test func `the processor's clock is read for every reply`() throws {
        var tables = try Tables()
        _ = tables.state.noteForked(tables.worker, pid: CurrentProcess.pid)
        tables.state.noteMemory(1, of: tables.worker, at: 0)
        // This process stands in for the worker: all that it has used so far was before the second call.
        let before = try #require(Clock.processCPUNanoseconds(pid: CurrentProcess.pid))
        let first = try #require(result(tables.answer(1, at: 1)))
        #expect(first.cpuNanoseconds >= before)
        _ = tables.begin(at: 2)
        let second = try #require(result(tables.answer(2, at: 3)))
        #expect(second.cpuNanoseconds > 0)
        #expect(second.cpuNanoseconds < first.cpuNanoseconds)
    }

    @Test func `what a parked worker used before its first call is nobody's`() throws {
        var tables = try Tables(workersMax: 2, reserve: 1)
        _ = tables.state.noteForked(tables.worker, pid: CurrentProcess.pid)
        tables.state.noteMemory(1, of: tables.worker, at: 0)
        let first = try #require(result(tables.answer(1, at: 1)))
        let due = Instant(nanoseconds: 1 + NodeLimits.reserveDelayNanoseconds)
        let ahead = tables.state.handle(.tick, at: due)
            .compactMap { if case .fork(let id, _, _, isAhead: true) = $0 { id } else { nil } }
        let parked = try #require(ahead.first)
        _ = tables.state.noteForked(parked, pid: CurrentProcess.pid)
        tables.state.noteReady(parked, at: due.nanoseconds)
        tables.state.noteMemory(1, of: parked, at: due.nanoseconds)
        // One call for the worker that waits, one for the parked.
        _ = tables.begin(at: due.nanoseconds)
        _ = tables.begin(at: due.nanoseconds)
        #expect(tables.state.calls[CallID(3)]?.worker == parked)
        let reply = WorkReply(contentType: "a/b", body: ByteBuffer())
        let answer = tables.state.answered(CallID(3), by: parked, .success(reply), at: due.nanoseconds)
        let used = try #require(result(answer)).cpuNanoseconds
        #expect(used > 0 && used < first.cpuNanoseconds)
    }

    @Test func `a reply that comes before the pid waits for it, once`() throws {
        var tables = try Tables()
        guard case .kept = tables.answer(1, at: 1) else { Issue.record("it was not kept"); return }
        guard case .callIsNotIts = tables.answer(1, at: 2) else { Issue.record("a second reply was taken"); return }
        let deferred = tables.state.noteForked(tables.worker, pid: CurrentProcess.pid)
        #expect(deferred.map(\.call) == [CallID(1)])
    }

    @Test func `a reply to no call of the worker's is told apart from one of a worker that is gone`() throws {
        var tables = try Tables()
        guard case .callIsNotIts = tables.answer(9, at: 1) else {
            Issue.record("a call of nobody was answered"); return
        }
        tables.state.noteGone(tables.worker, because: "test", nil, at: 2)
        guard case .workerIsGone = tables.answer(1, at: 3) else { Issue.record("a dead worker answered"); return }
    }
}
