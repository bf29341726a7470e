package import Linux

/// The sandbox did not close; the process must end, nothing of it may be used.
package struct SandboxError: Error, Equatable, Sendable, CustomStringConvertible {
    package let step: String
    package let cause: SystemError?

    package init(_ step: String, _ cause: SystemError? = nil) {
        self.step = step
        self.cause = cause
    }

    package var description: String {
        guard let cause else { return "the sandbox did not close: \(step)" }
        return "the sandbox did not close at \(step): \(cause)"
    }
}
