@testable import Scheduling
import Testing

/// What is kept of functions that nobody calls.
@Suite struct ResidencyTests {
    @Test func `a version goes from resident to packed to the disk as its plan says`() throws {
        var match = Match(
            restingBytesMax: 1000,
            planner: KeepAlivePlan.resident(seconds: 60, packedSeconds: 60)
        )
        _ = try match.warmUp(.echo, .usual())
        match.sleep(seconds: 30)
        #expect(match.pool.census().map(\.tier) == [.resident])
        #expect(match.pool.restingBytes == 100)
        match.sleep(seconds: 40)
        #expect(match.pool.census().map(\.tier) == [.packed])
        #expect(match.pool.restingBytes == 40)
        match.sleep(seconds: 60)
        #expect(match.pool.census().map(\.tier) == [.disk])
        #expect(match.pool.restingBytes == 0)
        #expect(match.referee.wakeAt == nil, "nothing is planned, nothing wakes the scheduler")
    }

    @Test func `a call on a packed version keeps the file until its template has read it`() throws {
        var match = Match(restingBytesMax: 50)
        _ = try match.warmUp(.echo, .usual())
        match.sleep()
        #expect(match.pool.census().map(\.tier) == [.packed], "the template has no room, the file has")
        let (_, effects) = match.call(.echo)
        let template = try #require(effects.bootedTemplate)
        #expect(!effects.contains(.releasePacked(SnapshotID(digest: "echo"))))
        let resident = match.play(.templateResident(template, bytes: 100))
        #expect(resident.assignedStart == .cold)
        #expect(resident.contains(.releasePacked(SnapshotID(digest: "echo"))))
    }

    @Test func `a file that several snapshots refer to is held and weighed once, until none needs it`() throws {
        // Templates of 100 bytes do not fit; three files of 40 do.
        var match = Match(restingBytesMax: 90)
        let base = PoolSource.Base(snapshot: SnapshotID(digest: "base"), fileBytes: 40)
        let (echo, embed) = (SnapshotID(digest: "echo"), SnapshotID(digest: "embed"))
        let sources = [
            PoolKey.echo: PoolSource(snapshot: echo, fileBytes: 2, bases: [base]),
            .embed: PoolSource(snapshot: embed, fileBytes: 3, bases: [base]),
        ]
        for key in [PoolKey.echo, .embed] {
            let source = try #require(sources[key])
            match.play(.installed(key, .usual(), source))
            _ = try match.warmUp(key, .usual(), source)
            match.sleep(seconds: 30)
        }
        #expect(match.pool.census().map(\.tier) == [.packed, .packed])
        #expect(match.transcript.count { if case .holdPacked(base.snapshot, _) = $0 { true } else { false } } == 1)
        let before = match.transcript.count
        match.obey(match.play(.removed(.echo)))
        #expect(match.transcript[before...].contains(.releasePacked(echo)))
        #expect(!match.transcript[before...].contains(.releasePacked(base.snapshot)))
        // Without the base the rest of its files is of no use.
        let lost = match.play(.packedRefused(base.snapshot))
        #expect(lost.deeds.contains(.releasePacked(embed)))
        #expect(match.pool.census().map(\.tier) == [.disk] && match.pool.restingBytes == 0)
    }

    @Test func `two functions with one snapshot hold its file once, until neither wants it`() throws {
        var match = Match(restingBytesMax: 50)
        let source = PoolSource(snapshot: SnapshotID(digest: "same"), fileBytes: 40)
        for key in [PoolKey.echo, .embed] {
            match.play(.installed(key, .usual(), source))
            _ = try match.warmUp(key, .usual(), source)
            match.sleep(seconds: 30)
        }
        #expect(match.transcript.count { if case .holdPacked = $0 { true } else { false } } == 1)
        #expect(match.pool.restingBytes == 40)
        match.obey(match.play(.removed(.echo)))
        #expect(match.pool.census().map(\.tier) == [.packed])
        #expect(match.play(.removed(.embed)).deeds.contains(.releasePacked(source.snapshot)))
        #expect(match.pool.restingBytes == 0)
    }

    @Test func `what is worth least goes first, whoever was used last`() throws {
        // As the policy would: the dearer to restore for its bytes, the more it is worth.
        var match = Match(restingBytesMax: 250) { _, costs, now in
            let value = 1 / Double(costs.packedBytes)
            return KeepAlivePlan(residentUntil: now.later(seconds: 3600), packedUntil: now, value: value)
        }
        let keys = (1...3).map { PoolKey(function: "f\($0)", version: 1) }
        for (key, bytes) in zip(keys, [10, 30, 20] as [UInt64]) {
            let source = PoolSource(snapshot: SnapshotID(digest: key.function), fileBytes: bytes)
            _ = try match.warmUp(key, .usual(), source)
            match.sleep(seconds: 20)
        }
        #expect(match.pool.census().map(\.tier) == [.resident, .disk, .resident])
    }

    @Test func `what can never fit pushes nothing out`() throws {
        var match = Match(restingBytesMax: 150)
        _ = try match.warmUp(.echo, .usual())
        match.sleep(seconds: 20)
        match.play(.installed(.embed, .usual()))
        let (call, effects) = match.call(.embed)
        let template = try #require(effects.bootedTemplate)
        let worker = try #require(match.play(.templateResident(template, bytes: 500)).assignedWorker)
        match.play(.finished(call, worker))
        match.sleep(seconds: 20)
        #expect(match.pool.census().map(\.tier) == [.resident, .packed])
    }

    @Test func `memory that the kernel counts above what was said is held against the budget`() throws {
        var match = Match(restingBytesMax: 150)
        _ = try match.warmUp(.echo, .usual())
        let template = try #require(match.referee.resident(.echo))
        match.sleep(seconds: 20)
        match.obey(match.play(.templateMeasured(template, bytes: 151)))
        #expect(match.pool.census().map(\.tier) == [.packed])
    }

    @Test func `a file that cannot be held leaves its version on the disk`() throws {
        var match = Match(restingBytesMax: 50)
        let worker = try match.warmUp(.echo, .usual())
        let template = try #require(match.referee.resident(.echo))
        match.advance(to: try #require(match.referee.wakeAt))
        while match.referee.present(.echo).first?.isToldToEnd == false {
            match.play(.tick)
            if let wake = match.referee.wakeAt { match.advance(to: wake) }
        }
        let effects = match.play(.workerGone(worker)).deeds
        #expect(effects == [.endTemplate(template), .holdPacked(SnapshotID(digest: "echo"), .echo)])
        match.play(.templateGone(template))
        match.play(.packedRefused(SnapshotID(digest: "echo")))
        #expect(match.pool.restingBytes == 0)
        #expect(match.pool.census().map(\.tier) == [.disk])
    }

    @Test(arguments: [1, 8, 64]) func `a burst of first calls loads once and fails none`(count: Int) throws {
        var match = Match(workersMax: 4)
        match.play(.installed(.echo, .usual(max: 4, queue: 64)))
        var template: TemplateID?
        for _ in 0..<count {
            let booted = match.call(.echo).effects.bootedTemplate
            #expect(booted == nil || template == nil)
            template = template ?? booted
        }
        var effects = match.play(.templateResident(try #require(template), bytes: 100))
        while !effects.isEmpty {
            let given = effects.compactMap { effect -> (CallID, WorkerID)? in
                if case .assign(let call, let worker, _) = effect { (call, worker) } else { nil }
            }
            effects = given.flatMap { match.play(.finished($0.0, $0.1)) }
        }
        #expect(match.referee.openCalls.isEmpty)
        #expect(match.transcript.allSatisfy { if case .refuse = $0 { false } else { true } })
    }

    @Test func `when a later version serves, the one before lets go of its minimum`() throws {
        var match = Match()
        let template = try #require(match.play(.installed(.echo, .usual(min: 2))).bootedTemplate)
        match.play(.templateResident(template, bytes: 100))
        #expect(match.pool.census().map(\.parked) == [2])
        let next = PoolKey(function: "echo", version: 2)
        let source = PoolSource(snapshot: SnapshotID(digest: "second"), fileBytes: 40)
        match.overtake(.echo)
        match.obey(match.play(.installed(next, .usual(min: 1), source)))
        match.sleep()
        #expect(match.pool.census().map(\.tier) == [.disk, .booting])
        #expect(match.pool.census().map(\.parked) == [0, 0])
    }

    @Test func `the records of a function that sleeps take about half a kilobyte`() {
        let sizes = [
            MemoryLayout<FunctionPool>.stride, MemoryLayout<FunctionRecord>.stride, MemoryLayout<SnapshotRecord>.stride,
        ]
        #expect(sizes.reduce(0, +) <= 544, "\(sizes)")
    }
}
