import Foundation
import NIOCore
import Testing

@testable import Doors

@Suite struct FunctionDoorsTests {
    @Test func `a bundle is streamed to the deployer and becomes a version`() async throws {
        try await DoorHarness.run { doors async throws in
            let byteCount = 5_000_000
            var request = ByteBuffer(
                string: """
                    PUT /functions/fresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-tar\r\n\
                    Content-Length: \(byteCount)\r\nConnection: close\r\n\r\n
                    """
            )
            request.writeRepeatingByte(7, count: byteCount)
            let reply = try await RawConnection.exchange(port: doors.port, request)
            #expect(reply.status == 201)
            #expect(reply.headers["location"] == "/functions/fresh")
            #expect(reply.body.contains(#""version":1"#))
            #expect(doors.seen.bundleBytes == [byteCount])
            #expect(try await doors.ask("GET", "/functions/fresh").status == 200)
        }
    }

    @Test func `a deploy under way says how far it is, and one that is not says that`() async throws {
        try await DoorHarness.run { doors async throws in
            let reply = try await doors.ask("GET", "/functions/slow/deploy")
            #expect(reply.status == 200)
            #expect(reply.body.contains(#""phase":"packing""#) && reply.body.contains(#""snapshotBytes":50"#))
            #expect(try await doors.ask("GET", "/functions/echo/deploy").status == 404)
        }
    }

    @Test func `a deploy that fails midway is answered although the client sends on`() async throws {
        var options = DoorHarness.Options()
        options.deployBytesMax = 100_000
        try await DoorHarness.run(options) { doors async throws in
            let byteCount = 8 << 20
            var request = ByteBuffer(
                string: "PUT /functions/fresh HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(byteCount)\r\n\r\n"
            )
            request.writeRepeatingByte(7, count: byteCount)
            let reply = try await RawConnection.exchange(port: doors.port, request)
            #expect(reply.status == 507)
            #expect(reply.body.contains("the disk is full"))
            #expect(reply.headers["connection"] == "close")
        }
    }

    @Test func `half an upload is no deploy`() async throws {
        try await DoorHarness.run { doors async throws in
            _ = try await RawConnection.open(port: doors.port) { inbound, outbound in
                let head = "PUT /functions/fresh HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc"
                try await outbound.write(ByteBuffer(string: head))
                outbound.finish()
                return try? await inbound.text()
            }
            #expect(try await doors.ask("GET", "/functions/fresh").status == 404)
        }
    }

    @Test func `what is no bundle is refused before it is read`() async throws {
        try await DoorHarness.run { doors async throws in
            let named = try await doors.ask("PUT", "/functions/Bad_Name", body: "x")
            #expect(named.status == 400)
            let typed = try await doors.ask(
                "PUT",
                "/functions/a",
                headers: ["Content-Type": "application/json"],
                body: "{}"
            )
            #expect(typed.status == 415)
            #expect(try await doors.ask("PUT", "/functions/a").status == 400)
            let large = try await doors.ask("PUT", "/functions/a", headers: ["Content-Length": "99999999999999"])
            #expect(large.status == 413)
            #expect(doors.seen.bundleBytes.isEmpty)
        }
    }

    @Test func `functions are listed, described and deleted`() async throws {
        try await DoorHarness.run { doors async throws in
            #expect(try await doors.ask("GET", "/functions").body.contains(#""name":"echo""#))
            #expect(try await doors.ask("GET", "/functions/echo").body.contains(#""route":"/custom/echo""#))
            let head = try await doors.ask("HEAD", "/functions/echo")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(try await doors.ask("DELETE", "/functions/echo").status == 204)
            #expect(doors.seen.deleted == ["echo"])
            #expect(try await doors.ask("GET", "/functions/echo").status == 404)
            #expect(try await doors.ask("DELETE", "/functions/echo").status == 404)
        }
    }
}
