import CLinux
import Glibc

/// The scheduler's end of a filter: calls that were refused wait here, their callers stopped.
package struct RefusalListener: ~Copyable, Sendable {
    /// Readable while a call waits; hung up when the last process under the filter is gone.
    package let descriptor: FileDescriptor

    package init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    package struct Refusal: Equatable, Sendable {
        package let id: UInt64
        /// In this process's pid namespace; valid while the call waits, which it does until its caller is killed.
        package let pid: Int32
        package let call: Int32
    }

    /// Waits for the next refused call; `nil` where its caller was killed meanwhile.
    package func next() throws(SystemError) -> Refusal? {
        let number = descriptor.rawValue
        var id: UInt64 = 0
        var pid: Int32 = 0
        var call: Int32 = -1
        let found = try checked("ioctl SECCOMP_IOCTL_NOTIF_RECV") {
            unsafe thaw_filter_next_refused(number, &id, &pid, &call)
        }
        return found == 1 ? Refusal(id: id, pid: pid, call: call) : nil
    }

    /// Lets the caller go on with `EPERM`; normally it is killed instead.
    package func answerNotPermitted(_ refusal: Refusal) throws(SystemError) {
        let number = descriptor.rawValue
        _ = try checked("ioctl SECCOMP_IOCTL_NOTIF_SEND") { thaw_filter_answer(number, refusal.id, EPERM) }
    }
}
