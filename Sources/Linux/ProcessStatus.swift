/// What the kernel says of a process in `/proc`.
package struct ProcessStatus: Equatable, Sendable {
    /// Its number in the innermost of its pid namespaces; 1 for the first process of one.
    package let innermostNumber: Int32
    /// Whether it has, or could take, any capability.
    package let hasCapabilities: Bool

    package init(of pid: Int32) throws(SystemError) {
        let bytes = try FileDescriptor.open("/proc/\(pid)/status").readAll(countMax: 64 * 1024)
        guard let status = ProcessStatus(parsing: String(decoding: bytes, as: UTF8.self)) else {
            throw SystemError(call: "read the status of process \(pid)", code: SystemError.inputOutput)
        }
        self = status
    }

    /// nil where a line is missing.
    package init?(parsing text: String) {
        var number: Int32?
        var sets = 0
        var hasCapabilities = false
        for line in text.split(separator: "\n") {
            if line.hasPrefix("NSpid:") {
                number = line.dropFirst(6).split(separator: "\t").last.flatMap { Int32($0) }
            } else if line.hasPrefix("CapInh:") || line.hasPrefix("CapPrm:") || line.hasPrefix("CapAmb:") {
                guard let bits = UInt64(line.dropFirst(7).drop { $0 == "\t" }, radix: 16) else { return nil }
                sets += 1
                hasCapabilities = hasCapabilities || bits != 0
            }
        }
        guard let number, sets == 3 else { return nil }
        innermostNumber = number
        self.hasCapabilities = hasCapabilities
    }
}
