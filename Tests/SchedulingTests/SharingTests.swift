import Scheduling
import Testing

/// Functions that want more workers than the node has.
@Suite struct SharingTests {
    @Test func `a full node ends an idle worker of one function for a call of another`() throws {
        var match = Match(workersMax: 1, restingBytesMax: .max)
        let idle = try match.warmUp(.echo, .usual())
        match.play(.installed(.embed, .usual()))
        let (call, effects) = match.call(.embed)
        #expect(effects.deeds.contains(.endWorker(idle)))
        let template = try #require(effects.bootedTemplate, "it boots while room is made")
        match.play(.workerGone(idle))
        let resident = match.play(.templateResident(template, bytes: 100))
        #expect(resident.deeds.last == .assign(call, try #require(resident.assignedWorker), .cold))
    }

    @Test func `a busy function does not keep a full node from another`() throws {
        var match = Match(workersMax: 1, restingBytesMax: .max)
        let busy = try match.warmUp(.echo, .usual())
        match.play(.installed(.embed, .usual()))
        var running = match.call(.echo).call
        let earlier = match.call(.echo).call
        match.advance(milliseconds: 1)
        let other = match.call(.embed)
        match.advance(milliseconds: 1)
        let later = match.call(.echo).call
        match.play(.templateResident(try #require(other.effects.bootedTemplate), bytes: 100))

        #expect(match.play(.finished(running, busy)).deeds == [.assign(earlier, busy, .hot)], "who came first is first")
        running = earlier
        #expect(match.play(.finished(running, busy)).deeds == [.endWorker(busy)], "then it is the other's turn")
        let turn = match.play(.workerGone(busy))
        let worker = try #require(turn.assignedWorker)
        #expect(turn.deeds.last == .assign(other.call, worker, .cold))

        #expect(match.play(.finished(other.call, worker)).deeds == [.endWorker(worker)], "and then the first's again")
        let back = match.play(.workerGone(worker))
        #expect(back.deeds.last == .assign(later, try #require(back.assignedWorker), .warm))
    }

    @Test func `the minimum of one function does not take the place that was made for a call of another`() throws {
        var match = Match(workersMax: 1, restingBytesMax: .max)
        let idle = try match.warmUp(.echo, .usual(min: 1))
        match.play(.installed(.embed, .usual()))
        let (call, effects) = match.call(.embed)
        #expect(match.play(.workerGone(idle)).deeds.isEmpty)
        let resident = match.play(.templateResident(try #require(effects.bootedTemplate), bytes: 100))
        let worker = try #require(resident.assignedWorker)
        match.play(.finished(call, worker))
        match.sleep()
        #expect(match.pool.census().map(\.parked) == [1, 0], "it is parked again when there is room")
    }

    @Test func `two functions that fill the node both answer everything`() throws {
        var match = Match(workersMax: 1, restingBytesMax: .max)
        for key in [PoolKey.echo, .embed] { match.play(.installed(key, .usual())) }
        for _ in 0..<20 {
            for key in [PoolKey.echo, .embed] {
                _ = match.call(key)
                match.advance(milliseconds: 1)
            }
        }
        // Everything that is ordered happens at once; each call takes 5 ms.
        for _ in 0..<500 where !match.referee.openCalls.isEmpty {
            for (template, state) in match.referee.templates where state.state == .booting {
                match.play(.templateResident(template, bytes: 100))
            }
            for (worker, state) in match.referee.workers where !state.isGone {
                match.advance(milliseconds: 5)
                if state.isToldToEnd { match.play(.workerGone(worker)) }
                if let call = state.leases.first { match.play(.finished(call, worker)) }
            }
        }
        #expect(match.referee.openCalls.isEmpty)
        #expect(!match.transcript.contains { if case .refuse = $0 { true } else { false } })
    }
}
