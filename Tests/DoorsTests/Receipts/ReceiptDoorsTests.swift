import Foundation
import Testing

@testable import Doors

@Suite struct ReceiptDoorsTests {
    @Test func `a receipt has the fields of the last attempt, and all attempts`() async throws {
        try await DoorHarness.run { doors async throws in
            let call = try await doors.ask("POST", "/functions/echo/invocations", body: "hello")
            let id = try #require(call.headers["thaw-invocation-id"])
            let reply = try await doors.ask("GET", "/receipts/\(id)")
            #expect(reply.status == 200)
            let receipt = try #require(
                try JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any]
            )
            #expect(receipt["id"] as? String == id)
            #expect(receipt["bytesIn"] as? Int == 5)
            let attempts = try #require(receipt["attempts"] as? [[String: Any]])
            #expect(attempts.map { $0["id"] as? String } == [id])
        }
    }

    @Test func `an unknown or malformed id is told apart`() async throws {
        try await DoorHarness.run { doors async throws in
            #expect(try await doors.ask("GET", "/receipts/nope").status == 400)
            #expect(try await doors.ask("GET", "/receipts/018f3c1e-7b2a-7c3d-8e4f-5a6b7c8d9e0f").status == 404)
        }
    }

    @Test func `receipts are listed by function and number`() async throws {
        try await DoorHarness.run { doors async throws in
            for _ in 1...3 { _ = try await doors.ask("POST", "/functions/echo/invocations", body: "x") }
            for (query, count) in [("", 3), ("?function=echo&last=2", 2), ("?function=other", 0)] {
                let reply = try await doors.ask("GET", "/receipts\(query)")
                #expect(reply.body.components(separatedBy: #""function":"#).count - 1 == count)
            }
            for wrong in ["0", "1001", "x", "99999999999999999999"] {
                #expect(try await doors.ask("GET", "/receipts?last=\(wrong)").status == 400)
            }
        }
    }
}
