import Scheduling
import Testing

@Suite struct InstantTests {
    @Test func `a duration too long ends at the end of time`() {
        #expect(Instant(nanoseconds: 5).advanced(byNanoseconds: .max) == Instant(nanoseconds: .max))
        #expect(Instant(nanoseconds: 5).advanced(byNanoseconds: 7) == Instant(nanoseconds: 12))
    }

    @Test func `a clock that went backwards measures nothing`() {
        #expect(Instant(nanoseconds: 5).nanoseconds(since: Instant(nanoseconds: 9)) == 0)
        #expect(Instant(nanoseconds: 9).nanoseconds(since: Instant(nanoseconds: 5)) == 4)
    }
}
