import Foundation

/// The end of the standard input as an order to end.
///
/// Whoever started this process has ended by then: its end of the pipe goes with it, also where it was killed.
enum InputWatch {
    /// Watches in a thread that sleeps in the kernel, and tells this process to end as a signal from outside would.
    static func start() {
        Thread.detachNewThread {
            // What is written there is for nobody.
            while !FileHandle.standardInput.availableData.isEmpty {}
            kill(getpid(), SIGTERM)
        }
    }
}
