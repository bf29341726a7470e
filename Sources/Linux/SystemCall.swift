import CLinux

/// System calls of x86-64 by number.
package enum SystemCall {
    /// `ptrace`, say; `call 1023` where the number has no name.
    package static func name(of number: Int32) -> String {
        guard let name = unsafe thaw_call_name(number) else { return "call \(number)" }
        return unsafe String(cString: name)
    }

    /// `nil` where no call has this name.
    package static func number(of name: String) -> Int32? {
        (0..<numberMax).first { self.name(of: $0) == name }
    }

    /// No kernel has used a higher number yet.
    package static let numberMax: Int32 = 512
}
