import CKernels

/// A second thread for kernels: what it shares with the thread that asks for the work, which does the work too.
///
/// Made before a fork, used after it: ``help()`` is the second thread's life. Results are bit for bit those of one
/// thread: what is cut are outputs, never a sum. Nothing is allocated while it works, and at rest it sleeps in the kernel:
/// it looks for work for 50 µs after its last.
@safe
package final class SecondThread: @unchecked Sendable {  // Safe: its words are atomic, or published by one.
    let shared: OpaquePointer

    package init() {
        guard let shared = unsafe thaw_second_make() else { preconditionFailure("no memory for 256 bytes") }
        unsafe self.shared = shared
    }

    deinit {
        unsafe thaw_second_free(shared)
    }

    /// Takes part in the work of another thread until ``end()``.
    package func help() {
        unsafe thaw_second_help(shared)
    }

    /// Waits until another thread has begun to ``help()``.
    package func awaitHelp() {
        unsafe thaw_second_await(shared)
    }

    /// Says that work is about to come: a sleeper takes some microseconds to wake up.
    package func wake() {
        unsafe thaw_second_wake(shared)
    }

    /// Makes ``help()`` return, and waits for that: it was called, or will be.
    package func end() {
        unsafe thaw_second_end(shared)
    }
}
