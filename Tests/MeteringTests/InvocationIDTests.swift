import Foundation
import Linux
import Metering
import Testing

@Suite struct InvocationIDTests {
    /// The example of RFC 9562, appendix A.6: 2022-02-22 14:22:22 in New York.
    static let example = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

    @Test func `the example of the RFC is read and written`() throws {
        let id = try #require(InvocationID(Self.example))
        #expect(id.description == Self.example)
        #expect(id.high >> 16 == 0x017F_22E2_79B0)
        #expect(InvocationID(Self.example.uppercased()) == id)
        let json = try JSONEncoder().encode([id])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(Self.example)\"]")
        #expect(try JSONDecoder().decode([InvocationID].self, from: json) == [id])
    }

    @Test(arguments: [
        "", "017f22e2", "017f22e279b07cc398c4dc0c0c07398f", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-18c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f ",
        "017f22e2+79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c073９",
    ])
    func `text that is not a UUID of version 7 is no identifier`(_ text: String) {
        #expect(InvocationID(text) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([InvocationID].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test func `identifiers rise strictly, whatever the clock does`() {
        var sequence = InvocationIDSequence()
        var generator = SeededGenerator(seed: 1)
        let noon: UInt64 = 1_795_262_400_000_000_000
        // Forward, standing, and set back by an hour.
        let clock = [noon, noon + 1, noon + 1, noon + 5_000_000, noon - 3_600_000_000_000, noon - 3_599_000_000_000]
        var ids: [InvocationID] = []
        for now in clock {
            for _ in 0..<1_000 { ids.append(sequence.next(unixNanoseconds: now, random: generator.next())) }
        }
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 })
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0.description < $1.description })
        #expect(ids.allSatisfy { InvocationID($0.description) == $0 })
    }

    @Test func `the first 48 bits are the milliseconds`() {
        var sequence = InvocationIDSequence()
        let id = sequence.next(unixNanoseconds: 1_645_557_742_000_999_999, random: .max)
        #expect(id.description.hasPrefix("017f22e2-79b0-7fff-bfff-ffffffffffff"))
    }

    @Test func `identifiers of many threads are all different and of now`() async {
        let before = Clock.wallNanoseconds() / 1_000_000
        let ids = await withTaskGroup(of: [InvocationID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<2_000).map { _ in InvocationID.generated() } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ids).count == 16_000)
        let after = Clock.wallNanoseconds() / 1_000_000
        #expect(ids.allSatisfy { (before...after + 10).contains($0.high >> 16) })
    }
}
