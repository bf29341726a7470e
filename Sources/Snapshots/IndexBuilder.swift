/// Lays entries one after the other, in the file and in the arena.
///
/// Writer and reader place them by the same sums.
struct IndexBuilder {
    private(set) var entries: [SnapshotEntry] = []
    /// Where the next entry's chunks start.
    private(set) var fileOffset = SnapshotFormat.headerByteCount
    private(set) var arenaByteCount = 0
    private var names: Set<String> = []

    /// What keeps an entry out, `nil` where nothing does.
    func objection(
        name: String,
        element: ElementType,
        shape: [Int],
        layout: UInt8,
        byteCount: UInt64
    ) -> String? {
        guard !name.isEmpty, name.utf8.count <= SnapshotFormat.nameByteCountMax else {
            return "a name has 1 to \(SnapshotFormat.nameByteCountMax) bytes, this one has \(name.utf8.count)"
        }
        guard !names.contains(name) else { return "there is an entry of this name already" }
        guard entries.count < SnapshotFormat.entriesMax else {
            return "a snapshot has at most \(SnapshotFormat.entriesMax) entries"
        }
        guard UInt64(SnapshotLimits.arenaByteCountMax - arenaByteCount) >= byteCount else {
            return "the entries together take more than \(SnapshotLimits.arenaByteCountMax) bytes"
        }
        return SnapshotEntry.objection(element: element, shape: shape, layout: layout, byteCount: byteCount)
    }

    /// Appends an entry that met no objection.
    mutating func append(
        name: String,
        element: ElementType,
        shape: [Int],
        layout: UInt8,
        byteCount: Int,
        chunks: [SnapshotChunk]
    ) {
        let stored = chunks.reduce(0) { $0 + $1.storedByteCount }
        entries.append(
            SnapshotEntry(
                name: name,
                element: element,
                shape: shape,
                layout: layout,
                byteCount: byteCount,
                arenaOffset: arenaByteCount,
                storedByteCount: stored,
                fileOffset: fileOffset,
                chunks: chunks
            )
        )
        names.insert(name)
        fileOffset += stored
        let alignment = SnapshotFormat.arenaAlignment
        arenaByteCount += (byteCount + alignment - 1) / alignment * alignment
    }

    /// Reads one entry of an index; its chunks must end before `dataEnd`, where those of the file do.
    mutating func append(reading reader: inout IndexReader, dataEnd: Int) throws(SnapshotError) {
        let start = reader.offset
        let name = try reader.readText()
        let kind = try reader.read(UInt8.self)
        guard let element = ElementType(rawValue: kind) else {
            throw .malformed("entry \"\(name)\" has elements of unknown type \(kind)", offset: start)
        }
        let layout = try reader.read(UInt8.self)
        var shape: [Int] = []
        for _ in 0..<(try reader.read(UInt8.self)) {
            guard let dimension = Int(exactly: try reader.read(UInt64.self)) else {
                throw .malformed("entry \"\(name)\" has an impossible dimension", offset: start)
            }
            shape.append(dimension)
        }
        let byteCount = try reader.read(UInt64.self)
        if let objection = objection(name: name, element: element, shape: shape, layout: layout, byteCount: byteCount) {
            throw .malformed("entry \"\(name)\": \(objection)", offset: start)
        }
        let chunks = try readChunks(&reader, name: name, element: element, byteCount: Int(byteCount), dataEnd: dataEnd)
        append(
            name: name,
            element: element,
            shape: shape,
            layout: layout,
            byteCount: Int(byteCount),
            chunks: chunks
        )
    }

    private func readChunks(
        _ reader: inout IndexReader,
        name: String,
        element: ElementType,
        byteCount: Int,
        dataEnd: Int
    ) throws(SnapshotError) -> [SnapshotChunk] {
        let count = SnapshotFormat.chunkCount(of: byteCount)
        // Before room is made for them: a chunk's record is at least this long.
        let recordByteCount = 4 * element.byteCount + SnapshotFormat.checksumByteCount + SnapshotFormat.digestByteCount
        guard count <= reader.remainingCount / recordByteCount else {
            throw .malformed("it ends before the \(count) chunks of entry \"\(name)\"", offset: reader.offset)
        }
        var chunks: [SnapshotChunk] = []
        chunks.reserveCapacity(count)
        var rest = byteCount
        var room = dataEnd - fileOffset
        for _ in 0..<count {
            let start = reader.offset
            let elementCount = min(rest, SnapshotFormat.chunkByteCount) / element.byteCount
            rest -= elementCount * element.byteCount
            var planes: [Int] = []
            for _ in 0..<element.byteCount {
                let stored = Int(try reader.read(UInt32.self))
                guard stored > 0, stored <= elementCount, stored <= room else {
                    throw .malformed("a plane of entry \"\(name)\" takes \(stored) bytes of the file", offset: start)
                }
                room -= stored
                planes.append(stored)
            }
            let checksum = try reader.read(UInt32.self)
            let digest = try reader.readBytes(count: SnapshotFormat.digestByteCount)
            chunks.append(SnapshotChunk(planeByteCounts: planes, checksum: checksum, digest: digest))
        }
        return chunks
    }
}
