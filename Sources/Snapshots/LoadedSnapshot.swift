package import Linux

/// A snapshot in memory: verified, decoded, read-only, at addresses that stay.
///
/// All entries lie in one anonymous mapping with huge pages, so that a fork of the process costs nearly nothing
/// whatever the snapshot's size, and its memory streams at full speed.
package final class LoadedSnapshot {
    /// How much of the file is checked.
    package enum Verification: Sendable {
        /// The index by its digest, every stored byte by its chunk's checksum: finds damage.
        case checksums
        /// Also every chunk by its digest: finds intent. Needed once for a file that nobody could have changed since.
        case digests
    }

    package let index: SnapshotIndex
    /// Tables of which a part, or all, is still to be decoded; `nil` where everything was at once.
    package let rows: RowTables?
    private let arena: Arena
    private let places: [String: Int]

    /// Reads, checks and decodes the file, on as many threads as the machine has to give; one is left when it returns.
    ///
    /// With `leavingRows` the tables that are read row by row stay behind, see ``rows``. A snapshot that asks for more
    /// than `arenaByteCountMax` bytes of memory is refused before any is mapped; so is one whose bases are not `bases`, in the
    /// order of its index.
    package init(
        file: borrowing FileDescriptor,
        bases files: [SharedDescriptor] = [],
        verifying verification: Verification,
        leavingRows: Bool = false,
        threadsMax: Int = Thread.processorCount,
        arenaByteCountMax: Int = SnapshotLimits.arenaByteCountMax
    ) throws(SnapshotError) {
        let index = try SnapshotIndex(reading: file)
        guard index.arenaByteCount <= arenaByteCountMax else {
            throw .tooLarge(
                what: "the snapshot in memory",
                byteCount: UInt64(index.arenaByteCount),
                byteCountMax: arenaByteCountMax
            )
        }
        let bases = try index.baseFiles(files)
        let leavesRows = leavingRows && index.entries.contains { $0.access == .rows && $0.byteCount > 0 }
        let arena: Arena
        do throws(SystemError) {
            // A mapping has at least one byte; a function without a model has little more.
            arena = Arena(
                try Mapping.anonymous(
                    byteCount: max(index.arenaByteCount, 1),
                    hugePages: index.arenaByteCount >= Mapping.hugePageByteCount / 2
                )
            )
        } catch {
            throw .system(error)
        }
        let now = index.entries.filter { $0.twin == nil && !(leavesRows && $0.access == .rows) }
        try ArenaDecoding.decode(
            now.flatMap { $0.places() },
            from: file,
            bases,
            into: arena.mapping,
            verifiesDigests: verification == .digests,
            threadsMax: threadsMax
        )
        try Self.protect(index, arena, leavesRows: leavesRows)
        rows = leavesRows ? try RowTables(of: index, file: file, bases, arena: arena) : nil
        self.index = index
        self.arena = arena
        places = Dictionary(uniqueKeysWithValues: index.entries.enumerated().map { ($1.name, $0) })
    }

    /// Everything becomes read-only but the tables that are still to be written, which begin and end with a page.
    private static func protect(_ index: SnapshotIndex, _ arena: Arena, leavesRows: Bool) throws(SnapshotError) {
        var start = 0
        do throws(SystemError) {
            for entry in index.entries where leavesRows && entry.access == .rows && entry.twin == nil {
                if start < entry.arenaOffset { try arena.mapping.protectReadOnly(start..<entry.arenaOffset) }
                let page = Mapping.pageByteCount
                start = (entry.arenaOffset + entry.byteCount + page - 1) / page * page
            }
            let end = arena.mapping.byteCount
            if start < end { try arena.mapping.protectReadOnly(start..<end) }
        } catch {
            throw .system(error)
        }
    }

    /// `nil` where there is none of this name.
    package func entry(_ name: String) -> SnapshotEntry? {
        places[name].map { index.entries[$0] }
    }

    /// The entry's bytes, aligned to 64, zeros where rows are still to be decoded; they stay where they are for as long as the snapshot lives.
    package func withBytes<Result, Failure: Error>(
        of entry: SnapshotEntry,
        _ body: (borrowing RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try arena.mapping.withBytes { (bytes) throws(Failure) in
            try body(bytes.extracting(entry.arenaOffset..<entry.arenaOffset + entry.byteCount))
        }
    }

    /// The entry's memory, for kernels that keep addresses: it must not be used after the snapshot has gone.
    ///
    /// - Returns: `nil` where there is no entry of this name with elements of this type.
    @unsafe package func unsafeBytes(of name: String, as element: ElementType) -> UnsafeRawBufferPointer? {
        guard let entry = entry(name), entry.element == element else { return nil }
        return unsafe UnsafeRawBufferPointer(
            start: arena.mapping.baseAddress + entry.arenaOffset,
            count: entry.byteCount
        )
    }

    /// A copy of the entry's bytes, for what is small: configuration, plan.
    package func bytes(of name: String) throws(SnapshotError) -> [UInt8] {
        guard let entry = entry(name) else { throw .unknownEntry(name) }
        return withBytes(of: entry) { bytes in
            unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        }
    }
}
