import Foundation
import Queues
import Testing

/// Messages of a series, which are handed in again by who does not know whether they were accepted.
struct SeriesTests {
    private let jobs = MessageAddress(.function, "f")

    private static func draft(_ series: String, _ position: Int64) -> MessageDraft {
        MessageDraft(body: [], series: SeriesPosition(series, position))
    }

    @Test func `of a series only what is later than the last is accepted, also by the next process`() async throws {
        try await StoreFolder.withPath { path in
            for (series, position, isNew) in [
                ("a/1", 10, true), ("a/1", 10, false), ("a/1", 9, false), ("a/2", 9, true), ("a/1", 11, true),
            ] as [(String, Int64, Bool)] {
                let store = try MessageStore(path: path)
                let draft = Self.draft(series, position)
                let result = try await store.publish(draft, to: jobs, isClaimed: false, now: 0)
                if isNew {
                    guard case .accepted = result else {
                        Issue.record("\(series) \(position): \(result)")
                        continue
                    }
                } else {
                    #expect(result == .duplicate(draft.id))
                }
            }
            let store = try MessageStore(path: path)
            #expect(try await store.measureAll(now: 0).map(\.1.count) == [3])
            #expect(try await store.positions(ofSeriesBeginningWith: "a/") == ["a/1": 11, "a/2": 9])
            try await store.forget(series: ["a/1"])
            #expect(try await store.positions(ofSeriesBeginningWith: "a") == ["a/2": 9])
        }
    }

    @Test func `a message that a full queue refuses leaves its series where it was`() async throws {
        try await StoreFolder.with { store, _ in
            let first = try await store.publish(Self.draft("a", 1), to: jobs, depthMax: 1, isClaimed: false, now: 0)
            guard case .accepted = first else { return #expect(Bool(false), "\(first)") }
            let second = try await store.publish(Self.draft("a", 2), to: jobs, depthMax: 1, isClaimed: false, now: 0)
            #expect(second == .full(depthMax: 1))
            #expect(try await store.positions(ofSeriesBeginningWith: "a") == ["a": 1])
        }
    }

    @Test func `a message may be known for longer than its queue says`() async throws {
        try await StoreFolder.with { store, _ in
            func publish(at now: Int64) async throws -> (MessageDraft, PublishResult) {
                var draft = StoreFolder.draft("x", key: "k")
                draft.deduplicationMilliseconds = 1_000_000
                return (draft, try await store.publish(draft, to: jobs, isClaimed: false, now: now))
            }
            let (first, _) = try await publish(at: 0)
            #expect(try await publish(at: 999_999).1 == .duplicate(first.id))
            guard case .accepted = try await publish(at: 1_000_000).1 else {
                Issue.record("its window is over")
                return
            }
        }
    }
}
