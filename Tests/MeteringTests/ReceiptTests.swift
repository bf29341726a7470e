import Foundation
import Metering
import Testing

@Suite struct ReceiptTests {
    @Test func `a receipt is the same after JSON, and names what it does not have`() throws {
        var receipt = Scratch.succeeded(Scratch.attempt(id: try #require(InvocationID(InvocationIDTests.example))))
        receipt.start = nil
        let json = try JSONEncoder().encode(receipt)
        #expect(try JSONDecoder().decode(Receipt.self, from: json) == receipt)
        let document = try #require(JSONSerialization.jsonObject(with: json) as? [String: Any])
        #expect(document["id"] as? String == InvocationIDTests.example)
        #expect(document["acceptedAt"] as? String == "2026-11-21T12:00:00.123456789Z")
        #expect(document["outcome"] as? String == "succeeded")
        #expect(document["start"] is NSNull)
        #expect(document["reason"] is NSNull)
        #expect(document.count == 22)
    }

    /// Expected values from `date -u -d @N +%FT%T`.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (951_782_399, "2000-02-28T23:59:59.000000000Z"),
        (951_782_400, "2000-02-29T00:00:00.000000000Z"),
        (1_709_164_800, "2024-02-29T00:00:00.000000000Z"),
        (1_735_689_599, "2024-12-31T23:59:59.000000000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
    ])
    func `the time of acceptance is in the calendar`(_ seconds: UInt64, _ text: String) {
        let attempt = Attempt(
            id: .generated(),
            function: "echo",
            version: 1,
            snapshot: "",
            bytesIn: 0,
            acceptedUnixNanoseconds: seconds * 1_000_000_000
        )
        #expect(Receipt(attempt).acceptedAt == text)
    }

    @Test func `the calendar agrees with Foundation for two centuries`() {
        for day in stride(from: UInt64(0), to: 84_000, by: 11) {
            let attempt = Attempt(
                id: .generated(),
                function: "echo",
                version: 1,
                snapshot: "",
                bytesIn: 0,
                acceptedUnixNanoseconds: day * 86_400_000_000_000 + 43_200_000_000_000
            )
            let expected = Date(timeIntervalSince1970: Double(day) * 86_400 + 43_200).formatted(.iso8601)
            #expect(Receipt(attempt).acceptedAt == expected.dropLast() + ".000000000Z")
        }
    }
}
