import Scheduling
import Testing

@Suite struct WorkerPoolTests {
    @Test func `the first call is cold, the second is hot, one beside it is warm`() throws {
        var match = Match()
        match.play(.installed(.echo, .usual()))
        let (first, effects) = match.call(.echo)
        let template = try #require(effects.bootedTemplate)
        #expect(effects.assignedWorker == nil)
        match.advance(milliseconds: 50)
        let resident = match.play(.templateResident(template, bytes: 100))
        let worker = try #require(resident.assignedWorker)
        #expect(resident.deeds == [.forkWorker(worker, template), .assign(first, worker, .cold)])
        match.play(.finished(first, worker))
        let (second, hot) = match.call(.echo)
        #expect(hot.deeds == [.assign(second, worker, .hot)])
        let warm = match.call(.echo).effects
        #expect(warm.assignedStart == .warm && warm.assignedWorker != worker)
    }

    @Test func `calls that come while the template boots share one boot and are all cold`() throws {
        var match = Match()
        match.play(.installed(.echo, .usual()))
        let template = try #require(match.call(.echo).effects.bootedTemplate)
        #expect(match.call(.echo).effects.bootedTemplate == nil)
        let starts = match.play(.templateResident(template, bytes: 100)).compactMap { effect -> StartKind? in
            guard case .assign(_, _, let start) = effect else { return nil }
            return start
        }
        #expect(starts == [.cold, .cold])
    }

    @Test func `the worker that was used last is used next`() throws {
        var match = Match()
        let first = try match.warmUp(.echo, .usual())
        let hot = match.call(.echo)
        let warm = match.call(.echo)
        let second = try #require(warm.effects.assignedWorker)
        match.play(.finished(hot.call, first))
        match.advance(milliseconds: 1)
        match.play(.finished(warm.call, second))
        #expect(match.call(.echo).effects.assignedWorker == second)
    }

    @Test func `calls wait in the order in which they came`() throws {
        var match = Match()
        let worker = try match.warmUp(.echo, .usual(max: 1))
        var running = match.call(.echo).call
        let waiting = (0..<5).map { _ in match.call(.echo).call }
        for call in waiting {
            let effects = match.play(.finished(running, worker)).deeds
            #expect(effects == [.assign(call, worker, .hot)])
            running = call
        }
    }

    @Test func `a queue that is full refuses and says when to come back`() throws {
        var match = Match()
        _ = try match.warmUp(.echo, .usual(max: 1, queue: 2))
        for _ in 0..<3 { _ = match.call(.echo) }
        let (call, effects) = match.call(.echo)
        #expect(effects == [.refuse(call, .queueFull(retryAfterSeconds: 1))])
    }

    @Test func `a call that would wait for longer than it may is refused at once`() throws {
        var match = Match()
        let worker = try match.warmUp(.echo, .usual(max: 1))
        // The pace is 400 ms a call: with two waiting the third would be answered just in time, with three not.
        for _ in 0..<40 {
            let call = match.call(.echo).call
            match.advance(milliseconds: 400)
            match.play(.finished(call, worker))
        }
        for _ in 0..<3 { #expect(match.call(.echo).effects.deeds.isEmpty || match.referee.openCalls.count == 1) }
        _ = match.call(.echo)
        let (call, effects) = match.call(.echo)
        #expect(effects == [.refuse(call, .deadlineUnreachable(retryAfterSeconds: 1))])
    }

    @Test func `a waiting call whose time is over is refused at that instant`() throws {
        var match = Match()
        _ = try match.warmUp(.echo, .usual(max: 1))
        _ = match.call(.echo)
        match.advance(milliseconds: 1)
        let waiting = match.call(.echo).call
        // The running call is over first, and its worker with it; nobody has reported that end yet.
        match.advance(to: try #require(match.referee.wakeAt))
        match.play(.tick)
        match.advance(to: try #require(match.referee.wakeAt))
        #expect(match.play(.tick).deeds == [.refuse(waiting, .queueTimedOut(retryAfterSeconds: 1))])
    }

    @Test func `a call over its time ends its worker, and the next call has another`() throws {
        var match = Match()
        let worker = try match.warmUp(.echo, .usual(max: 1))
        let slow = match.call(.echo).call
        match.advance(milliseconds: 1000)
        #expect(match.play(.tick).deeds == [.timeOut(slow, worker)])
        #expect(match.play(.finished(slow, worker)).deeds.isEmpty, "a late answer changes nothing")
        let next = match.call(.echo)
        #expect(next.effects.deeds.isEmpty, "the place is taken until the end of the worker is known")
        let effects = match.play(.workerGone(worker))
        #expect(effects.assignedStart == .warm && effects.assignedWorker != worker)
    }

    @Test func `a worker that dies fails its call only`() throws {
        var match = Match()
        let worker = try match.warmUp(.echo, .usual())
        let dying = match.call(.echo).call
        let other = match.call(.echo)
        #expect(match.play(.workerGone(worker)).deeds == [.fail(dying)])
        match.play(.finished(other.call, try #require(other.effects.assignedWorker)))
        #expect(match.referee.openCalls.isEmpty)
    }

    @Test func `a template that does not come up fails who waited, and the next call tries again`() throws {
        var match = Match()
        match.play(.installed(.echo, .usual()))
        let (first, effects) = match.call(.echo)
        let second = match.call(.echo).call
        let template = try #require(effects.bootedTemplate)
        #expect(match.play(.templateGone(template)).deeds == [.fail(first), .fail(second)])
        let retry = match.call(.echo).effects.bootedTemplate
        #expect(retry != nil && retry != template)
    }

    @Test func `without calls the workers end, then the template, and nothing wakes the scheduler`() throws {
        var match = Match()
        let worker = try match.warmUp(.echo, .usual())
        let template = try #require(match.referee.resident(.echo))
        match.advance(to: try #require(match.referee.wakeAt))
        while match.referee.present(.echo).first?.isToldToEnd == false {
            match.play(.tick)
            if let wake = match.referee.wakeAt { match.advance(to: wake) }
        }
        #expect(match.play(.workerGone(worker)).deeds == [.endTemplate(template)])
        match.play(.templateGone(template))
        match.sleep()
        #expect(match.referee.wakeAt == nil)
        #expect(match.pool.census().map(\.workers) == [0])
        #expect(match.pool.census().map(\.tier) == [.disk])
    }

    @Test func `templates rest within the budget, and the one used longest ago goes first`() throws {
        var match = Match(restingBytesMax: 150)
        for key in [PoolKey.echo, .embed] {
            _ = try match.warmUp(key, .usual())
            match.advance(milliseconds: 100)
        }
        match.sleep()
        #expect(match.referee.resident(.echo) == nil)
        #expect(match.referee.resident(.embed) != nil)
        #expect(match.pool.census().map(\.tier) == [.packed, .resident])
        #expect(match.pool.census().map(\.bytes) == [40, 100])
    }

    @Test func `a minimum is parked ahead of calls, and a parked worker makes a warm call`() throws {
        var match = Match()
        let template = try #require(match.play(.installed(.echo, .usual(min: 1))).bootedTemplate)
        match.play(.templateResident(template, bytes: 100))
        #expect(match.pool.census().map(\.parked) == [1])
        #expect(match.call(.echo).effects.assignedStart == .warm)
        #expect(match.pool.census().map(\.workers) == [1])
    }

    @Test func `a cancelled call that waits is forgotten, one that runs is finished`() throws {
        var match = Match()
        let worker = try match.warmUp(.echo, .usual(max: 1))
        let running = match.call(.echo).call
        let waiting = match.call(.echo).call
        match.play(.cancelled(waiting))
        #expect(match.play(.cancelled(running)).deeds.isEmpty)
        #expect(match.play(.finished(running, worker)).deeds.isEmpty)
        #expect(match.pool.callsInFlight == 0)
    }

    @Test func `a removed function finishes what it has, then everything of it goes`() throws {
        var match = Match(restingBytesMax: .max)
        let worker = try match.warmUp(.echo, .usual(max: 1))
        let template = try #require(match.referee.resident(.echo))
        let running = match.call(.echo).call
        let waiting = match.call(.echo).call
        match.play(.removed(.echo))
        let (late, effects) = match.call(.echo)
        #expect(effects == [.refuse(late, .unknownPool)])
        #expect(match.play(.finished(running, worker)).deeds == [.assign(waiting, worker, .hot)])
        #expect(match.play(.finished(waiting, worker)).deeds == [.endWorker(worker)])
        #expect(match.play(.workerGone(worker)).deeds == [.endTemplate(template)])
        #expect(match.play(.templateGone(template)).deeds == [.forgotten(.echo)])
        #expect(match.pool.census().isEmpty)
    }

    @Test func `a draining node refuses new calls and answers the admitted ones`() throws {
        var match = Match()
        let worker = try match.warmUp(.echo, .usual(max: 1))
        let running = match.call(.echo).call
        let waiting = match.call(.echo).call
        match.play(.draining)
        let (late, effects) = match.call(.echo)
        #expect(effects == [.refuse(late, .draining)])
        #expect(match.pool.callsInFlight == 2)
        match.play(.finished(running, worker))
        match.play(.finished(waiting, worker))
        #expect(match.pool.callsInFlight == 0)
    }

    @Test func `a version whose minimum is lowered lets go of what it parked`() throws {
        var match = Match()
        let template = try #require(match.play(.installed(.echo, .usual(min: 2))).bootedTemplate)
        match.play(.templateResident(template, bytes: 100))
        let used = try #require(match.call(.echo).effects.assignedWorker)
        match.play(.finished(match.lastCall, used))
        match.play(.installed(.echo, .usual(min: 0)))
        match.sleep()
        #expect(!match.referee.present(.echo).contains { !$0.isToldToEnd })
    }

    @Test func `calls that share a worker are all cold if they waited for its template`() throws {
        var match = Match()
        match.play(.installed(.echo, .usual(concurrency: 2)))
        let (first, effects) = match.call(.echo)
        let second = match.call(.echo).call
        let resident = match.play(.templateResident(try #require(effects.bootedTemplate), bytes: 100))
        let worker = try #require(resident.assignedWorker)
        #expect(resident.deeds.suffix(2) == [.assign(first, worker, .cold), .assign(second, worker, .cold)])
        #expect(match.call(.echo).effects.assignedWorker != worker)
    }

    @Test func `a worker that answers after its template has died gets no other call`() throws {
        var match = Match()
        match.play(.installed(.echo, .usual(max: 1)))
        let (first, effects) = match.call(.echo)
        let template = try #require(effects.bootedTemplate)
        let worker = try #require(match.play(.templateResident(template, bytes: 100)).assignedWorker)
        match.play(.templateGone(template))
        match.play(.finished(first, worker))
        let (_, waiting) = match.call(.echo)
        #expect(waiting.assignedWorker == nil)
        let next = try #require(match.play(.workerGone(worker)).bootedTemplate ?? waiting.bootedTemplate)
        let other = try #require(match.play(.templateResident(next, bytes: 100)).assignedWorker)
        #expect(other != worker)
    }

    @Test func `when a template dies no call is given to its idle forks, which die with it`() throws {
        var match = Match()
        let orphan = try match.warmUp(.echo, .usual())
        let template = try #require(match.referee.resident(.echo))
        match.play(.templateGone(template))
        let effects = match.call(.echo).effects
        #expect(effects.assignedWorker == nil && effects.bootedTemplate != nil)
        #expect(match.play(.workerGone(orphan)).deeds.isEmpty)
    }

    @Test func `an unknown function, call, worker or template changes nothing`() {
        var match = Match()
        let (call, effects) = match.call(.echo)
        #expect(effects == [.refuse(call, .unknownPool)])
        let strange: [PoolEvent] = [
            .removed(.echo), .cancelled(CallID(77)), .finished(CallID(77), WorkerID(7)), .workerGone(WorkerID(7)),
            .templateGone(TemplateID(7)), .templateResident(TemplateID(7), bytes: 1), .tick,
        ]
        for event in strange { #expect(match.play(event).isEmpty) }
    }
}
