import Scheduling
import Synchronization

/// What became of a version's calls since the node started.
package struct CallStatistics: Equatable, Sendable {
    package var succeeded: UInt64 = 0
    package var failed: UInt64 = 0
    /// From acceptance to the end, of those that succeeded and of those that failed.
    package var succeededNanoseconds: UInt64 = 0
    package var failedNanoseconds: UInt64 = 0
    /// Of those that a worker was given: waiting and binding, then running.
    package var waitNanoseconds: UInt64 = 0
    package var runNanoseconds: UInt64 = 0
    /// Runs of the model: a batch of eight calls is one.
    package var executions: UInt64 = 0
    package var lastUnixNanoseconds: UInt64 = 0

    package init() {}
}

/// Counts one version's calls.
final class CallCounter: Sendable {
    private let state = Mutex(CallStatistics())

    var statistics: CallStatistics { state.withLock { $0 } }

    func count(_ change: (inout CallStatistics) -> Void) {
        state.withLock { change(&$0) }
    }
}
