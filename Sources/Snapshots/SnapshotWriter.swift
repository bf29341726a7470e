package import Linux

/// Writes a snapshot, entry by entry, into an empty file.
///
/// Until ``finish()`` the file is no snapshot. The same entries in the same order with the same producer (and zstd) give the same file, and so the same digest.
package struct SnapshotWriter: ~Copyable {
    private let file: FileDescriptor
    private let producer: String
    private var encoder: ChunkEncoder
    private var index = IndexBuilder()

    /// Takes an empty file, open for writing, and the name of what writes, as in `thaw-pack 1` (at most 255 bytes).
    package init(file: consuming FileDescriptor, producer: String) throws(SnapshotError) {
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
    }

    /// Writes one entry.
    ///
    /// Its name has 1 to 255 bytes and is not used before; its shape has at most 8 dimensions and, with `layout` 0, holds
    /// exactly the elements of `bytes`. Another `layout` is the caller's word for how the elements lie.
    package mutating func add(
        name: String,
        element: ElementType,
        shape: [Int],
        layout: UInt8,
        bytes: borrowing RawSpan
    ) throws(SnapshotError) {
        let objection = index.objection(
            name: name,
            element: element,
            shape: shape,
            layout: layout,
            byteCount: UInt64(bytes.byteCount)
        )
        if let objection { throw .unwritable(entry: name, objection) }
        var chunks: [SnapshotChunk] = []
        var offset = index.fileOffset
        for start in stride(from: 0, to: bytes.byteCount, by: SnapshotFormat.chunkByteCount) {
            let end = min(start + SnapshotFormat.chunkByteCount, bytes.byteCount)
            let chunk = try encoder.encode(
                bytes.extracting(start..<end),
                element: element
            ) { (stored) throws(SnapshotError) in
                do throws(SystemError) {
                    try file.pwrite(stored, at: offset)
                } catch {
                    throw .system(error)
                }
            }
            offset += chunk.storedByteCount
            chunks.append(chunk)
        }
        index.append(
            name: name,
            element: element,
            shape: shape,
            layout: layout,
            byteCount: bytes.byteCount,
            chunks: chunks
        )
    }

    /// Writes index and header, and returns once all of it is on the disk.
    package consuming func finish() throws(SnapshotError) -> SnapshotDigest {
        let bytes = SnapshotIndex.encode(producer: producer, entries: index.entries)
        guard bytes.count <= SnapshotFormat.indexByteCountMax else {
            throw .tooLarge(
                what: "the index",
                byteCount: UInt64(bytes.count),
                byteCountMax: SnapshotFormat.indexByteCountMax
            )
        }
        let digest = try Hash.snapshot(of: bytes)
        let header = SnapshotHeader(indexOffset: index.fileOffset, indexByteCount: bytes.count, indexDigest: digest)
        do throws(SystemError) {
            try file.pwrite(bytes, at: index.fileOffset)
            // The header makes the file a snapshot: it must not reach the disk before what it speaks of.
            try file.sync()
            try file.pwrite(header.encoded(), at: 0)
            try file.sync()
        } catch {
            throw .system(error)
        }
        return digest
    }
}
