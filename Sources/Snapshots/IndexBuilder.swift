import Linux

/// Lays entries one after the other, in the file and in the arena.
///
/// Writer and reader place them by the same sums.
struct IndexBuilder {
    /// The other snapshots in whose files entries may lie.
    let bases: [SnapshotBase]
    private(set) var entries: [SnapshotEntry] = []
    /// Where the next entry's frames start.
    private(set) var fileOffset = SnapshotFormat.headerByteCount
    private(set) var arenaByteCount = 0
    /// Frames of data, one a plane.
    private(set) var frameCount = 0
    private var names: Set<String> = []

    init(bases: [SnapshotBase] = []) {
        self.bases = bases
    }

    /// An entry before its place is known.
    struct Draft {
        var name: String
        var element: ElementType
        var shape: [Int]
        var layout: UInt8
        var access: SnapshotEntry.Access
        var byteCount: UInt64

        var coding: SnapshotEntry.Coding { SnapshotEntry.Coding(of: element) }
        var planeCount: Int { coding == .bytes ? 1 : element.byteCount }
        var chunkByteCount: Int { SnapshotFormat.chunkByteCount(coding, access) }
    }

    /// What keeps an entry out, `nil` where nothing does.
    func objection(to draft: Draft) -> String? {
        let name = draft.name
        guard !name.isEmpty, name.utf8.count <= SnapshotFormat.nameByteCountMax else {
            return "a name has 1 to \(SnapshotFormat.nameByteCountMax) bytes, this one has \(name.utf8.count)"
        }
        guard !names.contains(name) else { return "there is an entry of this name already" }
        guard entries.count < SnapshotFormat.entriesMax else {
            return "a snapshot has at most \(SnapshotFormat.entriesMax) entries"
        }
        let start = min(arenaOffset(of: draft.access), SnapshotLimits.arenaByteCountMax)
        guard UInt64(SnapshotLimits.arenaByteCountMax - start) >= draft.byteCount else {
            return "the entries together take more than \(SnapshotLimits.arenaByteCountMax) bytes"
        }
        return SnapshotEntry.objection(
            element: draft.element,
            shape: draft.shape,
            layout: draft.layout,
            byteCount: draft.byteCount
        )
    }

    /// A table that is decoded row by row begins with a huge page, so that what the pages before it and its own are
    /// allowed to be (read-only, huge) does not split one.
    private func arenaOffset(of access: SnapshotEntry.Access) -> Int {
        access == .rows ? Self.rounded(arenaByteCount, to: Mapping.hugePageByteCount) : arenaByteCount
    }

    private static func rounded(_ count: Int, to unit: Int) -> Int {
        (count + unit - 1) / unit * unit
    }

    /// Appends an entry that met no objection; with a home its frames are there, and none come here.
    mutating func append(_ draft: Draft, chunks: [SnapshotChunk], home: SnapshotHome? = nil) {
        let stored = home == nil ? chunks.reduce(0) { $0 + $1.storedByteCount } : 0
        let byteCount = Int(draft.byteCount)
        let start = arenaOffset(of: draft.access)
        let place = home ?? SnapshotHome(base: -1, fileOffset: fileOffset)
        append(draft, twin: nil, home: home?.base, arenaOffset: start, stored: stored, place.fileOffset, chunks)
        fileOffset += stored
        if home == nil { frameCount += chunks.count * draft.planeCount }
        // And whatever follows a table begins with a page.
        let unit = draft.access == .rows ? Mapping.pageByteCount : SnapshotFormat.arenaAlignment
        arenaByteCount = Self.rounded(start + byteCount, to: unit)
    }

    /// Appends an entry that has the bytes of the one with this number.
    mutating func append(_ draft: Draft, twinOf number: Int) {
        let lender = entries[number]
        append(
            draft,
            twin: number,
            home: lender.home,
            arenaOffset: lender.arenaOffset,
            stored: 0,
            lender.fileOffset,
            lender.chunks
        )
    }

    private mutating func append(
        _ draft: Draft,
        twin: Int?,
        home: Int?,
        arenaOffset: Int,
        stored: Int,
        _ fileOffset: Int,
        _ chunks: [SnapshotChunk]
    ) {
        names.insert(draft.name)
        entries.append(
            SnapshotEntry(
                name: draft.name,
                element: draft.element,
                shape: draft.shape,
                layout: draft.layout,
                coding: draft.coding,
                access: draft.access,
                twin: twin,
                home: home,
                byteCount: Int(draft.byteCount),
                arenaOffset: arenaOffset,
                storedByteCount: stored,
                fileOffset: fileOffset,
                chunks: chunks
            )
        )
    }

    /// The first entry that may lend its bytes to one with these chunks.
    func lender(of draft: Draft, chunks: [SnapshotChunk]) -> Int? {
        guard draft.byteCount > 0 else { return nil }
        return entries.firstIndex { lends($0, to: draft) && $0.chunks == chunks }
    }

    private func lends(_ entry: SnapshotEntry, to draft: Draft) -> Bool {
        entry.twin == nil && entry.element == draft.element && entry.access == draft.access
            && UInt64(entry.byteCount) == draft.byteCount
    }
}

extension IndexBuilder.Draft {
    /// The entry without its place.
    init(_ entry: SnapshotEntry) {
        self.init(
            name: entry.name,
            element: entry.element,
            shape: entry.shape,
            layout: entry.layout,
            access: entry.access,
            byteCount: UInt64(entry.byteCount)
        )
    }
}

extension IndexBuilder {
    /// Reads one entry of an index; its frames must end before `dataEnd`, where those of the file do.
    mutating func append(reading reader: inout IndexReader, dataEnd: Int) throws(SnapshotError) {
        let start = reader.offset
        let draft = try readDraft(&reader)
        if let objection = objection(to: draft) {
            throw .malformed("entry \"\(draft.name)\": \(objection)", offset: start)
        }
        let twin = Int(try reader.read(UInt32.self))
        guard twin > 0 else {
            guard let home = try readHome(&reader) else {
                return append(draft, chunks: try readChunks(&reader, of: draft, room: dataEnd - fileOffset))
            }
            let room = bases[home.base].fileByteCount - home.fileOffset
            return append(draft, chunks: try readChunks(&reader, of: draft, room: room), home: home)
        }
        guard twin <= entries.count, lends(entries[twin - 1], to: draft) else {
            throw .malformed("entry \"\(draft.name)\" has no bytes of its own and none to share", offset: start)
        }
        append(draft, twinOf: twin - 1)
    }

    private func readDraft(_ reader: inout IndexReader) throws(SnapshotError) -> Draft {
        let start = reader.offset
        let name = try reader.readText()
        let kind = try reader.read(UInt8.self)
        guard let element = ElementType(rawValue: kind) else {
            throw .malformed("entry \"\(name)\" has elements of unknown type \(kind)", offset: start)
        }
        let layout = try reader.read(UInt8.self)
        let coding = SnapshotEntry.Coding(rawValue: try reader.read(UInt8.self))
        guard coding == SnapshotEntry.Coding(of: element),
            let access = SnapshotEntry.Access(rawValue: try reader.read(UInt8.self))
        else { throw .malformed("entry \"\(name)\" is stored in a way that its type is not", offset: start) }
        var shape: [Int] = []
        for _ in 0..<(try reader.read(UInt8.self)) {
            guard let dimension = Int(exactly: try reader.read(UInt64.self)) else {
                throw .malformed("entry \"\(name)\" has an impossible dimension", offset: start)
            }
            shape.append(dimension)
        }
        let byteCount = try reader.read(UInt64.self)
        return Draft(name: name, element: element, shape: shape, layout: layout, access: access, byteCount: byteCount)
    }

    /// - Returns: `nil` where the frames lie in the snapshot's own file.
    private func readHome(_ reader: inout IndexReader) throws(SnapshotError) -> SnapshotHome? {
        guard !bases.isEmpty else { return nil }
        let start = reader.offset
        let number = Int(try reader.read(UInt8.self))
        guard number > 0 else { return nil }
        let offset = try reader.read(UInt64.self)
        guard number <= bases.count, offset >= UInt64(SnapshotFormat.headerByteCount),
            offset <= UInt64(bases[number - 1].fileByteCount)
        else {
            throw .malformed("an entry lies at byte \(offset) of base \(number), which is no such place", offset: start)
        }
        return SnapshotHome(base: number - 1, fileOffset: Int(offset))
    }

    /// - Parameter room: bytes of the file that the frames may take.
    private func readChunks(
        _ reader: inout IndexReader,
        of draft: Draft,
        room: Int
    ) throws(SnapshotError) -> [SnapshotChunk] {
        let byteCount = Int(draft.byteCount)
        let count = (byteCount + draft.chunkByteCount - 1) / draft.chunkByteCount
        // Before room is made for them: a chunk's record is at least this long.
        let recordByteCount = 4 * draft.planeCount + SnapshotFormat.checksumByteCount + SnapshotFormat.digestByteCount
        guard count <= reader.remainingCount / recordByteCount else {
            throw .malformed("it ends before the \(count) chunks of entry \"\(draft.name)\"", offset: reader.offset)
        }
        var chunks: [SnapshotChunk] = []
        chunks.reserveCapacity(count)
        var rest = byteCount
        var room = room
        for _ in 0..<count {
            let start = reader.offset
            let planeByteCount = min(rest, draft.chunkByteCount) / draft.planeCount
            rest -= planeByteCount * draft.planeCount
            var planes: [Int] = []
            planes.reserveCapacity(draft.planeCount)
            for _ in 0..<draft.planeCount {
                let stored = Int(try reader.read(UInt32.self))
                guard stored > 0, stored <= ZstdFrame.rawByteCount(of: planeByteCount), stored <= room else {
                    throw .malformed(
                        "a plane of entry \"\(draft.name)\" takes \(stored) bytes of the file",
                        offset: start
                    )
                }
                room -= stored
                planes.append(stored)
            }
            let checksum = try reader.read(UInt32.self)
            let digest = try ChunkDigest(reading: &reader)
            chunks.append(SnapshotChunk(planeByteCounts: planes, checksum: checksum, digest: digest))
        }
        return chunks
    }
}
