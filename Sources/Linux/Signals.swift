import CLinux
import Glibc

/// Signals of the calling process.
package enum Signals {
    package static let kill = SIGKILL
    package static let terminate = SIGTERM
    package static let interrupt = SIGINT
    package static let segmentation = SIGSEGV
    package static let systemCall = SIGSYS
    package static let abort = SIGABRT
    package static let illegal = SIGILL

    /// Keeps signals from being delivered to the calling thread and to those it starts.
    package static func block(_ numbers: [Int32]) throws(SystemError) {
        var set = sigset_t()
        _ = unsafe sigemptyset(&set)
        for number in numbers {
            _ = unsafe sigaddset(&set, number)
        }
        try checkedCode("pthread_sigmask", unsafe pthread_sigmask(SIG_BLOCK, &set, nil))
    }

    /// A write to a closed pipe or socket becomes an error instead of the process's end.
    package static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// Polite orders to end are for whoever leads this process, which has a socket to say so.
    package static func ignoreEndings() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            _ = signal(number, SIG_IGN)
        }
    }

    /// Crashes end the process at once, without the language runtime's reporter, which would start a program.
    package static func forgetCrashHandlers() {
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGQUIT] {
            _ = signal(number, SIG_DFL)
        }
    }

    /// `SIGKILL`, `SIGSEGV`, …; `signal 77` where it has no name.
    package static func name(of number: Int32) -> String {
        guard let name = unsafe thaw_signal_name(number) else { return "signal \(number)" }
        return unsafe "SIG\(String(cString: name))"
    }
}
