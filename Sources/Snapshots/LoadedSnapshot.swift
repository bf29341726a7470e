package import Linux

/// A snapshot in memory: verified, decoded, read-only, at addresses that stay.
///
/// All entries lie in one anonymous mapping with huge pages, so that a fork of the process costs nearly nothing
/// whatever the snapshot's size, and its memory streams at full speed.
package final class LoadedSnapshot: Sendable {
    /// How much of the file is checked.
    package enum Verification: Sendable {
        /// The index by its digest, every stored byte by its chunk's checksum: finds damage.
        case checksums
        /// Also every chunk by its digest: finds intent. Needed once for a file that nobody could have changed since.
        case digests
    }

    package let index: SnapshotIndex
    private let arena: Mapping
    private let places: [String: Int]

    /// Reads, checks and decodes the whole file.
    ///
    /// A snapshot that asks for more than `arenaByteCountMax` bytes of memory is refused before any is mapped.
    package init(
        file: borrowing FileDescriptor,
        verifying verification: Verification,
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
        var decoder = try ChunkDecoder(
            entryByteCountMax: index.entries.lazy.map(\.byteCount).max() ?? 0,
            verifiesDigests: verification == .digests
        )
        var arena: Mapping
        do throws(SystemError) {
            // A mapping has at least one byte; a function without a model has little more.
            arena = try Mapping.anonymous(
                byteCount: max(index.arenaByteCount, 1),
                hugePages: index.arenaByteCount >= Mapping.hugePageByteCount / 2
            )
        } catch {
            throw .system(error)
        }
        for entry in index.entries {
            try arena.withMutableBytes { (bytes) throws(SnapshotError) in
                try decoder.decode(entry, from: file, into: &bytes)
            }
        }
        do throws(SystemError) {
            try arena.protectReadOnly()
        } catch {
            throw .system(error)
        }
        self.index = index
        self.arena = arena
        places = Dictionary(uniqueKeysWithValues: index.entries.enumerated().map { ($1.name, $0) })
    }

    /// `nil` where there is none of this name.
    package func entry(_ name: String) -> SnapshotEntry? {
        places[name].map { index.entries[$0] }
    }

    /// The entry's bytes, aligned to 64; they stay where they are for as long as the snapshot lives.
    package func withBytes<Result, Failure: Error>(
        of entry: SnapshotEntry,
        _ body: (borrowing RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try arena.withBytes { (bytes) throws(Failure) in
            try body(bytes.extracting(entry.arenaOffset..<entry.arenaOffset + entry.byteCount))
        }
    }

    /// The entry's memory, for kernels that keep addresses: it must not be used after the snapshot has gone.
    ///
    /// - Returns: `nil` where there is no entry of this name with elements of this type.
    @unsafe package func unsafeBytes(of name: String, as element: ElementType) -> UnsafeRawBufferPointer? {
        guard let entry = entry(name), entry.element == element else { return nil }
        return unsafe UnsafeRawBufferPointer(start: arena.baseAddress + entry.arenaOffset, count: entry.byteCount)
    }

    /// A copy of the entry's bytes, for what is small: configuration, plan.
    package func bytes(of name: String) throws(SnapshotError) -> [UInt8] {
        guard let entry = entry(name) else { throw .unknownEntry(name) }
        return withBytes(of: entry) { bytes in
            unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        }
    }
}

extension ChunkDecoder {
    /// Decodes all chunks of an entry to its place in the arena.
    fileprivate mutating func decode(
        _ entry: SnapshotEntry,
        from file: borrowing FileDescriptor,
        into arena: inout MutableRawSpan
    ) throws(SnapshotError) {
        var source = entry.fileOffset
        var target = entry.arenaOffset
        let end = entry.arenaOffset + entry.byteCount
        for chunk in entry.chunks {
            let next = min(target + SnapshotFormat.chunkByteCount, end)
            var part = arena._mutatingExtracting(target..<next)
            try decode(chunk, of: entry.name, from: file, at: source, into: &part)
            source += chunk.storedByteCount
            target = next
        }
    }
}
