import Linux

/// The tables of a snapshot that are decoded row by row, when a call asks for rows or when nothing else is to do.
///
/// For a process with one thread. A fork has a copy of its own: what it decodes is private to it, and what its template
/// had decoded before the fork it shares.
///
/// ```
/// template   ──resident──fork───────decodeNext···decodeNext───complete──fork──
///                         │                                               └ worker: nothing to do
///                         └ worker: need(rows) decodes the 32 KiB around each row into pages of its own
/// ```
package final class RowTables {
    private struct Table {
        let entry: SnapshotEntry
        let file: MappedFile
        let places: [ChunkPlace]
        var isDecoded: [Bool]
        var rest: Int
    }

    private let arena: Arena
    private let bases: [SnapshotBase]
    private var tables: [Table]
    private let tableOfName: [String: Int]
    private var decoder: ChunkDecoder
    /// Where ``decodeNext()`` goes on.
    private var position = (table: 0, chunk: 0)
    private var hasSmallPages = false

    /// Whether all rows of all tables are there.
    package private(set) var isComplete = false

    init(
        of index: SnapshotIndex,
        file: borrowing FileDescriptor,
        _ bases: [BaseFile],
        arena: Arena
    ) throws(SnapshotError) {
        var files: [Int?: MappedFile] = [:]
        var tables: [Table] = []
        var tableOfName: [String: Int] = [:]
        var tableOfEntry: [Int: Int] = [:]
        for (number, entry) in index.entries.enumerated() where entry.access == .rows {
            if let lender = entry.twin {
                tableOfName[entry.name] = tableOfEntry[lender]
                continue
            }
            let file =
                if let known = files[entry.home] {
                    known
                } else if let home = entry.home {
                    try MappedFile(bases[home].file.descriptor, byteCount: bases[home].base.fileByteCount)
                } else {
                    try MappedFile(file, byteCount: index.storedByteCount)
                }
            files[entry.home] = file
            let places = entry.places()
            tableOfName[entry.name] = tables.count
            tableOfEntry[number] = tables.count
            let isDecoded = [Bool](repeating: false, count: places.count)
            tables.append(Table(entry: entry, file: file, places: places, isDecoded: isDecoded, rest: places.count))
        }
        self.bases = index.bases
        self.arena = arena
        self.tables = tables
        self.tableOfName = tableOfName
        decoder = try ChunkDecoder(verifiesDigests: false)
    }

    /// Decodes the chunk that follows in the file, about 10 µs of work.
    ///
    /// - Returns: whether any is left. After an error nothing is left that this could do.
    package func decodeNext() throws(SnapshotError) -> Bool {
        while position.table < tables.count {
            let (table, chunk) = position
            guard chunk < tables[table].places.count else {
                position = (table + 1, 0)
                continue
            }
            position.chunk += 1
            guard !tables[table].isDecoded[chunk] else { continue }
            do throws(SnapshotError) {
                try decode(chunk, of: table)
            } catch {
                position.table = tables.count
                throw error
            }
            return true
        }
        if tables.allSatisfy({ $0.rest == 0 }), !isComplete {
            isComplete = true
            for table in tables where table.entry.byteCount > 0 {
                do throws(SystemError) {
                    try arena.mapping.protectReadOnly(table.entry.arenaRange)
                } catch {
                    throw .system(error)
                }
            }
        }
        return false
    }

    /// Decodes what is missing of some rows of a table, each `rowByteCount` bytes; a row that the table does not have is
    /// ignored, and a name that is no such table, too.
    package func need(rows: some Sequence<Int>, of name: String, rowByteCount: Int) throws(SnapshotError) {
        guard !isComplete, let number = tableOfName[name], rowByteCount > 0 else { return }
        let entry = tables[number].entry
        let chunkByteCount = SnapshotFormat.chunkByteCount(entry.coding, entry.access)
        var missing: Set<Int> = []
        for row in rows where row >= 0 && row < entry.byteCount / rowByteCount {
            let start = row * rowByteCount
            for chunk in start / chunkByteCount...(start + rowByteCount - 1) / chunkByteCount
            where !tables[number].isDecoded[chunk] {
                missing.insert(chunk)
            }
        }
        guard !missing.isEmpty else { return }
        preferSmallPages()
        let order = missing.sorted()
        // All at once, so that a disk serves them side by side.
        for chunk in order {
            let place = tables[number].places[chunk]
            tables[number].file.mapping.advise(
                .willNeed,
                place.fileOffset..<place.fileOffset + place.chunk.storedByteCount
            )
        }
        for chunk in order { try decode(chunk, of: number) }
    }

    private func decode(_ chunk: Int, of table: Int) throws(SnapshotError) {
        let place = tables[table].places[chunk]
        do throws(SnapshotError) {
            try tables[table].file.mapping.withBytes { (bytes) throws(SnapshotError) in
                try unsafe arena.mapping.withUnsafePart(place.target) { (part) throws(SnapshotError) in
                    try decoder.decode(place, mapped: bytes, into: &part)
                }
            }
        } catch {
            throw error.met(in: place.home, of: bases)
        }
        tables[table].isDecoded[chunk] = true
        tables[table].rest -= 1
    }

    /// A worker pays for the pages that it touches: here and there 32 KiB should not become 2 MiB.
    private func preferSmallPages() {
        guard !hasSmallPages else { return }
        hasSmallPages = true
        for table in tables where table.rest > 0 {
            arena.mapping.advise(.smallPages, table.entry.arenaRange)
        }
    }
}

/// A file from its start: it stays readable when the descriptor is closed and the sandbox too.
private final class MappedFile {
    let mapping: Mapping

    init(_ file: borrowing FileDescriptor, byteCount: Int) throws(SnapshotError) {
        do throws(SystemError) {
            mapping = try Mapping.file(file, byteCount: byteCount)
        } catch {
            throw .system(error)
        }
    }
}

/// The memory of a snapshot, kept by everybody who looks into it.
final class Arena: Sendable {
    let mapping: Mapping

    init(_ mapping: consuming Mapping) {
        self.mapping = mapping
    }
}

extension SnapshotEntry {
    /// Its place in the arena.
    var arenaRange: Range<Int> { arenaOffset..<arenaOffset + byteCount }
}
