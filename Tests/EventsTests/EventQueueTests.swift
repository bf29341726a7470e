import Foundation
import Metering
import Testing

@testable import Events

struct EventQueueTests {
    private static func withQueue(_ body: (EventQueue, _ path: String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/events-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/events.sqlite"
        try await body(try EventQueue(path: path), path)
    }

    private static func event(_ text: String, at time: Int64) -> QueuedEvent {
        QueuedEvent(
            id: .generated(),
            function: "f",
            qualifier: "live",
            body: Array(text.utf8),
            clientContext: "{}",
            acceptedUnixMilliseconds: time
        )
    }

    @Test func `an event is claimed once, the longest due first, and counted as an attempt`() async throws {
        try await Self.withQueue { queue, _ in
            var (second, first) = (Self.event("b", at: 20), Self.event("a", at: 10))
            try await queue.accept([second, first], isClaimed: false)
            #expect(try await queue.claim(countMax: 9, nowUnixMilliseconds: 9).isEmpty)
            first.attempts = 1
            second.attempts = 1
            #expect(try await queue.claim(countMax: 1, nowUnixMilliseconds: 30) == [first])
            #expect(try await queue.claim(countMax: 9, nowUnixMilliseconds: 30) == [second])
            #expect(try await queue.claim(countMax: 9, nowUnixMilliseconds: 30).isEmpty)
            try await queue.acknowledge(first.id)
            #expect(try await queue.count() == 1)
        }
    }

    @Test func `what was claimed when the node ended is found again, with its attempts`() async throws {
        try await Self.withQueue { queue, path in
            var event = Self.event("a", at: 10)
            try await queue.accept([event], isClaimed: true)
            #expect(try await queue.nextDueUnixMilliseconds() == nil)
            let again = try EventQueue(path: path)
            event.attempts = 2
            #expect(try await again.claim(countMax: 9, nowUnixMilliseconds: 10) == [event])
        }
    }

    @Test func `an event that was sent back is due when it should be`() async throws {
        try await Self.withQueue { queue, _ in
            var event = Self.event("a", at: 10)
            try await queue.accept([event], isClaimed: true)
            event.attempts = 0
            event.throttles = 3
            try await queue.sendBack(event, untilUnixMilliseconds: 500)
            #expect(try await queue.nextDueUnixMilliseconds() == 500)
            event.attempts = 1
            let claimed = try await queue.claim(countMax: 9, nowUnixMilliseconds: 500)
            #expect(claimed == [event])
            // Three times it was sent back without an attempt: receipts 1, 2 and 3 may be there.
            #expect(claimed.first?.receiptNumber == 4)
        }
    }
}
