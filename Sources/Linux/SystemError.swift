/// What the kernel answered when it refused a call.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call and what it was about, as in `open /data/x`.
    package let call: String
    /// The kernel's reason, an `errno` value.
    package let code: Int32

    package init(call: String, code: Int32) {
        self.call = call
        self.code = code
    }

    /// `open /x: No such file or directory (ENOENT)`.
    package var description: String {
        "\(call): \(SystemError.text(of: code)) (\(SystemError.name(of: code)))"
    }
}
