import Foundation
import GRDB
import Metering
import Testing

@testable import Queues

struct MessageCrashTests {
    @Test func `what was accepted by many at once is there after a power cut, each message once`() async throws {
        try await StoreFolder.with { store, path in
            let ids = try await withThrowingTaskGroup { group in
                for number in 0..<300 {
                    group.addTask {
                        let draft = StoreFolder.draft("\(number)")
                        let address = MessageAddress(.function, "f\(number % 3)")
                        let result = try await store.publish(draft, to: address, isClaimed: number % 2 == 0, now: 5)
                        return (draft.id, result)
                    }
                }
                return try await group.reduce(into: Set<InvocationID>()) { $0.insert($1.0) }
            }
            let again = try MessageStore(path: try StoreFolder.copy(path))
            let work = try await again.claimWork(.function, countMax: 999, running: [:], queueCountMax: 999, now: 5)
            #expect(work.claimed.count == 300)
            #expect(Set(work.claimed.map(\.message.id)) == ids)
            // Those that were claimed had begun an attempt: it was cut off, costs none, and its number is not used again.
            #expect(work.claimed.allSatisfy { $0.message.attempts == 1 })
            #expect(work.claimed.filter { $0.message.throttles == 1 }.count == 150)
        }
    }

    @Test func `a log that was cut anywhere holds the first of the messages, and the store goes on from them`()
        async throws
    {
        try await StoreFolder.with { store, path in
            let address = MessageAddress(.client, "jobs")
            let queue = try await store.makeQueue(address, QueueSettings(), now: 0)
            for number in 0..<12 {
                _ = try await store.publish([StoreFolder.draft("\(number)")], to: queue, now: 0)
            }
            let bytes = try StoreFolder.byteCount(path + "-wal")
            #expect(bytes > 0)
            var counts: Set<Int> = []
            for step in 0...16 {
                let copy = try StoreFolder.copy(path, cuttingLogTo: bytes * step / 16)
                let again = try MessageStore(path: copy)
                let found = try await again.makeQueue(address, QueueSettings(), now: 0)
                let claimed = try await again.claim(found, countMax: 99, forMilliseconds: 9, now: 0)
                #expect(claimed.map(\.text) == (0..<claimed.count).map(String.init))
                counts.insert(claimed.count)
                _ = try await again.publish([StoreFolder.draft("next")], to: found, now: 0)
                #expect(try await again.measure(found, now: 0).count == claimed.count + 1)
            }
            #expect(counts.contains(12) && counts.count > 3)
        }
    }

    @Test func `events of an earlier file are found in the queues of their functions`() async throws {
        try await StoreFolder.withPath { path in
            let id = InvocationID.generated()
            do {
                let old = try DatabaseQueue(path: path)
                try MessageSchema.migrator().migrate(old, upTo: "1")
                try await old.write { database in
                    try database.execute(
                        sql:
                            "INSERT INTO events VALUES (?, 'f', 'live', 'text/plain', x'616263', '{}', 10, 20, 2, 1, 1)",
                        arguments: [id.description]
                    )
                }
                try old.close()
            }
            let store = try MessageStore(path: path)
            let work = try await store.claimWork(.function, countMax: 9, running: [:], queueCountMax: 9, now: 20)
            #expect(work.claimed.map(\.name) == ["f"])
            let message = try #require(work.claimed.first?.message)
            #expect(message.id == id)
            #expect(message.text == "abc")
            #expect(message.attempts == 3 && message.throttles == 1)
            #expect(message.acceptedUnixMilliseconds == 10)
            let attributes = try JSONDecoder().decode([String: String].self, from: Data(message.attributes.utf8))
            #expect(attributes == ["qualifier": "live", "contentType": "text/plain", "clientContext": "{}"])
        }
    }

    @Test func `one request that fails does not take the others of its commit with it`() async throws {
        try await StoreFolder.with { store, _ in
            let address = MessageAddress(.client, "jobs")
            let queue = try await store.makeQueue(address, QueueSettings(), now: 0)
            let twice = StoreFolder.draft("twice")
            _ = try await store.publish([twice], to: queue, now: 0)
            let results = await withTaskGroup { group in
                for number in 0..<50 {
                    group.addTask {
                        // An id that is there, and that nobody said to look for: SQLite refuses the row.
                        let draft = number == 25 ? twice : StoreFolder.draft("\(number)")
                        do {
                            _ = try await store.publish([draft], to: queue, now: 0)
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(results == 49)
            #expect(try await store.measure(queue, now: 0).count == 50)
        }
    }
}
