import Foundation
import Invoking
import NIOCore
import Testing

@testable import Doors

@Suite struct InvocationDoorTests {
    @Test func `a call comes back with its body and what it took`() async throws {
        try await DoorHarness.run { doors async throws in
            let reply = try await doors.ask(
                "POST",
                "/functions/echo/invocations",
                headers: ["Content-Type": "application/json"],
                body: #"{"a":1}"#
            )
            #expect(reply.status == 200)
            #expect(reply.body == #"{"a":1}"#)
            #expect(reply.headers["content-type"] == "application/json")
            #expect(reply.headers["thaw-start"] == "hot")
            #expect(reply.headers["server-timing"] == "queue;dur=0.012, bind;dur=0.210, run;dur=3.402")
            #expect(reply.headers["thaw-invocation-id"].map(\.count) == 36)
            #expect(reply.headers["date"]?.hasSuffix(" GMT") == true)
        }
    }

    @Test func `a failed call says so in one form, with the id of its receipt`() async throws {
        var options = DoorHarness.Options()
        options.failure = .overloaded(retryAfterSeconds: 7)
        try await DoorHarness.run(options) { doors async throws in
            let reply = try await doors.ask("POST", "/functions/echo/invocations", body: "x")
            #expect(reply.status == 429)
            #expect(reply.headers["retry-after"] == "7")
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: [String: String]]
            )
            #expect(document["error"]?["code"] == "overloaded")
            #expect(document["error"]?["invocation"] == reply.headers["thaw-invocation-id"])
        }
    }

    @Test func `an unknown function or version is not found`() async throws {
        try await DoorHarness.run { doors async throws in
            for path in [
                "/functions/nope/invocations", "/functions/No_Name/invocations", "/functions/%2e%2e/invocations",
            ] {
                let reply = try await doors.ask("POST", path, body: "x")
                #expect(reply.status == 404)
                #expect(reply.body.contains("unknownFunction"))
            }
            let reply = try await doors.ask("POST", "/functions/echo/invocations?qualifier=9", body: "x")
            #expect(reply.status == 404)
            #expect(reply.body.contains("unknownQualifier"))
            #expect(doors.seen.calls.isEmpty)
        }
    }

    @Test func `the qualifier reaches the call`() async throws {
        try await DoorHarness.run { doors async throws in
            #expect(try await doors.ask("POST", "/functions/echo/invocations?qualifier=1", body: "x").status == 200)
            #expect(doors.seen.calls.first?.qualifier == "1")
        }
    }

    @Test func `a body that says it is too large is refused before a byte of it is sent`() async throws {
        try await DoorHarness.run { doors async throws in
            let request = """
                POST /functions/echo/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\
                Expect: 100-continue\r\n\r\n
                """
            let reply = try await RawConnection.exchange(port: doors.port, request)
            #expect(reply.status == 413)
            #expect(reply.headers["connection"] == "close")
            #expect(doors.seen.calls.isEmpty)
        }
    }

    @Test func `who waits for a word gets it, then sends`() async throws {
        try await DoorHarness.run { doors async throws in
            let text = try await RawConnection.open(port: doors.port) { inbound, outbound in
                let head = """
                    POST /functions/echo/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\
                    Expect: 100-continue\r\nConnection: close\r\n\r\n
                    """
                try await outbound.write(ByteBuffer(string: head))
                var bytes = ByteBuffer()
                var isSent = false
                for try await var piece in inbound.stream {
                    bytes.writeBuffer(&piece)
                    if !isSent, String(buffer: bytes).contains("\r\n\r\n") {
                        #expect(String(buffer: bytes).hasPrefix("HTTP/1.1 100 Continue\r\n"))
                        isSent = true
                        try await outbound.write(ByteBuffer(string: "hello"))
                    }
                }
                return String(buffer: bytes)
            }
            #expect(text.contains("HTTP/1.1 200 OK"))
            #expect(text.hasSuffix("\r\n\r\nhello"))
        }
    }

    @Test func `a body in chunks is counted and refused where it goes over the limit`() async throws {
        try await DoorHarness.run { doors async throws in
            let chunk = "200\r\n" + String(repeating: "x", count: 512) + "\r\n"
            let head = "POST /functions/echo/invocations HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            let refused = try await RawConnection.exchange(
                port: doors.port,
                head + "\r\n" + String(repeating: chunk, count: 3) + "0\r\n\r\n"
            )
            #expect(refused.status == 413)
            let whole = try await RawConnection.exchange(
                port: doors.port,
                head + "Connection: close\r\n\r\n" + String(repeating: chunk, count: 2) + "0\r\n\r\n"
            )
            #expect(whole.status == 200)
            #expect(doors.seen.calls.map(\.body.readableBytes) == [1024])
        }
    }

    @Test func `a refused client that sends on still reads the refusal`() async throws {
        try await DoorHarness.run { doors async throws in
            let byteCount = 8 << 20
            var request = ByteBuffer(
                string:
                    "POST /functions/echo/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(byteCount)\r\n\r\n"
            )
            request.writeRepeatingByte(UInt8(ascii: "x"), count: byteCount)
            let reply = try await RawConnection.exchange(port: doors.port, request)
            #expect(reply.status == 413)
        }
    }

    @Test func `a small refused body leaves the connection open for the next request`() async throws {
        try await DoorHarness.run { doors async throws in
            let refused = "POST /functions/nope/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
            let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let reply = try await RawConnection.exchange(port: doors.port, refused + next)
            #expect(reply.status == 404)
            #expect(reply.description.contains("HTTP/1.1 200 OK"))
        }
    }

    @Test func `half a body is not a call`() async throws {
        try await DoorHarness.run { doors async throws in
            for framing in ["Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n64\r\nabc"] {
                _ = try await RawConnection.open(port: doors.port) { inbound, outbound in
                    let head = "POST /functions/echo/invocations HTTP/1.1\r\nHost: localhost\r\n"
                    try await outbound.write(ByteBuffer(string: head + framing))
                    outbound.finish()
                    return try? await inbound.text()
                }
            }
            #expect(doors.seen.calls.isEmpty)
        }
    }
}
