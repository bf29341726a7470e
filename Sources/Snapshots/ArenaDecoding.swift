import Linux
import Synchronization

/// Decodes many chunks at once, each to its own place in the arena.
enum ArenaDecoding {
    /// Threads beyond this many wait for memory more than they decode, and cold starts come several at once.
    static let threadsMax = 4

    /// Below so many bytes a thread costs more than it saves: it is made in 50 µs, and decodes 4 MB in a millisecond.
    private static let byteCountPerThreadMin = 1024 * 1024

    /// Returns when all of `places` are decoded, or throws for the first that cannot be.
    static func decode(
        _ places: [ChunkPlace],
        from file: borrowing FileDescriptor,
        _ bases: [BaseFile],
        into arena: borrowing Mapping,
        verifiesDigests: Bool,
        threadsMax: Int
    ) throws(SnapshotError) {
        let groups = groups(of: places)
        let byteCount = places.reduce(0) { $0 + $1.target.count }
        let threads = min(threadsMax, Self.threadsMax, max(byteCount / byteCountPerThreadMin, 1))
        let next = Atomic<Int>(0)
        let failures = Mutex<[Int: SnapshotError]>([:])
        Thread.together(threads) { _ in
            var place = 0
            do throws(SnapshotError) {
                var decoder = try ChunkDecoder(verifiesDigests: verifiesDigests)
                while true {
                    let group = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard group < groups.count else { return }
                    for number in groups[group] {
                        place = number
                        try unsafe arena.withUnsafePart(places[number].target) { (part) throws(SnapshotError) in
                            try decoder.decode(places[number], from: file, bases, into: &part)
                        }
                    }
                }
            } catch {
                // Whoever has a group finishes it, so the first failure in the file's order is always among them.
                next.store(groups.count, ordering: .relaxed)
                failures.withLock { $0[place] = error }
            }
        }
        if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
    }

    /// Chunks that one thread takes at a time: those that begin in the same huge page.
    ///
    /// Two threads that touch a fresh one at the same time would both clear 2 MiB, and one of them in vain.
    private static func groups(of places: [ChunkPlace]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var start = 0
        for number in places.indices {
            let page = places[number].target.lowerBound / Mapping.hugePageByteCount
            let isLast = number + 1 == places.count
            if isLast || places[number + 1].target.lowerBound / Mapping.hugePageByteCount != page {
                groups.append(start..<number + 1)
                start = number + 1
            }
        }
        return groups
    }
}

extension Mapping {
    /// A part of the mapping for writing, while others may write to other parts.
    ///
    /// Nobody else may use the same part meanwhile.
    @unsafe func withUnsafePart<Failure: Error>(
        _ range: Range<Int>,
        _ body: (inout MutableRawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "the range lies in the mapping")
        var span = unsafe MutableRawSpan(_unsafeStart: baseAddress + range.lowerBound, byteCount: range.count)
        try body(&span)
    }
}
