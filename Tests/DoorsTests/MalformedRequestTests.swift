import NIOCore
import Testing

@testable import Doors

@Suite struct MalformedRequestTests {
    private static let requests = [
        "POST /functions/echo/invocations?qualifier=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /functions/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "GET /receipts?last=10&function=echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n",
        "GET /functions/echo/logs?last=5&follow=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n",
        "PUT /functions/echo/aliases/live HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 13\r\n\r\n{\"version\":1}",
    ]

    @Test func `mutated requests never bring the doors down`() async throws {
        try await DoorHarness.run { doors async throws in
            var random = SeededRandom(state: 20_260_101)
            for round in 0..<500 {
                var bytes = Array(Self.requests[round % Self.requests.count].utf8)
                for _ in 0...Int.random(in: 0..<4, using: &random) {
                    let index = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes.remove(at: index)
                    case 2:
                        bytes.insert(
                            contentsOf: Array("\r\n %00/?&=9999999999999999999:".utf8.shuffled(using: &random)),
                            at: index
                        )
                    default: bytes.removeSubrange(index..<min(bytes.count, index + 9))
                    }
                    if bytes.isEmpty { bytes = [0] }
                }
                let request = ByteBuffer(bytes: bytes)
                _ = try? await RawConnection.open(port: doors.port) { _, outbound in
                    try await outbound.write(request)
                    outbound.finish()
                }
            }
            #expect(try await doors.ask("GET", "/healthz").status == 200)
        }
    }

    @Test func `headers over the limit are refused`() async throws {
        try await DoorHarness.run { doors async throws in
            let long = try await doors.ask(
                "GET",
                "/healthz",
                headers: ["X-Long": String(repeating: "x", count: 20_000)]
            )
            #expect(long.status == 400)
            var many: [String: String] = [:]
            for number in 0..<200 { many["X-\(number)"] = "1" }
            #expect(try await doors.ask("GET", "/healthz", headers: many).status == 400)
        }
    }

    @Test func `what is not HTTP is refused`() async throws {
        try await DoorHarness.run { doors async throws in
            for text in [
                "hello\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
                "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            ] {
                let reply = try await RawConnection.open(port: doors.port) { inbound, outbound in
                    try await outbound.write(ByteBuffer(string: text))
                    outbound.finish()
                    return RawReply(try await inbound.text())
                }
                #expect(reply.status == 400 || reply.status == 0)
            }
        }
    }
}
