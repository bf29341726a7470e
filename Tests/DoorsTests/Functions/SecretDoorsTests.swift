import Foundation
import Secrets
import Testing

@testable import Doors

@Suite struct SecretDoorsTests {
    private static func request(_ method: String, _ path: String, _ body: String = "") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            + body
    }

    @Test func `a secret goes in and never comes out, and its function's workers are made anew`() async throws {
        try await DoorHarness.run { harness in
            let set = try await RawConnection.exchange(
                port: harness.port,
                Self.request("PUT", "/functions/echo/secrets/TOKEN", "hunter2")
            )
            #expect(set.status == 200)
            let list = try await RawConnection.exchange(
                port: harness.port,
                Self.request("GET", "/functions/echo/secrets")
            )
            #expect(list.status == 200 && list.body.contains("\"TOKEN\""))
            #expect(!(set.description + list.description).contains("hunter2"))
            #expect(harness.seen.moved == ["refresh echo"])
            #expect(try harness.services.secrets.environment(of: "echo") == ["TOKEN=hunter2"])
            let removed = try await RawConnection.exchange(
                port: harness.port,
                Self.request("DELETE", "/functions/echo/secrets/TOKEN")
            )
            #expect(removed.status == 200)
            let again = try await RawConnection.exchange(
                port: harness.port,
                Self.request("DELETE", "/functions/echo/secrets/TOKEN")
            )
            #expect(again.status == 404)
        }
    }

    @Test func `what cannot be a secret is refused with a sentence`() async throws {
        try await DoorHarness.run { harness in
            let name = try await RawConnection.exchange(
                port: harness.port,
                Self.request("PUT", "/functions/echo/secrets/A-B", "x")
            )
            #expect(name.status == 400 && name.body.contains("cannot name a secret"))
            let long = String(repeating: "x", count: 20_000)
            let value = try await RawConnection.exchange(
                port: harness.port,
                Self.request("PUT", "/functions/echo/secrets/A", long)
            )
            #expect(value.status == 413)
        }
    }
}
