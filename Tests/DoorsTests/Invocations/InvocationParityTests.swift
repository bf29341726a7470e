import Foundation
import Invoking
import Logging
import Metering
import NIOCore
import Registry
import ServiceLifecycle
import Testing

@testable import Doors

/// The lane reads a request as the router would: same status for the same bytes.
@Suite struct InvocationParityTests {
    /// Heads that people send, and heads that nobody should.
    private static let requests = [
        "POST /functions/echo/invocations?qualifier=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
        "POST /functions/echo/invocations HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /functions//echo/invocations/?qualifier=%31&x#y HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n",
        "POST http://localhost/functions/echo/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx",
        "POST /custom/echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:1\r\nContent-Length: 1\r\n\r\nx",
        "POST /functions/echo/invocations HTTP/1.0\r\nOrigin: null\r\nContent-Length: 1\r\n\r\nx",
        "GET /functions/echo/invocations HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /functions/nope/invocations?qualifier=live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1025\r\n\r\n",
        "POST /functions/echo/invocations?qualifier=9 HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    ]

    /// Pieces of requests that mean something to one reader or the other.
    private static let morsels = [
        "/", "//", "?", "&", "#", "%2f", "%65", "..", "qualifier=", "qualifier=1", "latest", "functions", "invocations",
        "Host: localhost\r\n", "Host: evil.example\r\n", "Origin: https://evil.example\r\n", "Content-Length: 2\r\n",
        "Content-Length: 99999\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "HTTP/1.0", " ",
        "\r\n",
        "http://localhost", "*", "é", "\u{0}", "+1", "Connection: close\r\n",
    ]

    private static func mutant(_ round: Int, _ random: inout SeededRandom) -> ByteBuffer {
        var bytes = Array(requests[round % requests.count].utf8)
        // Each request also goes as it stands.
        let changes = round < requests.count ? 0 : Int.random(in: 1...3, using: &random)
        for _ in 0..<changes {
            let index = Int.random(in: 0..<max(bytes.count, 1), using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where !bytes.isEmpty: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...9, using: &random)))
            default:
                let morsel = morsels[Int.random(in: 0..<morsels.count, using: &random)]
                bytes.insert(contentsOf: Array(morsel.utf8), at: index)
            }
        }
        return ByteBuffer(bytes: bytes)
    }

    @Test func `the lane answers what the router would`() async throws {
        try await DoorHarness.run { doors async throws in
            try await withOracle(doors) { oracle in
                var random = SeededRandom(state: 20_260_202)
                for round in 0..<400 {
                    let request = Self.mutant(round, &random)
                    let ours = try await Self.status(of: request, port: doors.port)
                    let theirs = try await Self.status(of: request, port: oracle)
                    #expect(ours == theirs, "\(String(buffer: request).debugDescription)")
                }
            }
        }
    }

    /// The status of the first final reply; 0 where the connection ended without one.
    private static func status(of request: ByteBuffer, port: Int) async throws -> Int {
        let text = try? await RawConnection.open(port: port) { inbound, outbound in
            try await outbound.write(request)
            outbound.finish()
            return try await inbound.text()
        }
        let reply = (text ?? "").replacingOccurrences(of: "HTTP/1.1 100 Continue\r\n\r\n", with: "")
        return RawReply(reply).status
    }

    private func withOracle(_ doors: DoorHarness, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        let (ports, found) = AsyncStream<Int>.makeStream()
        let server = try RouterOracle.server(doors.services) { found.yield($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            let service = ServiceGroup(services: [server], logger: .init(label: "oracle"))
            group.addTask { try await service.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            do {
                try await body(port)
            } catch {
                group.cancelAll()
                throw error
            }
            await service.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }
}
