import Foundation
import Metering
import Testing

@testable import Events

/// Events that are handed in more than once.
struct EventOriginTests {
    private static func withQueue(_ body: (EventQueue) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/origins-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(try EventQueue(path: directory + "/events.sqlite"))
    }

    private static func event(at time: Int64 = 0) -> QueuedEvent {
        QueuedEvent(id: .generated(), function: "f", qualifier: nil, body: [], acceptedUnixMilliseconds: time)
    }

    @Test func `of a series only what is later than the last is accepted`() async throws {
        try await Self.withQueue { queue in
            for (name, position, isNew) in [
                ("a/1", 10, true), ("a/1", 10, false), ("a/1", 9, false), ("a/2", 9, true), ("a/1", 11, true),
            ] as [(String, Int64, Bool)] {
                let event = Self.event()
                let acceptance = try await queue.accept(
                    event,
                    isClaimed: false,
                    from: .series(name, position: position)
                )
                #expect(acceptance == (isNew ? .accepted(event.id) : .known(nil)))
            }
            #expect(try await queue.count() == 3)
            #expect(try await queue.positions(ofSeriesBeginningWith: "a/") == ["a/1": 11, "a/2": 9])
            try await queue.forget(series: ["a/1"])
            #expect(try await queue.positions(ofSeriesBeginningWith: "a") == ["a/2": 9])
        }
    }

    @Test func `a message that is known is not accepted again until its window is over`() async throws {
        try await Self.withQueue { queue in
            let first = Self.event(at: 1000)
            func accept(_ event: QueuedEvent, _ key: String) async throws -> EventAcceptance {
                try await queue.accept(event, isClaimed: false, from: .message(key: key, keptMilliseconds: 500))
            }
            #expect(try await accept(first, "k") == .accepted(first.id))
            #expect(try await accept(Self.event(at: 1400), "k") == .known(first.id))
            let other = Self.event(at: 1400)
            #expect(try await accept(other, "other") == .accepted(other.id))
            // Also where the event is long over.
            try await queue.acknowledge(first.id)
            #expect(try await accept(Self.event(at: 1499), "k") == .known(first.id))
            let later = Self.event(at: 1500)
            #expect(try await accept(later, "k") == .accepted(later.id))
            #expect(try await queue.count() == 2)
        }
    }
}
