import Testing

@testable import Invoking

@Suite struct `A log of what happens often` {
    private let second: UInt64 = 1_000_000_000

    @Test func `has the first at once`() {
        var log = SparseLog()
        #expect(log.note(at: 0) == 0)
    }

    @Test func `passes over what follows within the pause, and says later how often`() {
        var log = SparseLog()
        #expect(log.note(at: 7 * second) == 0)
        for time in 7..<12 { #expect(log.note(at: UInt64(time) * second + 1) == nil) }
        #expect(log.note(at: 12 * second) == 5)
        #expect(log.note(at: 12 * second + 1) == nil)
        #expect(log.note(at: 17 * second) == 1)
    }

    @Test func `has what comes after a long quiet at once, with nothing passed over`() {
        var log = SparseLog()
        #expect(log.note(at: 0) == 0)
        #expect(log.note(at: 3600 * second) == 0)
    }
}
