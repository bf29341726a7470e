package import Wire

/// Names why a process died, from everything that is known when it is buried.
///
/// The first that holds is the reason.
package struct DeathReason: Equatable, Sendable {
    /// The scheduler itself killed it, for this.
    package var verdict: String?
    /// Name of the system call that its filter refused.
    package var refusedCall: String?
    /// It was killed for its memory; the limit in bytes.
    package var memoryLimitBytes: UInt64?
    /// What its parent's `wait` said; nil when its parent died with it.
    package var death: TemplateReport.Death?
    /// Why its parent died.
    package var parentReason: String?

    package init(
        verdict: String? = nil,
        refusedCall: String? = nil,
        memoryLimitBytes: UInt64? = nil,
        death: TemplateReport.Death? = nil,
        parentReason: String? = nil
    ) {
        self.verdict = verdict
        self.refusedCall = refusedCall
        self.memoryLimitBytes = memoryLimitBytes
        self.death = death
        self.parentReason = parentReason
    }

    /// It ended by itself, as it was told to.
    package var isOrderly: Bool {
        verdict == nil && refusedCall == nil && memoryLimitBytes == nil && parentReason == nil
            && death?.signal == 0 && death?.status == 0
    }

    package var sentence: String {
        if let refusedCall { return "seccomp: the system call \(refusedCall) is not allowed" }
        if let verdict { return verdict }
        if let memoryLimitBytes {
            return "memory: the limit of \(memoryLimitBytes) bytes was exceeded (limits.memory in function.yaml)"
        }
        if let parentReason { return "its template died: \(parentReason)" }
        guard let death else { return "died for a reason that the kernel did not say" }
        if !death.lastWords.isEmpty { return death.lastWords }
        if death.signal == Self.systemCallSignal {
            return "seccomp: a forbidden system call, whose number the worker withheld (SIGSYS)"
        }
        if death.signal != 0 { return "signal: killed by \(Self.signalName(death.signal))" }
        return "exit: ended with status \(death.status) in the middle of a call"
    }

    /// SIGSYS: its sender is the filter.
    ///
    /// A worker that blocked it first dies all the same, but unnamed.
    private static let systemCallSignal: UInt8 = 31

    /// The standard name, such as `SIGKILL`; `signal 34` for one without.
    package static func signalName(_ number: UInt8) -> String {
        let names = [
            "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
            "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",
            "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH",
            "SIGIO", "SIGPWR", "SIGSYS",
        ]
        let index = Int(number) - 1
        return names.indices.contains(index) ? names[index] : "signal \(number)"
    }
}
