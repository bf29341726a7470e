import Foundation
import Metering
import Queues
import Testing

struct MessageStoreTests {
    private let jobs = MessageAddress(.client, "jobs")

    @Test func `a message is claimed once, the longest due first, and comes again when nobody settles it`() async throws
    {
        try await StoreFolder.with { store, _ in
            let queue = try await store.makeQueue(jobs, QueueSettings(), now: 0)
            var late = StoreFolder.draft("late")
            late.delayMilliseconds = 50
            _ = try await store.publish([late, StoreFolder.draft("early")], to: queue, now: 100)
            let first = try await store.claim(queue, countMax: 9, forMilliseconds: 1000, now: 100)
            #expect(first.map(\.text) == ["early"])
            #expect(try await store.claim(queue, countMax: 9, forMilliseconds: 1000, now: 149).isEmpty)
            #expect(try await store.nextVisibleUnixMilliseconds(queue) == 150)
            #expect(try await store.claim(queue, countMax: 9, forMilliseconds: 1000, now: 150).map(\.text) == ["late"])
            let again = try await store.claim(queue, countMax: 9, forMilliseconds: 1000, now: 1100)
            #expect(again.map(\.text) == ["early"])
            #expect(again.first?.attempts == 2)
            #expect(again.first?.firstClaimedUnixMilliseconds == 100)
            // The first claim is over: its handle settles nothing, the second one's does.
            #expect(try await store.settle(first.map { Settlement($0.handle, .acknowledge) }, now: 1100) == [false])
            #expect(try await store.settle(again.map { Settlement($0.handle, .acknowledge) }, now: 1100) == [true])
            #expect(try await store.measure(queue, now: 1100).count == 1)
        }
    }

    @Test func `messages of a group are given out in order, and the others do not wait for them`() async throws {
        try await StoreFolder.with { store, _ in
            let queue = try await store.makeQueue(jobs, QueueSettings(), now: 0)
            let drafts = [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a"), ("b2", "b")]
                .map { StoreFolder.draft($0.0, group: $0.1) }
            _ = try await store.publish(drafts, to: queue, now: 0)
            let heads = try await store.claim(queue, countMax: 9, groupCountMax: 1, forMilliseconds: 1000, now: 0)
            #expect(heads.map(\.text) == ["a1", "b1"])
            #expect(try await store.claim(queue, countMax: 9, groupCountMax: 9, forMilliseconds: 1000, now: 0).isEmpty)
            _ = try await store.settle([Settlement(heads[0].handle, .acknowledge)], now: 0)
            let rest = try await store.claim(queue, countMax: 9, groupCountMax: 9, forMilliseconds: 1000, now: 0)
            #expect(rest.map(\.text) == ["a2", "a3"])
            // The one in front comes back first, and what was taken with it holds back what is behind.
            let back = Settlement(rest[0].handle, .again(atUnixMilliseconds: 5, attempts: 1, throttles: 0))
            _ = try await store.settle([back], now: 0)
            let again = try await store.claim(queue, countMax: 9, groupCountMax: 9, forMilliseconds: 1000, now: 5)
            #expect(again.map(\.text) == ["a2"])
        }
    }

    @Test func `a key is remembered for its window, and an id that was there or is there is no second message`()
        async throws
    {
        try await StoreFolder.with { store, _ in
            var settings = QueueSettings()
            settings.deduplicationMilliseconds = 100
            let queue = try await store.makeQueue(jobs, settings, now: 0)
            let first = StoreFolder.draft("x", key: "k")
            _ = try await store.publish([first], to: queue, now: 0)
            let repeated = try await store.publish([StoreFolder.draft("y", key: "k")], to: queue, now: 99)
            #expect(repeated == [.duplicate(first.id)])
            guard
                case .accepted? = try await store.publish([StoreFolder.draft("z", key: "k")], to: queue, now: 100).first
            else {
                Issue.record("the window is over, and the key still counts")
                return
            }
            var given = StoreFolder.draft("given")
            given.isIDGiven = true
            _ = try await store.publish([given], to: queue, now: 100)
            #expect(try await store.publish([given], to: queue, now: 100) == [.duplicate(given.id)])
            for message in try await store.claim(queue, countMax: 9, forMilliseconds: 9, now: 100) {
                let outcome = outcome(message, "Success")
                _ = try await store.settle([Settlement(message.handle, .acknowledge, outcome: outcome)], now: 100)
            }
            #expect(try await store.publish([given], to: queue, now: 101) == [.duplicate(given.id)])
        }
    }

    @Test func `a full queue refuses what comes, and takes what follows from what it accepted`() async throws {
        try await StoreFolder.with { store, _ in
            var settings = QueueSettings()
            settings.depthMax = 2
            let queue = try await store.makeQueue(jobs, settings, now: 0)
            let results = try await store.publish(["a", "b", "c"].map { StoreFolder.draft($0) }, to: queue, now: 0)
            #expect(results.last == .full(depthMax: 2))
            #expect(try await store.measure(queue, now: 0).count == 2)
            let claimed = try await store.claim(queue, countMax: 1, forMilliseconds: 9, now: 0)
            let follower = (jobs, StoreFolder.draft("follower"))
            let verdict = Verdict.again(atUnixMilliseconds: 0, attempts: 1, throttles: 0)
            _ = try await store.settle([Settlement(claimed[0].handle, verdict, followers: [follower])], now: 0)
            #expect(try await store.measure(queue, now: 0).count == 3)
        }
    }

    @Test func `a message that was claimed too often is a dead letter, and goes back where it came from`() async throws
    {
        try await StoreFolder.with { store, _ in
            var settings = QueueSettings()
            settings.deadLetters = "dead"
            settings.attemptsMax = 2
            let queue = try await store.makeQueue(jobs, settings, now: 0)
            let dead = try await store.makeQueue(MessageAddress(.client, "dead"), QueueSettings(), now: 0)
            let draft = StoreFolder.draft("poison")
            _ = try await store.publish([draft], to: queue, now: 0)
            for time: Int64 in [0, 10] {
                #expect(try await store.claim(queue, countMax: 9, forMilliseconds: 10, now: time).count == 1)
            }
            #expect(try await store.claim(queue, countMax: 9, forMilliseconds: 10, now: 20).isEmpty)
            #expect(try await store.measure(dead, now: 20).count == 1)
            #expect(try await store.redrive(dead, to: nil, countMax: 10, now: 30) == 1)
            let back = try await store.claim(queue, countMax: 9, forMilliseconds: 10, now: 30)
            #expect(back.map(\.id) == [draft.id])
            #expect(back.first?.attempts == 1)
        }
    }

    @Test func `an end, its outcome and what follows from it are one step, and only of a claim that holds`()
        async throws
    {
        try await StoreFolder.with { store, path in
            let address = MessageAddress(.function, "f")
            let draft = StoreFolder.draft("call")
            guard case .claimed(let message) = try await store.publish(draft, to: address, isClaimed: true, now: 7)
            else {
                Issue.record("whoever publishes may claim")
                return
            }
            let next = MessageAddress(.function, "g")
            let settlement = Settlement(
                message.handle,
                .acknowledge,
                outcome: outcome(message, "Success"),
                followers: [(next, StoreFolder.draft("then"))]
            )
            #expect(try await store.settle([settlement, settlement], now: 8) == [true, false])
            let again = try MessageStore(path: try StoreFolder.copy(path))
            #expect(try await again.outcome(draft.id)?.condition == "Success")
            #expect(try await again.message(draft.id) == nil)
            let work = try await again.claimWork(.function, countMax: 9, running: [:], queueCountMax: 9, now: 8)
            #expect(work.claimed.map { "\($0.name) \($0.message.text)" } == ["g then"])
        }
    }

    @Test func `one queue's share of the work is bounded, and the others get theirs`() async throws {
        try await StoreFolder.with { store, _ in
            for name in ["slow", "slow", "slow", "quick"] {
                let address = MessageAddress(.function, name)
                _ = try await store.publish(StoreFolder.draft(name), to: address, isClaimed: false, now: 1)
            }
            let work = try await store.claimWork(
                .function,
                countMax: 9,
                running: ["slow": 1],
                queueCountMax: 2,
                now: 1
            )
            #expect(work.claimed.map(\.name).sorted() == ["quick", "slow"])
            #expect(work.nextUnixMilliseconds == nil)
        }
    }

    @Test func `a clock that was set back makes nobody wait`() async throws {
        try await StoreFolder.with { store, _ in
            _ = try await store.publish(
                StoreFolder.draft("x"),
                to: MessageAddress(.function, "f"),
                isClaimed: false,
                now: 1_000_000
            )
            try await store.shift(.function, byMilliseconds: -900_000)
            let work = try await store.claimWork(.function, countMax: 1, running: [:], queueCountMax: 1, now: 100_000)
            #expect(work.claimed.count == 1)
        }
    }

    @Test func `a dead letter that is sent again under a new id is named in the outcome of the old one`() async throws {
        try await StoreFolder.with { store, _ in
            let (calls, letters) = (MessageAddress(.function, "f"), MessageAddress(.deadLetter, "f"))
            let draft = StoreFolder.draft("x")
            guard case .claimed(let message) = try await store.publish(draft, to: calls, isClaimed: true, now: 0) else {
                Issue.record("whoever publishes may claim")
                return
            }
            let end = Settlement(message.handle, .bury(letters), outcome: outcome(message, "RetriesExhausted"))
            _ = try await store.settle([end], now: 0)
            let queue = try #require(try await store.queue(letters))
            let count = try await store.redrive(
                queue,
                to: nil,
                originKind: .function,
                isRenamed: true,
                countMax: 9,
                now: 5
            )
            #expect(count == 1)
            let again = try await store.claimWork(.function, countMax: 9, running: [:], queueCountMax: 9, now: 5)
                .claimed
            let renamed = try #require(again.first?.message.id)
            #expect(renamed != draft.id)
            #expect(try await store.outcome(draft.id)?.note == "sent again as \(renamed)")
        }
    }

    @Test func `what is past its time is forgotten with the next settlement`() async throws {
        try await StoreFolder.withPath { path in
            let store = try MessageStore(path: path, outcomeMilliseconds: 1000)
            var settings = QueueSettings()
            settings.retentionMilliseconds = 5000
            let queue = try await store.makeQueue(jobs, settings, now: 0)
            _ = try await store.publish([StoreFolder.draft("old")], to: queue, now: 0)
            guard
                case .claimed(let message) = try await store.publish(
                    StoreFolder.draft("call"),
                    to: MessageAddress(.function, "f"),
                    isClaimed: true,
                    now: 0
                )
            else { return }
            _ = try await store.settle(
                [Settlement(message.handle, .acknowledge, outcome: outcome(message, "Success"))],
                now: 0
            )
            #expect(try await store.outcome(message.id) != nil)
            _ = try await store.settle([], now: 60_000)
            #expect(try await store.outcome(message.id) == nil)
            #expect(try await store.measure(queue, now: 60_000).count == 0)
        }
    }

    @Test func `a handle is what was given out, and nothing else is one`() {
        let handle = MessageHandle(sequence: 77, claim: .max)
        #expect(MessageHandle(handle.text) == handle)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var bytes = Array(handle.text.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            // A mutant is another handle, or none; what is read is positive.
            if let read = MessageHandle(text) { #expect(read.sequence > 0 && read.claim > 0) }
        }
        for text in ["", "-", "1", "1-", "-1", "0-1", "1-0", "11111111111111111-1", "x-1"] {
            #expect(MessageHandle(text) == nil)
        }
    }

    private func outcome(_ message: Message, _ condition: String) -> MessageOutcome {
        MessageOutcome(
            id: message.id,
            queue: "f",
            condition: condition,
            attempts: message.attempts,
            acceptedUnixMilliseconds: 0,
            endedUnixMilliseconds: 0
        )
    }
}
