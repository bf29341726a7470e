import CLinux
import Glibc

/// A seccomp filter as the kernel takes it: instructions of 8 bytes.
package struct SystemCallFilter: Equatable, Sendable {
    package let instructions: [UInt8]

    package init(instructions: [UInt8]) {
        self.instructions = instructions
    }

    /// Every call of this process and of its children passes through the filter from now on.
    package func load() throws(SystemError) {
        let bytes = instructions
        _ = try checked("seccomp SET_MODE_FILTER") { unsafe thaw_filter_load(bytes, bytes.count, 0) }
    }

    /// As ``load()``, and answers the listener on which refused calls wait for whoever holds it.
    package func loadWithListener() throws(SystemError) -> FileDescriptor {
        let bytes = instructions
        return FileDescriptor(
            owning: try checked("seccomp NEW_LISTENER") { unsafe thaw_filter_load(bytes, bytes.count, 1) }
        )
    }
}
