import Linux

@testable import Snapshots

/// A snapshot taken apart, to be put together wrongly but with every digest of the index in order.
struct Forgery {
    var data: [UInt8]
    var index: [UInt8]
    private let entries: [SnapshotEntry]
    private let producer: String

    init(of file: SnapshotFile) throws {
        let bytes = try file.bytes()
        let parsed = try SnapshotIndex(reading: file.open())
        entries = parsed.entries
        producer = parsed.producer
        index = SnapshotIndex.encode(producer: producer, entries: entries)
        data = Array(bytes[SnapshotFormat.headerByteCount..<(bytes.count - index.count)])
    }

    /// Writes an index that has the checksums of the data as they are now.
    mutating func fixChecksums() {
        var offset = 0
        let fixed = entries.map { entry in
            var chunks: [SnapshotChunk] = []
            for chunk in entry.chunks {
                let piece = Array(data[offset..<offset + chunk.storedByteCount])
                offset += chunk.storedByteCount
                chunks.append(
                    SnapshotChunk(
                        planeByteCounts: chunk.planeByteCounts,
                        checksum: Planes.best.checksum(of: piece.span.bytes),
                        digest: chunk.digest
                    )
                )
            }
            return SnapshotEntry(
                name: entry.name,
                element: entry.element,
                shape: entry.shape,
                layout: entry.layout,
                byteCount: entry.byteCount,
                arenaOffset: entry.arenaOffset,
                storedByteCount: entry.storedByteCount,
                fileOffset: entry.fileOffset,
                chunks: chunks
            )
        }
        index = SnapshotIndex.encode(producer: producer, entries: fixed)
    }

    func encoded() throws -> [UInt8] {
        let header = SnapshotHeader(
            indexOffset: SnapshotFormat.headerByteCount + data.count,
            indexByteCount: index.count,
            indexDigest: try Hash.snapshot(of: index)
        )
        return header.encoded() + data + index
    }
}
