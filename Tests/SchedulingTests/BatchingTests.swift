import Testing

@testable import Scheduling

/// When calls are run as one, and when they are not.
@Suite struct BatchingTests {
    private let key = PoolKey(function: "embed", version: 1)

    private func limits(workersMax: Int = 1, callsMax: Int = 4, bytesMax: Int = .max) -> PoolLimits {
        PoolLimits(
            workersMin: 0,
            workersMax: workersMax,
            concurrency: 1,
            idleNanoseconds: 10_000_000_000,
            timeoutNanoseconds: 1_000_000_000,
            batch: BatchLimits(callsMax: callsMax, bytesMax: bytesMax, delayNanoseconds: 2_000_000)
        )
    }

    @Test func `a lone call goes at once`() throws {
        var match = Match()
        let worker = try match.warmUp(key, limits())
        let lone = match.call(key)
        #expect(lone.effects.deeds == [.assign(lone.call, worker, .hot)])
    }

    @Test func `calls that come meanwhile are one batch, as many as may be`() throws {
        var match = Match()
        let worker = try match.warmUp(key, limits())
        let first = match.call(key).call
        let waiting = (0..<6).map { _ in match.call(key).call }
        let next = match.play(.finished(first, worker))
        #expect(next.deeds == [.assignBatch(waiting.prefix(4).map { BatchMember($0, .hot) }, worker)])
        // The worker comes free with the last of them.
        for call in waiting.prefix(3) { #expect(match.play(.finished(call, worker)).deeds.isEmpty) }
        let rest = match.play(.finished(waiting[3], worker))
        #expect(rest.deeds == [.assignBatch(waiting.suffix(2).map { BatchMember($0, .hot) }, worker)])
    }

    @Test func `a batch has no more bytes than it may, and one call is always taken`() throws {
        var match = Match()
        let worker = try match.warmUp(key, limits(bytesMax: 100))
        let first = match.call(key).call
        var calls: [CallID] = []
        for bytes in [60, 40, 1, 500, 10] {
            calls.append(match.nextCall())
            match.play(.called(calls[calls.count - 1], key, bytes: bytes))
        }
        let batch = match.play(.finished(first, worker)).deeds
        #expect(batch == [.assignBatch([BatchMember(calls[0], .hot), BatchMember(calls[1], .hot)], worker)])
        match.play(.finished(calls[0], worker))
        #expect(match.play(.finished(calls[1], worker)).deeds == [.assign(calls[2], worker, .hot)])
        #expect(match.play(.finished(calls[2], worker)).deeds == [.assign(calls[3], worker, .hot)])
    }

    @Test func `behind a busy worker calls gather for the delay, then another worker is ordered`() throws {
        var match = Match()
        _ = try match.warmUp(key, limits(workersMax: 2))
        _ = match.call(key)
        let second = match.call(key)
        #expect(second.effects.deeds.isEmpty)
        #expect(second.effects.contains(.wake(at: match.now.advanced(byNanoseconds: 2_000_000))))
        match.advance(milliseconds: 1)
        let third = match.call(key)
        #expect(third.effects.deeds.isEmpty)
        match.advance(milliseconds: 1)
        let effects = match.play(.tick).deeds
        guard case .forkWorker(let worker, _) = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(
            effects.last == .assignBatch([BatchMember(second.call, .warm), BatchMember(third.call, .warm)], worker)
        )
    }

    @Test func `a full batch does not wait for the delay`() throws {
        var match = Match()
        _ = try match.warmUp(key, limits(workersMax: 2, callsMax: 2))
        _ = match.call(key)
        _ = match.call(key)
        let full = match.call(key).effects.deeds
        #expect(full.count == 2, "\(full)")
        if case .forkWorker = full.first {} else { Issue.record("\(full)") }
        if case .assignBatch(let members, _) = full.last {
            #expect(members.count == 2)
        } else {
            Issue.record("\(full)")
        }
    }

    @Test func `calls of a cold start come to the worker as one batch`() throws {
        var match = Match()
        match.play(.installed(key, limits()))
        let calls = (0..<3).map { _ in match.call(key) }
        let template = try #require(calls[0].effects.bootedTemplate)
        let effects = match.play(.templateResident(template, bytes: 1)).deeds
        guard case .assignBatch(let members, _) = effects.last else {
            Issue.record("\(effects)")
            return
        }
        #expect(members == calls.map { BatchMember($0.call, .cold) })
    }

    @Test func `a caller that goes while it waits leaves the others their batch`() throws {
        var match = Match()
        let worker = try match.warmUp(key, limits())
        let first = match.call(key).call
        let waiting = (0..<3).map { _ in match.call(key).call }
        match.play(.cancelled(waiting[1]))
        let effects = match.play(.finished(first, worker)).deeds
        #expect(effects == [.assignBatch([BatchMember(waiting[0], .hot), BatchMember(waiting[2], .hot)], worker)])
    }

    @Test func `a worker that dies fails its batch, and those that waited go on`() throws {
        var match = Match()
        let worker = try match.warmUp(key, limits(callsMax: 2))
        let first = match.call(key).call
        let waiting = (0..<4).map { _ in match.call(key).call }
        match.play(.finished(first, worker))
        let effects = match.play(.workerGone(worker)).deeds
        #expect(effects.prefix(2) == [.fail(waiting[0]), .fail(waiting[1])])
        if case .assignBatch(let members, _) = effects.last {
            #expect(members.map(\.call) == [waiting[2], waiting[3]])
        } else {
            Issue.record("\(effects)")
        }
    }
}
