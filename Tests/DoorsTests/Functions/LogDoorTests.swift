import Invoking
import NIOCore
import Testing

@testable import Doors

@Suite struct LogDoorTests {
    private func line(_ message: String) -> LogLine {
        LogLine(time: "2026-01-01T00:00:00Z", version: 1, message: message)
    }

    @Test func `the newest lines come in one document`() async throws {
        try await DoorHarness.run { doors async throws in
            for number in 1...3 { doors.logs.append(line("line \(number)"), function: "echo") }
            let reply = try await doors.ask("GET", "/functions/echo/logs?last=2")
            #expect(reply.status == 200)
            #expect(!reply.body.contains("line 1"))
            #expect(reply.body.contains("line 2") && reply.body.contains("line 3"))
            #expect(try await doors.ask("GET", "/functions/nope/logs").status == 404)
            #expect(try await doors.ask("GET", "/functions/echo/logs?last=-1").status == 400)
            #expect(try await doors.ask("GET", "/functions/echo/logs?follow=perhaps").status == 400)
        }
    }

    @Test func `a follower gets the past, then each new line, one document a line`() async throws {
        try await DoorHarness.run { doors async throws in
            doors.logs.append(line("past"), function: "echo")
            let text = try await RawConnection.open(port: doors.port) { inbound, outbound in
                let request = "GET /functions/echo/logs?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n"
                try await outbound.write(ByteBuffer(string: request))
                var bytes = ByteBuffer()
                var isAppended = false
                for try await var piece in inbound.stream {
                    bytes.writeBuffer(&piece)
                    let text = String(buffer: bytes)
                    if text.contains("future") { return text }
                    if text.contains("past"), !isAppended {
                        isAppended = true
                        doors.logs.append(line("future"), function: "echo")
                    }
                }
                return String(buffer: bytes)
            }
            #expect(text.contains("application/x-ndjson"))
            #expect(text.contains("past"))
            #expect(text.contains("future"))
        }
    }

    @Test func `a drain ends the followers`() async throws {
        let (connected, said) = AsyncStream<Void>.makeStream()
        let (texts, read) = AsyncStream<String>.makeStream()
        try await DoorHarness.run { doors async throws in
            doors.logs.append(line("past"), function: "echo")
            let port = doors.port
            Task {
                let text = try await RawConnection.open(port: port) { inbound, outbound in
                    let request = "GET /functions/echo/logs?follow HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    try await outbound.write(ByteBuffer(string: request))
                    return try await inbound.text { text in
                        if text.contains("past") { said.yield() }
                        return false
                    }
                }
                read.yield(text)
            }
            var iterator = connected.makeAsyncIterator()
            await iterator.next()
        }
        // The harness returned: the server did not wait for the follower to go. It got a proper end.
        var iterator = texts.makeAsyncIterator()
        #expect(await iterator.next()?.hasSuffix("0\r\n\r\n") == true)
    }
}
