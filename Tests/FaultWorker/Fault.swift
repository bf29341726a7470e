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
/// `trap`, `garbage`, `sent CURSOR`, `took CURSOR` (into its rings, then it hangs), `doorbells`, `flood BYTES`, `log`,
/// `stderr TEXT`, `refuse TEXT`, `echo TEXT`.
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
            try forge(0xee, count: 64, at: Fault.replyRing)
            try publish(UInt64(64), at: Fault.sentCursor)
        case "sent":
            try publish(try cursor(), at: Fault.sentCursor)
        case "took":
            try publish(try cursor(), at: Fault.takenCursor)
        case "doorbells":
            while true { try write([1, 0, 0, 0, 0, 0, 0, 0], to: 3) }
        case "log":
            while true { try write(Array("a line of a log that never ends\n".utf8), to: 2) }
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

    // Where `RingPair` has the far side's cursors and ring.
    private static let takenCursor = 128
    private static let sentCursor = 256
    private static let replyRing = 4096 + WireLimits.ringByteCount

    private func forge(_ byte: UInt8, count: Int, at offset: Int) throws(CallFailure) {
        guard let memory = unsafe probe_shared_memory() else {
            throw CallFailure(code: .model, message: "no memory is shared")
        }
        unsafe (memory + offset).initializeMemory(as: UInt8.self, repeating: byte, count: count)
    }

    /// Writes a cursor, rings, and never says anything more.
    private func publish(_ cursor: UInt64, at offset: Int) throws(CallFailure) {
        guard let memory = unsafe probe_shared_memory() else {
            throw CallFailure(code: .model, message: "no memory is shared")
        }
        unsafe (memory + offset).storeBytes(of: cursor, as: UInt64.self)
        try write([1, 0, 0, 0, 0, 0, 0, 0], to: 3)
        probe_hang()
    }

    private func cursor() throws(CallFailure) -> UInt64 {
        guard let cursor = UInt64(rest) else {
            throw CallFailure(code: .badInput, message: "\(command) takes a cursor, not \(rest)")
        }
        return cursor
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
