import Synchronization

/// A table behind a lock that costs nothing to ask while it is empty, as it mostly is.
final class LockedCounts<Entry: Sendable>: Sendable {
    private let entries = Mutex<[String: Entry]>([:])
    private let count = Atomic<Int>(0)

    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    @discardableResult
    func change<Value: Sendable>(_ key: String, _ body: (inout Entry?) -> Value) -> Value {
        entries.withLock { entries in
            var entry = entries[key]
            let value = body(&entry)
            entries[key] = entry
            count.store(entries.count, ordering: .relaxed)
            return value
        }
    }
}
