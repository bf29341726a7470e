import Foundation
import Invoking
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Doors

/// Whose turn it is on a connection.
@Suite struct InvocationLaneTests {
    @Test func `a call does not overtake the routed request before it`() async throws {
        try await LaneHarness.run { lane in
            try lane.send(LaneHarness.routed + LaneHarness.request("one"))
            #expect(lane.router.paths == ["/healthz"])
            #expect(lane.running.isEmpty)
            lane.router.answer(.noContent, headers: [:])
            #expect(lane.running.count == 1)
            lane.answer()
            #expect(try lane.statuses() == [204, 200])
        }
    }

    @Test func `a routed request waits for the call before it`() async throws {
        try await LaneHarness.run { lane in
            try lane.send(LaneHarness.request("one") + LaneHarness.routed)
            #expect(lane.router.paths.isEmpty)
            lane.answer()
            #expect(lane.router.paths == ["/healthz"])
            lane.router.answer(.noContent, headers: [:])
            #expect(try lane.statuses() == [200, 204])
        }
    }

    @Test func `calls of one connection are answered one after the other`() async throws {
        try await LaneHarness.run { lane in
            try lane.send(LaneHarness.request("one") + LaneHarness.request("two") + LaneHarness.request("three"))
            for text in ["one", "two", "three"] {
                #expect(lane.running.map { String(buffer: $0.body) } == [text])
                lane.answer()
                #expect(try lane.received().hasSuffix("\r\n\r\n" + text))
            }
        }
    }

    @Test func `a thousand requests refused at once are a loop, not a stack`() async throws {
        try await LaneHarness.run { lane in
            let refused = LaneHarness.request("x", function: "nope")
            try lane.send(LaneHarness.request() + String(repeating: refused, count: 1000))
            lane.answer()
            #expect(try lane.statuses() == [200] + Array(repeating: 404, count: 1000))
        }
    }

    @Test func `with a request waiting nothing more is read, and then it is`() async throws {
        try await LaneHarness.run { lane in
            try lane.call()
            let before = lane.socket.readCount
            lane.channel.read()
            #expect(lane.socket.readCount == before + 1)
            try lane.call()
            let held = lane.socket.readCount
            lane.channel.read()
            #expect(lane.socket.readCount == held)
            lane.answer()
            #expect(lane.socket.readCount == held + 1)
        }
    }

    @Test func `a body in pieces is one body`() async throws {
        try await LaneHarness.run { lane in
            try lane.send("POST /custom/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in ["3\r\nabc\r\n", "2\r\nde\r\n"] { try lane.send(piece) }
            #expect(lane.running.isEmpty)
            try lane.send("0\r\n\r\n")
            #expect(lane.running.map { String(buffer: $0.body) } == ["abcde"])
        }
    }

    @Test func `a large reply follows its head whole`() async throws {
        try await LaneHarness.run { lane in
            try lane.call()
            let body = ByteBuffer(repeating: UInt8(ascii: "y"), count: 3 * InvocationReply.inlineBytesMax)
            lane.answer(.success(Reply(contentType: "text/plain", body: body)))
            let text = try lane.received()
            #expect(text.contains("Content-Length: \(body.readableBytes)\r\n"))
            #expect(text.hasSuffix("\r\n\r\n" + String(buffer: body)))
        }
    }

    @Test func `a content type cannot end its header`() async throws {
        try await LaneHarness.run { lane in
            try lane.call()
            let reply = Reply(contentType: "a/b\r\nSet-Cookie: x=1\u{0}", body: ByteBuffer(string: "ok"))
            lane.answer(.success(reply))
            let text = try lane.received()
            #expect(text.contains("Content-Type: a/b  Set-Cookie: x=1 \r\n"))
            #expect(!text.contains("\nSet-Cookie"))
        }
    }

    @Test func `what is no HTTP after a call is told after its reply`() async throws {
        try await LaneHarness.run { lane throws in
            try? lane.send(LaneHarness.request() + "\u{1}\u{2} nonsense\r\n\r\n")
            #expect(lane.router.errors == 0)
            lane.answer()
            #expect(try lane.statuses() == [200])
            #expect(lane.router.errors == 1)
        }
    }
}

/// How a connection ends.
@Suite struct InvocationLaneEndTests {
    @Test func `a connection that only makes calls is not idle`() async throws {
        try await LaneHarness.run { lane in
            for _ in 0..<5 {
                lane.channel.embeddedEventLoop.advanceTime(by: .seconds(60))
                try lane.call()
                lane.answer()
            }
            #expect(lane.channel.isActive)
            lane.channel.embeddedEventLoop.advanceTime(by: DoorLimits.idleTimeout + .seconds(1))
            #expect(!lane.channel.isActive)
        }
    }

    @Test func `a call that runs for longer than the idle timeout is answered`() async throws {
        try await LaneHarness.run { lane in
            try lane.call()
            lane.channel.embeddedEventLoop.advanceTime(by: .seconds(600))
            #expect(lane.channel.isActive)
            lane.answer()
            #expect(try lane.statuses() == [200])
            lane.channel.embeddedEventLoop.advanceTime(by: .seconds(140))
            #expect(!lane.channel.isActive)
        }
    }

    @Test(arguments: ["", "POST /functions/echo/invoc", "POST /functions/echo/invocations HTTP/1.1\r\n"])
    func `a connection that brings no whole request is closed`(beginning: String) async throws {
        try await LaneHarness.run { lane in
            if !beginning.isEmpty { try lane.send(beginning) }
            lane.channel.embeddedEventLoop.advanceTime(by: .seconds(64))
            #expect(lane.channel.isActive)
            lane.channel.embeddedEventLoop.advanceTime(by: .seconds(70))
            #expect(!lane.channel.isActive)
        }
    }

    @Test func `a drain closes a connection at rest, and one with calls after the last`() async throws {
        try await LaneHarness.run { lane in
            try lane.call()
            lane.answer()
            lane.drain()
            #expect(!lane.channel.isActive)
        }
        try await LaneHarness.run { lane in
            try lane.send(LaneHarness.request("one") + LaneHarness.request("two"))
            lane.drain()
            lane.answer()
            #expect(try lane.received().contains("Connection: close") == false)
            #expect(lane.channel.isActive)
            lane.answer()
            #expect(try lane.received().contains("\r\nConnection: close\r\n"))
            lane.halfClose()
            #expect(!lane.channel.isActive)
        }
        try await LaneHarness.run { lane in
            try lane.send(LaneHarness.routed)
            lane.drain()
            #expect(lane.channel.isActive)
            lane.router.answer(.noContent, headers: [:])
            #expect(try lane.statuses() == [204])
            #expect(!lane.channel.isActive)
        }
    }

    @Test func `who sends no more still gets the reply`() async throws {
        try await LaneHarness.run { lane in
            try lane.call()
            lane.halfClose()
            #expect(lane.channel.isActive)
            // The router's side closes what it believes to be over: it must not hear of it yet.
            #expect(!lane.router.hasInputClosed)
            lane.answer()
            #expect(try lane.statuses() == [200])
            #expect(lane.router.hasInputClosed)
        }
    }

    @Test func `a routed request hears at once that its client sends no more, and after what waits behind it`()
        async throws
    {
        try await LaneHarness.run { lane in
            try lane.send(LaneHarness.routed)
            lane.halfClose()
            #expect(lane.router.hasInputClosed)
        }
        try await LaneHarness.run { lane in
            try lane.send(LaneHarness.routed + LaneHarness.request("one"))
            lane.halfClose()
            #expect(!lane.router.hasInputClosed)
            lane.router.answer(.noContent, headers: [:])
            lane.answer()
            #expect(try lane.statuses() == [204, 200])
            #expect(lane.router.hasInputClosed)
        }
    }

    @Test func `a reply that finds nobody is dropped`() async throws {
        try await LaneHarness.run { lane in
            try lane.call()
            try lane.channel.close().wait()
            lane.answer()
            #expect(try lane.received().isEmpty)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1", "Connection: close\r\n", true), ("HTTP/1.1", "Connection: Close\r\n", true),
        ("HTTP/1.1", "", false), ("HTTP/1.1", "Connection: keep-alive\r\n", false),
        ("HTTP/1.0", "", true), ("HTTP/1.0", "Connection: keep-alive\r\n", false),
    ])
    func `the last reply says so and ends the connection`(version: String, header: String, isLast: Bool) async throws {
        try await LaneHarness.run { lane in
            try lane.send(
                "POST /functions/echo/invocations \(version)\r\nHost: localhost\r\n\(header)Content-Length: 1\r\n\r\nx"
            )
            lane.answer()
            #expect(try lane.received().contains("Connection: close") == isLast)
            #expect(lane.socket.isOutputClosed == isLast)
            lane.channel.embeddedEventLoop.advanceTime(by: DoorLimits.lingerTimeout)
            #expect(lane.channel.isActive != isLast)
        }
    }

    @Test func `a body refused in its middle is read for a while and dropped`() async throws {
        try await LaneHarness.run { lane in
            try lane.send(
                "POST /functions/echo/invocations HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
            try lane.send(chunk)
            try lane.send(chunk)
            #expect(try lane.statuses() == [413])
            #expect(lane.socket.isOutputClosed)
            for _ in 0..<10 { try lane.send(chunk) }
            #expect(lane.channel.isActive)
            lane.channel.embeddedEventLoop.advanceTime(by: DoorLimits.lingerTimeout)
            #expect(!lane.channel.isActive)
            #expect(lane.running.isEmpty)
        }
    }
}
