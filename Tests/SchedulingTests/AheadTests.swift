import Scheduling
import Testing

/// What is made ready ahead of calls: the reserve, and templates that a call is expected for.
@Suite struct AheadTests {
    /// Lets go at once, and makes it resident again from the 60th to the 90th second after the last call.
    private static let minutely: WorkerPool.Planner = { history, _, now in
        guard let last = history.lastArrival else { return KeepAlivePlan(residentUntil: now, packedUntil: now) }
        let isAhead = now < last.later(seconds: 60)
        return KeepAlivePlan(
            residentUntil: now,
            packedUntil: now,
            prewarmAt: isAhead ? last.later(seconds: 60) : nil,
            prewarmedUntil: isAhead ? last.later(seconds: 90) : nil,
            value: 1
        )
    }

    @Test func `a moment after the answer a worker is put in reserve, and the first call after rest finds it`() throws {
        var match = Match(restingBytesMax: 8 << 20, reserve: 1)
        _ = try match.warmUp(.echo, .usual())
        #expect(match.pool.census().map(\.parked) == [0], "not while the answer is on its way")
        match.sleep()
        #expect(match.pool.census().map(\.tier) == [.resident])
        #expect(match.pool.census().map(\.workers) == [0])
        #expect(match.pool.census().map(\.parked) == [1])
        #expect(match.pool.restingBytes > 100, "the reserve counts")
        let effects = match.call(.echo).effects
        #expect(effects.assignedStart == .warm)
        #expect(!effects.contains { if case .forkWorker = $0 { true } else { false } })
        match.advance(milliseconds: 1)
        match.play(.finished(match.lastCall, try #require(effects.assignedWorker)))
        match.sleep()
        #expect(match.pool.census().map(\.parked) == [1], "and it is filled again")
    }

    @Test func `without a budget nothing is put in reserve`() throws {
        var match = Match(restingBytesMax: 0, reserve: 3)
        _ = try match.warmUp(.echo, .usual())
        match.sleep()
        #expect(!match.transcript.contains { if case .reserveWorker = $0 { true } else { false } })
        #expect(match.pool.census().map(\.tier) == [.disk])
    }

    @Test func `a reserve that has no room goes, and its template stays`() throws {
        var match = Match(restingBytesMax: 200, reserve: 1)
        _ = try match.warmUp(.echo, .usual())
        match.sleep()
        #expect(match.pool.census().map(\.tier) == [.resident])
        #expect(match.pool.census().map(\.parked) == [0])
    }

    @Test func `a function that may have one worker has its reserve when that one has ended`() throws {
        var match = Match(restingBytesMax: 8 << 20, reserve: 1)
        let worker = try match.warmUp(.echo, .usual(max: 1))
        match.sleep(seconds: 1)
        #expect(match.pool.census().map(\.parked) == [0])
        match.sleep()
        #expect(match.pool.census().map(\.parked) == [1])
        #expect(match.pool.census().map(\.workers) == [0])
        let reserve = try #require(match.call(.echo).effects.assignedWorker)
        #expect(reserve != worker)
    }

    @Test func `a reserve that dies by itself is not forked again before the next call`() throws {
        var match = Match(restingBytesMax: 8 << 20, reserve: 1)
        _ = try match.warmUp(.echo, .usual())
        match.sleep()
        let reserve = try #require(match.referee.workers.first { $0.value.isReserve && !$0.value.isGone }?.key)
        match.play(.workerGone(reserve))
        match.sleep()
        #expect(match.pool.census().map(\.parked) == [0])
        #expect(match.pool.census().map(\.tier) == [.resident])
    }

    @Test func `the reserve counts by its measure`() throws {
        var match = Match(restingBytesMax: 8 << 20, reserve: 1)
        _ = try match.warmUp(.echo, .usual())
        match.sleep()
        let parked = try #require(match.referee.workers.first { $0.value.isReserve }?.key)
        match.play(.workerMeasured(parked, bytes: 300))
        #expect(match.pool.restingBytes == 400)
        match.obey(match.play(.workerMeasured(parked, bytes: 9 << 20)))
        #expect(match.pool.restingBytes <= 8 << 20)
    }

    @Test func `on a full node the reserve waits for a place like everybody`() throws {
        var match = Match(workersMax: 1, restingBytesMax: 8 << 20, reserve: 1)
        _ = try match.warmUp(.embed, .usual())
        match.sleep(seconds: 30)
        #expect(match.pool.census().map(\.parked) == [1])
        let busy = try match.warmUp(.echo, .usual())
        let running = match.call(.echo).call
        let waiting = match.call(.embed)
        #expect(waiting.effects.assignedWorker == nil)
        #expect(match.play(.finished(running, busy)).deeds.contains(.endWorker(busy)))
        let turn = match.play(.workerGone(busy))
        #expect(turn.assignedStart == .warm)
        #expect(!turn.contains { if case .forkWorker = $0 { true } else { false } })
    }

    @Test func `a template is there when the expected call comes, and that is a hit`() throws {
        var match = Match(restingBytesMax: 1000, planner: Self.minutely)
        _ = try match.warmUp(.echo, .usual())
        match.sleep(seconds: 50)
        #expect(match.pool.census().map(\.tier) == [.disk])
        let booted = match.transcript.count
        match.sleep(seconds: 15)
        let template = try #require(Array(match.transcript[booted...]).bootedTemplate)
        #expect(match.pool.restingBytes > 0, "room is reserved before it is loaded")
        match.play(.templateResident(template, bytes: 100))
        #expect(match.pool.census().map(\.tier) == [.resident])
        #expect(match.call(.echo).effects.assignedStart == .warm)
        #expect(match.pool.forecasts() == ["echo": .init(prewarms: 1, hits: 1, waste: 0)])
    }

    @Test func `a template that nobody called in time goes again, and that is waste`() throws {
        var match = Match(restingBytesMax: 1000, planner: Self.minutely)
        _ = try match.warmUp(.echo, .usual())
        match.sleep(seconds: 65)
        let template = try #require(match.transcript.filter { $0.isBoot }.last.map { [$0] }?.bootedTemplate)
        match.play(.templateResident(template, bytes: 100))
        match.sleep(seconds: 60)
        #expect(match.pool.census().map(\.tier) == [.disk])
        #expect(match.pool.forecasts() == ["echo": .init(prewarms: 1, hits: 0, waste: 1)])
        #expect(match.referee.wakeAt == nil, "one guess, not one for ever")
    }

    @Test func `a template that does not come up ahead of a call is not tried again`() throws {
        var match = Match(restingBytesMax: 1000, planner: Self.minutely)
        _ = try match.warmUp(.echo, .usual())
        match.sleep(seconds: 65)
        let template = try #require(match.transcript.filter { $0.isBoot }.last.map { [$0] }?.bootedTemplate)
        #expect(match.play(.templateGone(template)).deeds.isEmpty)
        match.sleep(seconds: 120)
        #expect(match.transcript.count { $0.isBoot } == 2)
        #expect(match.pool.restingBytes == 0)
        #expect(match.call(.echo).effects.bootedTemplate != nil, "a call tries again")
    }

    @Test func `nothing is made ready beyond the budget`() throws {
        var match = Match(restingBytesMax: 90, planner: Self.minutely)
        _ = try match.warmUp(.echo, .usual())
        match.sleep(seconds: 120)
        #expect(match.transcript.count { $0.isBoot } == 1)
        #expect(match.pool.forecasts().isEmpty)
    }

    @Test func `the policy itself brings back what is called every hour`() throws {
        var match = Match(restingBytesMax: 1 << 30, planner: nil)
        _ = try match.warmUp(.echo, .usual())
        var starts: [StartKind?] = []
        for _ in 0..<200 {
            match.sleepBooting(seconds: 3600)
            starts.append(match.callToTheEnd(.echo))
        }
        #expect(starts.suffix(100).allSatisfy { $0 != .cold }, "kept, or back in time")
        match.sleepBooting(seconds: 400 * 24 * 3600)
        #expect(match.pool.restingBytes == 0, "given up when the calls have ended")
        #expect(match.referee.wakeAt == nil)
    }
}
