import CLinux

/// Tells that something in some folders has changed, not what: who needs that looks.
package struct FolderWatch: ~Copyable, Sendable {
    private let events: FileDescriptor

    /// Room for some hundred events of one reading.
    private static let readingBytesMax = 64 * 1024

    package init() throws(SystemError) {
        events = FileDescriptor(owning: try checked("inotify_init1") { thaw_watch_make() })
    }

    /// Watches what lies in a folder itself, not in those below it; one that is watched already is fine.
    package func add(_ path: String) throws(SystemError) {
        let number = events.rawValue
        _ = try checked("inotify_add_watch \(path)") { unsafe thaw_watch_add(number, path) }
    }

    /// Waits until something has changed since the last time.
    package func wait() throws(SystemError) {
        _ = try events.read(countMax: Self.readingBytesMax)
    }

    /// Waits until something has changed, at most so long.
    ///
    /// - Returns: whether something has.
    package func wait(atMostMilliseconds limit: Int) throws(SystemError) -> Bool {
        let poll = try EventPoll()
        try poll.add(events, token: 1)
        guard try !poll.wait(timeoutMilliseconds: limit).isEmpty else { return false }
        try wait()
        return true
    }
}
