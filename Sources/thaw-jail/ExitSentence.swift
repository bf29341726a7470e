import Linux

/// Lambda's words for how a runtime ended.
enum ExitSentence {
    /// Of a child of this process, the first process of its namespace, which ends as its program did.
    static func text(of child: Int32, during id: String?) -> String {
        let status = (try? ProcessHandle.wait(pid: child))?.status ?? 0
        return text(status: status > 128 ? 0 : status, signal: status > 128 ? status - 128 : 0, during: id)
    }

    /// Of a status as `waitpid` has it; nil where nobody knows.
    static func text(ofWaitStatus status: Int32?, during id: String?) -> String {
        guard let status else { return text(status: 0, signal: 0, during: id) }
        return text(status: status >> 8 & 0xff, signal: status & 0x7f, during: id)
    }

    private static func text(status: Int32, signal: Int32, during id: String?) -> String {
        let reason =
            if signal != 0 {
                "Runtime exited with error: signal: \(Signals.name(of: signal))"
            } else if status != 0 {
                "Runtime exited with error: exit status \(status)"
            } else {
                "Runtime exited without providing a reason"
            }
        guard let id else { return "Runtime.ExitError: \(reason)" }
        return "Runtime.ExitError: RequestId: \(id) Error: \(reason)"
    }
}
