import CLinux
import Glibc

/// A timer of the kernel's that goes off at a time of day, also where the clock is set meanwhile or the machine slept.
///
/// Readable when it has gone off; reading gives 8 bytes and makes it silent again.
package struct WallTimer: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    package init() throws(SystemError) {
        descriptor = FileDescriptor(owning: try checked("timerfd_create") { thaw_wall_timer_make() })
    }

    /// A second descriptor of the same timer, for who waits for it.
    package func listener() throws(SystemError) -> FileDescriptor { try descriptor.duplicate() }

    /// Goes off when the wall clock shows a time, at once where it is past; nil for never.
    package func set(unixMilliseconds: Int64?) throws(SystemError) {
        let number = descriptor.rawValue
        // Nothing but nothing is zero: a time before 1970 is past like any other.
        let milliseconds = unixMilliseconds.map { max($0, 1) } ?? 0
        _ = try checked("timerfd_settime") { thaw_wall_timer_set(number, milliseconds) }
    }
}
