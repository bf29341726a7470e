import Testing

@testable import Doors

@Suite struct AdminDoorsTests {
    @Test func `a ready node says so`() async throws {
        try await DoorHarness.run { doors async throws in
            #expect(try await doors.ask("GET", "/healthz").status == 200)
            #expect(try await doors.ask("GET", "/readyz").status == 200)
            #expect(try await doors.ask("GET", "/pools").body.contains(#""name":"echo""#))
            #expect(try await doors.ask("POST", "/gc").body == #"{"bytes":3000,"snapshots":2}"# + "\n")
        }
    }

    @Test(arguments: [Readiness.starting, .draining])
    func `a node that is not ready is healthy and unready`(readiness: Readiness) async throws {
        var options = DoorHarness.Options()
        options.readiness = readiness
        try await DoorHarness.run(options) { doors async throws in
            #expect(try await doors.ask("GET", "/healthz").status == 200)
            let reply = try await doors.ask("GET", "/readyz")
            #expect(reply.status == 503)
            #expect(reply.headers["retry-after"] != nil)
        }
    }

    @Test func `with a token every door asks for it`() async throws {
        var options = DoorHarness.Options()
        options.token = "0123456789abcdef"
        try await DoorHarness.run(options) { doors async throws in
            let requests = [
                ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/pools"), ("POST", "/gc"), ("GET", "/functions"),
                ("GET", "/functions/echo"), ("POST", "/functions/echo/invocations"), ("GET", "/receipts"),
                ("POST", "/custom/echo"), ("GET", "/nope"), ("DELETE", "/functions/echo"),
                ("GET", "/functions/echo/logs"), ("POST", "/functions/echo/rollback"),
            ]
            for (method, path) in requests {
                let reply = try await doors.ask(method, path)
                #expect(reply.status == 401, "\(method) \(path)")
                #expect(reply.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
                let wrong = try await doors.ask(method, path, headers: ["Authorization": "Bearer wrong"])
                #expect(wrong.status == 401, "\(method) \(path)")
            }
            let headers = ["Authorization": "Bearer 0123456789abcdef", "Host": "any.example"]
            #expect(try await doors.ask("GET", "/healthz", headers: headers).status == 200)
            #expect(doors.seen.calls.isEmpty)
        }
    }

    @Test func `a foreign host name is refused without a token`() async throws {
        try await DoorHarness.run { doors async throws in
            let reply = try await doors.ask("GET", "/functions", headers: ["Host": "evil.example"])
            #expect(reply.status == 403)
            #expect(reply.body.contains("hostRefused"))
        }
    }
}
