import Invoking
import Testing

@testable import Doors

@Suite struct RouteDoorTests {
    @Test func `a route of the function's own reaches it`() async throws {
        try await DoorHarness.run { doors async throws in
            let reply = try await doors.ask("POST", "/custom/echo", body: "hello")
            #expect(reply.status == 200)
            #expect(reply.body == "hello")
            #expect(doors.seen.calls.first?.function == "echo")
        }
    }

    @Test func `a route takes calls only`() async throws {
        try await DoorHarness.run { doors async throws in
            let reply = try await doors.ask("GET", "/custom/echo")
            #expect(reply.status == 405)
            #expect(reply.headers["allow"] == "POST")
        }
    }

    @Test func `every path and method that no door takes is told so`() async throws {
        try await DoorHarness.run { doors async throws in
            for path in ["/", "/nope", "/functions/echo/nope", "/custom", "//", "/../etc/passwd"] {
                let reply = try await doors.ask("POST", path)
                #expect(reply.status == 404, "\(path)")
                #expect(reply.body.contains("\"error\""))
            }
            let reply = try await doors.ask("PATCH", "/functions/echo")
            #expect(reply.status == 405)
            #expect(reply.headers["allow"] == "GET, PUT, DELETE, HEAD")
            #expect(try await doors.ask("GET", "/functions/echo/invocations").status == 405)
        }
    }
}
