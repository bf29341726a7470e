import Scheduling
import Testing

@Suite struct AdmissionTests {
    @Test func `the average follows the pace, and one slow call does not scare callers off`() {
        var admission = Admission()
        for _ in 0..<50 { admission.noteHold(nanoseconds: 4_000_000) }
        admission.noteHold(nanoseconds: 80_000_000)
        #expect((4_000_000...14_000_000).contains(admission.holdNanosecondsAverage))
        for _ in 0..<60 { admission.noteHold(nanoseconds: 4_000_000) }
        #expect((3_900_000...4_100_000).contains(admission.holdNanosecondsAverage))
    }

    @Test func `before the first call is done every place of the queue is open`() {
        let limits = PoolLimits.usual(queue: 3)
        #expect(Admission().refusal(waiting: 2, slots: 1, limits: limits) == nil)
        #expect(Admission().refusal(waiting: 3, slots: 1, limits: limits) == .queueFull(retryAfterSeconds: 1))
    }

    @Test func `no duration overflows, and nobody is sent away for longer than an hour`() {
        var admission = Admission()
        admission.noteHold(nanoseconds: .max)
        admission.noteHold(nanoseconds: .max)
        #expect(admission.retryAfterSeconds(waiting: .max, slots: 0) == 3600)
        let refusal = admission.refusal(waiting: 1, slots: 1, limits: .usual())
        #expect(refusal == .deadlineUnreachable(retryAfterSeconds: 3600))
    }
}
