import Invoking
import Metering
import NIOCore
import NIOEmbedded
import Scheduling
import Synchronization
import Testing

@testable import Doors

/// A reply that comes over time, on the connection of its call.
@Suite struct StreamedReplyTests {
    private static let options: DoorHarness.Options = {
        var options = DoorHarness.Options()
        options.mayStream = true
        return options
    }()

    private static func stream(_ lane: LaneHarness) throws -> CallStream {
        try #require(lane.running.first?.stream)
    }

    private static func end(_ lane: LaneHarness, _ failure: Failure? = nil) {
        let whole = Reply(contentType: "text/plain", body: ByteBuffer(), streamedByteCount: 5)
        lane.answer(failure.map { .failure($0) } ?? .success(whole))
    }

    @Test func `each piece is a chunk, written as it comes, and the end is told`() async throws {
        try await LaneHarness.run(Self.options) { lane in
            try lane.call()
            let stream = try Self.stream(lane)
            let taken = Mutex(0)
            stream.begin(.generated(), "text/event-stream")
            let head = try lane.received()
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"))
            #expect(head.contains("\r\nTransfer-Encoding: chunked\r\n") && !head.contains("Content-Length"))
            #expect(head.hasSuffix("\r\n\r\n"))
            stream.take(ByteBuffer(string: "one")) { taken.withLock { $0 += 1 } }
            #expect(try lane.received() == "3\r\none\r\n")
            stream.take(ByteBuffer(repeating: 0x61, count: 20)) { taken.withLock { $0 += 1 } }
            #expect(try lane.received() == "14\r\naaaaaaaaaaaaaaaaaaaa\r\n")
            #expect(taken.withLock { $0 } == 2)
            Self.end(lane)
            #expect(try lane.received() == "0\r\n\r\n")
            try lane.call("two")
            #expect(lane.running.count == 1)
        }
    }

    @Test func `what is not a stream has a length`() async throws {
        try await LaneHarness.run(Self.options) { lane in
            try lane.call("whole")
            lane.answer()
            let reply = try lane.received()
            #expect(reply.contains("Content-Length: 5\r\n") && reply.hasSuffix("whole"))
        }
    }

    @Test func `a piece that waits for the client is not taken`() async throws {
        try await LaneHarness.run(Self.options) { lane in
            try lane.call()
            let stream = try Self.stream(lane)
            stream.begin(.generated(), "text/plain")
            lane.socket.isClogged = true
            let taken = Mutex(false)
            stream.take(ByteBuffer(string: "slow")) { taken.withLock { $0 = true } }
            #expect(!taken.withLock { $0 })
            lane.socket.isClogged = false
            lane.channel.flush()
            #expect(taken.withLock { $0 })
            Self.end(lane)
        }
    }

    @Test func `a stream that fails is cut, without an end that looks like one`() async throws {
        try await LaneHarness.run(Self.options) { lane in
            try lane.call()
            let stream = try Self.stream(lane)
            stream.begin(.generated(), "text/plain")
            stream.take(ByteBuffer(string: "half")) {}
            Self.end(lane, .died(reason: "exit status 1"))
            #expect(try lane.received().hasSuffix("4\r\nhalf\r\n"))
            #expect(!lane.channel.isActive)
        }
    }

    @Test func `a client that goes away ends the call`() async throws {
        try await LaneHarness.run(Self.options) { lane in
            try lane.call()
            let call = try #require(lane.running.first)
            try Self.stream(lane).begin(.generated(), "text/plain")
            #expect(call.cancellation?.isCancelled == false)
            _ = try? lane.channel.finish(acceptAlreadyClosed: true)
            #expect(call.cancellation?.isCancelled == true)
            let taken = Mutex(false)
            try Self.stream(lane).take(ByteBuffer(string: "late")) { taken.withLock { $0 = true } }
            #expect(taken.withLock { $0 }, "what nobody takes holds up nobody")
            Self.end(lane, .cancelled)
        }
    }

    @Test func `a client of HTTP 1.0 gets the whole reply`() async throws {
        try await LaneHarness.run(Self.options) { lane in
            try lane.send("POST /functions/echo/invocations HTTP/1.0\r\nContent-Length: 1\r\n\r\nx")
            #expect(lane.running.first?.stream == nil)
            lane.answer()
        }
    }
}
