import Registry
import Testing

@testable import Doors

@Suite struct VersionDoorsTests {
    @Test func `an alias is set, read and listed`() async throws {
        try await DoorHarness.run { doors async throws in
            let set = try await doors.ask("PUT", "/functions/echo/aliases/live", body: #"{"version": 1}"#)
            #expect(set.status == 200)
            #expect(set.body == #"{"function":"echo","label":"live","version":1}"# + "\n")
            #expect(try await doors.ask("GET", "/functions/echo/aliases/live").body == set.body)
            #expect(try await doors.ask("GET", "/functions/echo/versions").body.contains(#""aliases":{"live":1}"#))
        }
    }

    @Test func `a wrong alias is refused`() async throws {
        try await DoorHarness.run { doors async throws in
            let path = "/functions/echo/aliases/live"
            #expect(try await doors.ask("GET", path).status == 404)
            #expect(try await doors.ask("PUT", path, body: #"{"version": 9}"#).status == 404)
            #expect(try await doors.ask("PUT", path, body: #"{"version": "1"}"#).status == 400)
            #expect(try await doors.ask("PUT", path, body: "[").status == 400)
            #expect(try await doors.ask("PUT", path, body: String(repeating: " ", count: 5000)).status == 413)
            #expect(try await doors.ask("PUT", "/functions/echo/aliases/7", body: #"{"version": 1}"#).status == 400)
            #expect(try await doors.ask("PUT", "/functions/nope/aliases/live", body: #"{"version": 1}"#).status == 404)
        }
    }

    @Test func `a rollback serves the version before, as long as there is one`() async throws {
        try await DoorHarness.run { doors async throws in
            _ = try await doors.registry.deploy(manifest: DoorHarness.manifest("echo"), snapshot: DoorHarness.snapshot)
            let back = try await doors.ask("POST", "/functions/echo/rollback")
            #expect(back.status == 200)
            #expect(back.body.contains(#""version":1"#))
            #expect(try await doors.ask("GET", "/functions/echo/versions").body.contains(#""serving":1"#))
            #expect(try await doors.ask("POST", "/functions/echo/rollback").status == 409)
        }
    }
}
