import Linux

@testable import Snapshots

/// A snapshot taken apart, to be put together wrongly but with every digest of the index in order.
struct Forgery {
    var data: [UInt8]
    var index: [UInt8]
    private let entries: [SnapshotEntry]
    private let producer: String
    private let bases: [SnapshotBase]

    /// Of any bytes; an index that cannot be read is left as it is.
    init(data: [UInt8], index: [UInt8], hasBases: Bool) {
        self.data = data
        self.index = index
        var reader = IndexReader(index)
        producer = (try? reader.readText()) ?? ""
        bases = hasBases ? (try? SnapshotIndex.readBases(&reader)) ?? [] : []
        let dataEnd = SnapshotFormat.headerByteCount + data.count
        entries = (try? Self.entries(of: index, hasBases: hasBases, dataEnd: dataEnd)) ?? []
    }

    /// Writes an index that has the checksums of the data as they are now.
    mutating func fixChecksums() {
        guard !entries.isEmpty else { return }
        var offset = 0
        let fixed = entries.map { entry in
            guard entry.isStoredHere else { return entry }
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
                coding: entry.coding,
                access: entry.access,
                twin: entry.twin,
                home: entry.home,
                byteCount: entry.byteCount,
                arenaOffset: entry.arenaOffset,
                storedByteCount: entry.storedByteCount,
                fileOffset: entry.fileOffset,
                chunks: chunks
            )
        }
        index = SnapshotIndex.encode(producer: producer, bases: bases, entries: fixed)
    }

    /// The file; its seek table is that of the index where the index can be read, else of none.
    func encoded() throws -> [UInt8] {
        let frame = ZstdFrame.skippableHeader(SnapshotFormat.indexFrame, byteCount: index.count)
        let header = SnapshotHeader(
            hasBases: !bases.isEmpty,
            indexOffset: SnapshotFormat.headerByteCount + data.count + frame.count,
            indexByteCount: index.count,
            indexDigest: try Hash.snapshot(of: index)
        )
        let entries = (try? Self.entries(of: index, hasBases: !bases.isEmpty, dataEnd: header.dataEnd)) ?? []
        let table = SeekTable(of: entries, indexByteCount: index.count).encoded()
        return header.encoded() + data + frame + index + table
    }

    private static func entries(of index: [UInt8], hasBases: Bool, dataEnd: Int) throws -> [SnapshotEntry] {
        var reader = IndexReader(index)
        _ = try reader.readText()
        var builder = IndexBuilder(bases: hasBases ? try SnapshotIndex.readBases(&reader) : [])
        for _ in 0..<min(try reader.read(UInt32.self), 1000) {
            try builder.append(reading: &reader, dataEnd: dataEnd)
        }
        return builder.entries
    }
}
