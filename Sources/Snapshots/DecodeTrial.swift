package import Linux

/// Decodes entries again and again into memory of its own, for whoever holds a clock.
///
/// The memory has been touched before: what is timed is reading, checking, decoding and merging, not the kernel's
/// clearing of fresh pages.
package final class DecodeTrial {
    private let arena: Mapping
    private let threadsMax: Int

    /// Room for entries of any snapshot up to so many bytes of memory.
    package init(arenaByteCount: Int, threadsMax: Int) throws(SnapshotError) {
        do throws(SystemError) {
            var arena = try Mapping.anonymous(byteCount: max(arenaByteCount, 1), hugePages: true)
            arena.withMutableBytes { bytes in
                for offset in stride(from: 0, to: bytes.byteCount, by: Mapping.pageByteCount) {
                    bytes.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
                }
            }
            self.arena = arena
        } catch {
            throw .system(error)
        }
        self.threadsMax = threadsMax
    }

    /// Reads, checks (by checksums) and decodes these entries of a snapshot.
    package func decode(
        _ entries: [SnapshotEntry],
        from file: borrowing FileDescriptor,
        _ bases: [BaseFile] = []
    ) throws(SnapshotError) {
        let places = entries.filter { $0.twin == nil }.flatMap { $0.places() }
        guard places.allSatisfy({ $0.target.upperBound <= arena.byteCount }) else {
            let need = places.reduce(0) { max($0, $1.target.upperBound) }
            throw .tooLarge(what: "the entry", byteCount: UInt64(need), byteCountMax: arena.byteCount)
        }
        try ArenaDecoding.decode(
            places,
            from: file,
            bases,
            into: arena,
            verifiesDigests: false,
            threadsMax: threadsMax
        )
    }

    /// Decodes the rival's frames to the same memory.
    package func decode(_ rival: PlainFrames) throws(SnapshotError) {
        try rival.decode(into: arena, threadsMax: threadsMax)
    }
}
