/// Counts calls in progress of functions whose concurrency is reserved.
package final class ConcurrencyGate: Sendable {
    private struct Entry {
        var limit: Int
        var running = 0
    }

    private let state = LockedCounts<Entry>()

    package init() {}

    /// While no function has a limit, calls pass by.
    package var hasLimits: Bool { !state.isEmpty }

    /// - Parameter limit: nil for none.
    package func limit(_ function: String, to limit: Int?) {
        state.change(function) { entry in
            guard let limit else {
                entry = nil
                return
            }
            entry = Entry(limit: limit, running: entry?.running ?? 0)
        }
    }

    /// Whether a call may begin; one that may is counted until ``leave(_:)``.
    package func enter(_ function: String) -> Bool {
        guard !state.isEmpty else { return true }
        return state.change(function) { entry in
            guard let known = entry else { return true }
            guard known.running < known.limit else { return false }
            entry?.running += 1
            return true
        }
    }

    package func leave(_ function: String) {
        guard !state.isEmpty else { return }
        state.change(function) { entry in
            // Reserved while the call ran: it was not counted.
            if let running = entry?.running, running > 0 { entry?.running = running - 1 }
        }
    }
}
