import Testing
import Wire

@testable import Fleet

struct DeathReasonTests {
    private func death(signal: UInt8 = 0, status: UInt8 = 0) -> TemplateReport.Death {
        TemplateReport.Death(signal: signal, status: status, refusedCall: -1, cpuNanoseconds: 0, residentBytesMax: 0)
    }

    @Test func `a refused system call is the reason whatever else is known`() {
        let reason = DeathReason(verdict: "seccomp", refusedCall: "openat", death: death(signal: 9))
        #expect(reason.sentence == "seccomp: the system call openat is not allowed")
    }

    @Test func `the scheduler's own verdict comes before the signal that carried it out`() {
        let reason = DeathReason(verdict: "timeout: too late", death: death(signal: 9))
        #expect(reason.sentence == "timeout: too late")
    }

    @Test func `a kill for memory names the limit as a number`() {
        let reason = DeathReason(memoryLimitBytes: 67_108_864, death: death(signal: 9))
        #expect(reason.sentence.contains("67108864 bytes"))
    }

    @Test func `a signal from outside is named, and one without a name numbered`() {
        #expect(DeathReason(death: death(signal: 9)).sentence == "signal: killed by SIGKILL")
        #expect(DeathReason(death: death(signal: 11)).sentence == "signal: killed by SIGSEGV")
        #expect(DeathReason(death: death(signal: 40)).sentence == "signal: killed by signal 40")
    }

    @Test func `an exit tells its status, and a template's death that of the template`() {
        #expect(DeathReason(death: death(status: 7)).sentence.contains("status 7"))
        let reason = DeathReason(parentReason: "signal: killed by SIGKILL")
        #expect(reason.sentence == "its template died: signal: killed by SIGKILL")
    }
}
