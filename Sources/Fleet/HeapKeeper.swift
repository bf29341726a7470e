import Linux

/// Gives the scheduler's freed memory back when processes have ended: after a busy spell, and after a deploy.
///
/// Nothing runs for it while nothing happens: it is asked after events of the warden, on the warden's thread.
struct HeapKeeper {
    private var processCount = 0
    /// The heap's resident bytes after it was last trimmed.
    private var bytesAfterTrim: UInt64 = 0

    /// Less than 2 % of a scheduler's resident memory, and enough that a lone call's garbage starts no search.
    private static let growthMin: UInt64 = 512 << 10

    /// To be told after each event how many processes there are: fewer than before means that something has ended.
    mutating func noteProcesses(_ count: Int) {
        defer { processCount = count }
        guard count < processCount, let before = Self.heapBytes, before > bytesAfterTrim + Self.growthMin
        else { return }
        Heap.giveBack()
        bytesAfterTrim = Self.heapBytes ?? before
    }

    private static var heapBytes: UInt64? {
        ProcessMemory.of(pid: CurrentProcess.pid)?.anonymousBytes
    }
}
