package import Linux

/// Writes a snapshot, entry by entry, into an empty file.
///
/// Until ``finish()`` the file is no snapshot. The same entries in the same order with the same producer (and zstd) and the same
/// catalog give the same file, and so the same digest; with another catalog they give another file, whose
/// ``SnapshotIndex/contentDigest()`` is the same.
package struct SnapshotWriter: ~Copyable {
    private let file: FileDescriptor
    private let producer: String
    private var encoder: ChunkEncoder
    private let catalog: TensorCatalog
    private var index = IndexBuilder()

    /// Takes an empty file, open for reading and writing, and the name of what writes, as in `thaw-pack 1` (at most 255 bytes).
    ///
    /// What `catalog` knows is not stored again where that pays, but referred to.
    package init(
        file: consuming FileDescriptor,
        producer: String,
        sharing catalog: TensorCatalog = TensorCatalog()
    ) throws(SnapshotError) {
        guard producer.utf8.count <= SnapshotFormat.nameByteCountMax else {
            throw .unwritable(entry: "producer", "its name has \(producer.utf8.count) bytes")
        }
        let byteCount: Int
        do throws(SystemError) {
            byteCount = try file.size()
        } catch {
            throw .system(error)
        }
        guard byteCount == 0 else {
            throw .unwritable(entry: "header", "the file has \(byteCount) bytes already")
        }
        encoder = try ChunkEncoder()
        self.file = file
        self.producer = producer
        self.catalog = catalog
    }

    /// Writes one entry.
    ///
    /// Its name has 1 to 255 bytes and is not used before; its shape has at most 8 dimensions and, with `layout` 0, holds
    /// exactly the elements of `bytes`. Another `layout` is the caller's word for how the elements lie; bytes of one are taken for
    /// packed numbers, and not compressed.
    package mutating func add(
        name: String,
        element: ElementType,
        shape: [Int],
        layout: UInt8,
        access: SnapshotEntry.Access = .whole,
        bytes: borrowing RawSpan
    ) throws(SnapshotError) {
        let draft = IndexBuilder.Draft(
            name: name,
            element: element,
            shape: shape,
            layout: layout,
            access: access,
            byteCount: UInt64(bytes.byteCount)
        )
        if let objection = index.objection(to: draft) { throw .unwritable(entry: name, objection) }
        let chunks = try write(bytes, of: draft)
        // What was written for a twin is overwritten by the next entry.
        if let lender = index.lender(of: draft, chunks: chunks) {
            index.append(draft, twinOf: lender)
        } else {
            index.append(draft, chunks: chunks)
        }
    }

    private mutating func write(
        _ bytes: borrowing RawSpan,
        of draft: IndexBuilder.Draft
    ) throws(SnapshotError) -> [SnapshotChunk] {
        let manner = ChunkEncoder.Manner(
            coding: draft.coding,
            planeCount: draft.planeCount,
            compresses: draft.coding == .floatPlanes || draft.element == .u8 && draft.layout == 0
        )
        var chunks: [SnapshotChunk] = []
        var offset = index.fileOffset
        for start in stride(from: 0, to: bytes.byteCount, by: draft.chunkByteCount) {
            let end = min(start + draft.chunkByteCount, bytes.byteCount)
            let chunk = try encoder.encode(bytes.extracting(start..<end), manner) { (stored) throws(SnapshotError) in
                do throws(SystemError) {
                    try file.pwrite(stored, at: offset)
                } catch {
                    throw .system(error)
                }
            }
            offset += chunk.storedByteCount
            chunks.append(chunk)
        }
        return chunks
    }

    /// Writes index and header, and returns once all of it is on the disk.
    package consuming func finish() throws(SnapshotError) -> SnapshotDigest {
        let choice = try catalog.choice(for: index.entries)
        if !choice.bases.isEmpty { try leaveOut(choice) }
        let bytes = SnapshotIndex.encode(producer: producer, bases: index.bases, entries: index.entries)
        guard bytes.count <= SnapshotFormat.indexByteCountMax else {
            throw .tooLarge(
                what: "the index",
                byteCount: UInt64(bytes.count),
                byteCountMax: SnapshotFormat.indexByteCountMax
            )
        }
        let digest = try Hash.snapshot(of: bytes)
        let frame = ZstdFrame.skippableHeader(SnapshotFormat.indexFrame, byteCount: bytes.count)
        let header = SnapshotHeader(
            hasBases: !index.bases.isEmpty,
            indexOffset: index.fileOffset + frame.count,
            indexByteCount: bytes.count,
            indexDigest: digest
        )
        let table = SeekTable(of: index.entries, indexByteCount: bytes.count).encoded()
        let end = frame + bytes + table
        do throws(SystemError) {
            try file.pwrite(end, at: index.fileOffset)
            // A twin at the end may have left more.
            try file.truncate(to: index.fileOffset + end.count)
            // The header makes the file a snapshot: it must not reach the disk before what it speaks of.
            try file.sync()
            try file.pwrite(header.encoded(), at: 0)
            try file.sync()
        } catch {
            throw .system(error)
        }
        return digest
    }

    /// Moves the frames together that stay, once it is known which do: a base is judged by all that it has.
    private mutating func leaveOut(_ choice: TensorCatalog.Choice) throws(SnapshotError) {
        var kept = IndexBuilder(bases: choice.bases)
        for (number, entry) in index.entries.enumerated() {
            let draft = IndexBuilder.Draft(entry)
            if let lender = entry.twin {
                kept.append(draft, twinOf: lender)
            } else if let home = choice.homes[number] {
                kept.append(draft, chunks: entry.chunks, home: home)
            } else {
                try move(entry.storedByteCount, from: entry.fileOffset, to: kept.fileOffset)
                kept.append(draft, chunks: entry.chunks)
            }
        }
        index = kept
    }

    /// Towards the start of the file, so that nothing is overwritten before it was read.
    private func move(_ byteCount: Int, from source: Int, to target: Int) throws(SnapshotError) {
        guard target < source else { return }
        do throws(SystemError) {
            for start in stride(from: 0, to: byteCount, by: Self.movedByteCountMax) {
                let count = min(byteCount - start, Self.movedByteCountMax)
                try file.pwrite(try file.pread(count: count, at: source + start), at: target + start)
            }
        } catch {
            throw .system(error)
        }
    }

    /// Bytes that are moved at a time: more would leave the processor's caches.
    private static let movedByteCountMax = 1024 * 1024
}
