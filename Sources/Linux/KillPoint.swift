import CLinux
import Glibc
import Synchronization

/// Named places at which a harness lets this process die, as if by a power cut in the middle of what it does.
///
/// `THAW_KILL_AT=commit.after:3` kills it with SIGKILL when it is at that place for the third time. Without the variable a place
/// costs one comparison.
package enum KillPoint {
    private static let armed: Armed? = unsafe getenv("THAW_KILL_AT").flatMap { unsafe Armed(String(cString: $0)) }

    private final class Armed: Sendable {
        let name: String
        let left: Atomic<Int>

        /// Nil for an empty text, which names no place.
        init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1)
            guard let name = parts.first else { return nil }
            self.name = String(name)
            left = Atomic(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        }
    }

    @inline(__always)
    package static func pass(_ name: @autoclosure () -> String) {
        guard let armed else { return }
        meet(armed, name())
    }

    private static func meet(_ armed: Armed, _ name: String) {
        guard name == armed.name, armed.left.subtract(1, ordering: .relaxed).newValue == 0 else { return }
        kill(getpid(), SIGKILL)
        // The signal is on its way: nothing after this place may happen.
        while true { pause() }
    }
}
