import CLinux
import Glibc

/// How a process ended and what it used.
package struct ProcessEnding: Equatable, Sendable {
    /// Signal that ended it, 0 if it exited.
    package let signal: Int32
    /// Exit status, if no signal ended it.
    package let status: Int32
    /// Processor time, user and system, of all its threads.
    package let cpuNanoseconds: UInt64
    package let residentBytesMax: UInt64

    fileprivate init(_ ending: thaw_ending) {
        signal = ending.signal
        status = ending.status
        cpuNanoseconds = ending.cpu_nanoseconds
        residentBytesMax = ending.resident_bytes_max
    }
}

/// A process by its pidfd: never another one that got the same number later.
package struct ProcessHandle: ~Copyable, Sendable {
    /// Readable when the process has ended.
    package let descriptor: FileDescriptor

    package init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// A process that this one has not waited for yet.
    package init(pid: Int32) throws(SystemError) {
        descriptor = FileDescriptor(owning: try checked("pidfd_open \(pid)") { thaw_pidfd_open(pid) })
    }

    package consuming func takeDescriptor() -> FileDescriptor {
        descriptor
    }

    /// Sends a signal; a process that has ended already is fine.
    package func signal(_ number: Int32) throws(SystemError) {
        let raw = descriptor.rawValue
        do throws(SystemError) {
            _ = try checked("pidfd_send_signal") { thaw_pidfd_signal(raw, number) }
        } catch {
            guard error.code == ESRCH else { throw error }
        }
    }

    package func kill() throws(SystemError) {
        try signal(SIGKILL)
    }

    /// Whether it is on the process table: it lives, or its parent has not waited for it.
    package func isOnTable() throws(SystemError) -> Bool {
        let raw = descriptor.rawValue
        do throws(SystemError) {
            _ = try checked("pidfd_send_signal") { thaw_pidfd_signal(raw, 0) }
            return true
        } catch {
            guard error.code == ESRCH else { throw error }
            return false
        }
    }

    /// The number in this process's pid namespace; -1 once the process is gone.
    package func pid() throws(SystemError) -> Int32 {
        let information = try FileDescriptor.open("/proc/self/fdinfo/\(descriptor.rawValue)").readAll(countMax: 4096)
        for line in String(decoding: information, as: UTF8.self).split(separator: "\n") where line.hasPrefix("Pid:") {
            if let number = Int32(line.dropFirst(4).drop { $0 == "\t" || $0 == " " }) { return number }
        }
        throw SystemError(call: "read the number of a pidfd", code: EINVAL)
    }

    /// Waits for a child of this process to end, and takes it off the process table.
    package func wait() throws(SystemError) -> ProcessEnding {
        try ProcessHandle.wait(descriptor.rawValue, byDescriptor: true)
    }

    /// As ``wait()``; `nil` where the child still runs.
    package func endingIfEnded() throws(SystemError) -> ProcessEnding? {
        let raw = descriptor.rawValue
        var ending = thaw_ending()
        let ended = try checked("waitid") { unsafe thaw_wait(raw, 1, 0, &ending) }
        return ended == 1 ? ProcessEnding(ending) : nil
    }

    /// Waits for a child of this process by its number, which stays its own until then.
    package static func wait(pid: Int32) throws(SystemError) -> ProcessEnding {
        try wait(pid, byDescriptor: false)
    }

    private static func wait(_ child: Int32, byDescriptor: Bool) throws(SystemError) -> ProcessEnding {
        var ending = thaw_ending()
        _ = try checked("waitid") { unsafe thaw_wait(child, byDescriptor ? 1 : 0, 1, &ending) }
        return ProcessEnding(ending)
    }
}
