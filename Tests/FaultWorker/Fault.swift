import CProbe
import Linux
import Serving
import Wire

/// Memory that is eaten and kept.
struct Hoard {
    var blocks: [[UInt8]] = []
}

/// One line of input: a command and its arguments.
///
/// `hang`, `spin`, `eat MIB`, `call NAME [NUMBER…]` (a system call; arguments default to 0), `exit STATUS`, `crash`,
/// `trap`, `garbage`, `flood BYTES`, `stderr TEXT`, `refuse TEXT`, `echo TEXT`.
struct Fault {
    private let command: Substring
    private let rest: Substring

    init(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        command = parts.first ?? ""
        rest = parts.count > 1 ? parts[1] : ""
    }

    func commit(hoarding hoard: inout Hoard) throws(CallFailure) -> [UInt8] {
        switch command {
        case "hang":
            probe_hang()
        case "spin":
            while true {}
        case "eat":
            for _ in 0..<(try number()) {
                hoard.blocks.append([UInt8](repeating: 1, count: 1024 * 1024))
            }
        case "call":
            return Array("\(try call())".utf8)
        case "exit":
            CurrentProcess.exit(Int32(truncatingIfNeeded: try number()))
        case "crash":
            probe_crash()
        case "trap":
            preconditionFailure("told to trap")
        case "garbage":
            try write([UInt8](repeating: 0xee, count: 64), to: 3)
        case "flood":
            return [UInt8](repeating: UInt8(ascii: "x"), count: try number())
        case "stderr":
            try write(Array("\(rest)\n".utf8), to: 2)
        case "refuse":
            throw CallFailure(code: .badInput, message: String(rest))
        case "echo":
            return Array(rest.utf8)
        default:
            throw CallFailure(code: .badInput, message: "no fault is called \(command)")
        }
        return Array("done".utf8)
    }

    private func number() throws(CallFailure) -> Int {
        guard let number = Int(rest) else {
            throw CallFailure(code: .badInput, message: "\(command) takes a number, not \(rest)")
        }
        return number
    }

    /// The kernel's answer: negative is an errno.
    private func call() throws(CallFailure) -> Int {
        let words = rest.split(separator: " ")
        guard let name = words.first, let number = SystemCall.number(of: String(name)) else {
            throw CallFailure(code: .badInput, message: "no system call is called \(rest)")
        }
        var arguments = words.dropFirst().compactMap { Int($0) }
        arguments += [Int](repeating: 0, count: max(0, 6 - arguments.count))
        return unsafe probe_call(number, arguments)
    }

    private func write(_ bytes: [UInt8], to number: Int32) throws(CallFailure) {
        let descriptor = FileDescriptor(owning: number)
        let failure: SystemError?
        do throws(SystemError) {
            try descriptor.writeAll(bytes)
            failure = nil
        } catch {
            failure = error
        }
        _ = descriptor.take()
        if let failure { throw CallFailure(code: .model, message: "descriptor \(number): \(failure)") }
    }
}
