import Linux
import Testing

struct SystemCallTests {
    @Test(arguments: [("read", 0), ("ptrace", 101), ("execveat", 322), ("pidfd_open", 434), ("clone3", 435)])
    func `a call has the number that x86-64 gives it`(name: String, number: Int32) {
        #expect(SystemCall.number(of: name) == number)
        #expect(SystemCall.name(of: number) == name)
    }

    @Test(arguments: [-1, 400, 1023, Int32.max])
    func `a number without a name is shown as it is`(number: Int32) {
        #expect(SystemCall.name(of: number) == "call \(number)")
    }

    @Test func `signals are named as the manual names them`() {
        #expect(Signals.name(of: 9) == "SIGKILL")
        #expect(Signals.name(of: 31) == "SIGSYS")
        #expect(Signals.name(of: 200) == "signal 200")
    }
}
