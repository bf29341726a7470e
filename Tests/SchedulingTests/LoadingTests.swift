import Testing

@testable import Scheduling

/// Versions that somebody asks to be resident, or to rest.
@Suite struct LoadingTests {
    private let key = PoolKey(function: "embed", version: 1)

    private func limits() -> PoolLimits {
        PoolLimits(
            workersMin: 0,
            workersMax: 2,
            concurrency: 1,
            idleNanoseconds: 1_000_000,
            timeoutNanoseconds: 1_000_000_000
        )
    }

    /// A policy that lets everything go at once.
    private func match(restingBytesMax: UInt64) -> Match {
        Match(restingBytesMax: restingBytesMax) { _, _, now in KeepAlivePlan(residentUntil: now, packedUntil: now) }
    }

    @Test func `a loaded version becomes resident without a call, and stays until it is unloaded`() throws {
        var match = match(restingBytesMax: 1 << 30)
        match.play(.installed(key, limits()))
        let template = try #require(match.play(.loadRequested(key)).bootedTemplate)
        #expect(match.pool.residency(of: key) == .booting)
        match.play(.templateResident(template, bytes: 90))
        #expect(match.pool.residency(of: key) == .resident)
        match.advance(milliseconds: 3_600_000)
        #expect(match.play(.tick).deeds.isEmpty)
        // A call in between changes nothing of that.
        let call = match.call(key)
        let worker = try #require(call.effects.assignedWorker)
        #expect(call.effects.assignedStart == .warm)
        match.play(.finished(call.call, worker))
        match.advance(milliseconds: 10)
        match.play(.tick)
        match.play(.workerGone(worker))
        #expect(match.pool.residency(of: key) == .resident)
        #expect(match.play(.unloadRequested(key)).deeds == [.endTemplate(template)])
        match.play(.templateGone(template))
        #expect(match.pool.residency(of: key) == .below && match.pool.restingBytes == 0)
    }

    @Test func `without room for it nothing is loaded, and a call still comes through`() throws {
        var match = match(restingBytesMax: 0)
        match.play(.installed(key, limits()))
        #expect(match.play(.loadRequested(key)).deeds.isEmpty)
        #expect(match.pool.residency(of: key) == .below)
        #expect(match.call(key).effects.bootedTemplate != nil)
    }

    @Test func `unloading ends what nobody waits for, and leaves a running call its worker`() throws {
        var match = match(restingBytesMax: 1 << 30)
        let worker = try match.warmUp(key, limits())
        let call = match.call(key).call
        #expect(match.play(.unloadRequested(key)).deeds.isEmpty)
        match.play(.finished(call, worker))
        #expect(match.play(.unloadRequested(key)).deeds == [.endWorker(worker)])
        let gone = match.play(.workerGone(worker)).deeds
        if case .endTemplate = gone.last {} else { Issue.record("\(gone)") }
    }

    @Test func `a loaded version that fails to boot is not tried again, and rests on the disk`()
        throws
    {
        var match = match(restingBytesMax: 1 << 30)
        match.play(.installed(key, limits()))
        let template = try #require(match.play(.loadRequested(key)).bootedTemplate)
        #expect(match.play(.templateGone(template)).deeds.isEmpty)
        #expect(match.pool.residency(of: key) == .below && match.pool.restingBytes == 0)
    }
}
