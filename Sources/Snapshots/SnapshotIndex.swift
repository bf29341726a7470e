package import Linux

/// What a snapshot holds, without its bytes.
package struct SnapshotIndex: Equatable, Sendable {
    /// What wrote the snapshot, as in `thaw-pack 1`.
    package let producer: String
    package let entries: [SnapshotEntry]
    /// Other snapshots in whose files entries lie; none in most.
    package let bases: [SnapshotBase]
    /// The snapshot's name.
    package let digest: SnapshotDigest
    /// Bytes of memory that all entries take together, padding included.
    package let arenaByteCount: Int
    /// Bytes of the file.
    package let storedByteCount: Int
    private let indexByteCount: Int

    /// Reads and checks all but the entries' frames: of those only that their sizes add up to the file's.
    package init(reading file: borrowing FileDescriptor) throws(SnapshotError) {
        let fileByteCount: Int
        let headerBytes: [UInt8]
        do throws(SystemError) {
            fileByteCount = try file.size()
            headerBytes = try file.pread(count: SnapshotFormat.headerByteCount, at: 0)
        } catch {
            throw .system(error)
        }
        let header = try SnapshotHeader(parsing: headerBytes, fileByteCount: fileByteCount)
        let frame: [UInt8]
        let bytes: [UInt8]
        do throws(SystemError) {
            frame = try file.pread(count: ZstdFrame.skippableHeaderByteCount, at: header.dataEnd)
            bytes = try file.pread(count: header.indexByteCount, at: header.indexOffset)
        } catch {
            throw .system(error)
        }
        let found = try Hash.snapshot(of: bytes)
        guard found == header.indexDigest,
            frame == ZstdFrame.skippableHeader(SnapshotFormat.indexFrame, byteCount: bytes.count)
        else { throw .indexAltered(expected: header.indexDigest, found: found) }
        try self.init(parsing: bytes, header: header, fileByteCount: fileByteCount)
        try checkSeekTable(of: file, at: header.indexOffset + header.indexByteCount)
    }

    /// Checks the digest of every stored byte, without decoding any: what a load with ``LoadedSnapshot/Verification/digests``
    /// would find, in the bases' files as in the snapshot's own.
    package func verifyFrames(
        of file: borrowing FileDescriptor,
        bases files: [SharedDescriptor] = []
    ) throws(SnapshotError) {
        let files = try baseFiles(files)
        let hash = try Hash.sha512256()
        for entry in entries where entry.twin == nil {
            for place in entry.places() {
                let byteCount = place.chunk.storedByteCount
                let bytes: [UInt8]
                do throws(SystemError) {
                    bytes =
                        if let home = place.home {
                            try files[home].file.descriptor.pread(count: byteCount, at: place.fileOffset)
                        } else {
                            try file.pread(count: byteCount, at: place.fileOffset)
                        }
                } catch {
                    throw SnapshotError.system(error).met(in: place.home, of: bases)
                }
                guard bytes.count == byteCount,
                    try unsafe ChunkDigest(hash.digest(of: bytes.span.bytes)) == place.chunk.digest
                else {
                    let reason = "the digest of the \(byteCount) bytes from there is wrong"
                    throw SnapshotError.altered(entry: entry.name, offset: place.fileOffset, reason)
                        .met(in: place.home, of: bases)
                }
            }
        }
    }

    /// Other programs find frames by the table: it must say what the index says.
    private func checkSeekTable(of file: borrowing FileDescriptor, at offset: Int) throws(SnapshotError) {
        let expected = SeekTable(of: entries, indexByteCount: indexByteCount).encoded()
        let found: [UInt8]
        do throws(SystemError) {
            found = try file.pread(count: expected.count, at: offset)
        } catch {
            throw .system(error)
        }
        guard found == expected else {
            throw .incomplete("the table of frames at its end, from byte \(offset), is not the index's")
        }
    }

    /// Reads an index that has already been found to be what the header says.
    init(parsing bytes: [UInt8], header: SnapshotHeader, fileByteCount: Int) throws(SnapshotError) {
        var reader = IndexReader(bytes)
        producer = try reader.readText()
        var builder = IndexBuilder(bases: header.hasBases ? try Self.readBases(&reader) : [])
        let count = try reader.read(UInt32.self)
        guard count <= SnapshotFormat.entriesMax else {
            throw .malformed("\(count) entries, and \(SnapshotFormat.entriesMax) are allowed", offset: reader.offset)
        }
        for _ in 0..<count {
            try builder.append(reading: &reader, dataEnd: header.dataEnd)
        }
        guard reader.remainingCount == 0 else {
            throw .malformed("\(reader.remainingCount) bytes follow the last entry", offset: reader.offset)
        }
        guard builder.fileOffset == header.dataEnd else {
            throw .malformed(
                "its frames end at byte \(builder.fileOffset) of the file, the index's starts at \(header.dataEnd)",
                offset: reader.offset
            )
        }
        let end = header.indexOffset + header.indexByteCount + SeekTable.byteCount(dataFrames: builder.frameCount)
        guard end == fileByteCount else {
            throw .incomplete("it has \(fileByteCount) bytes, and its index says \(end)")
        }
        entries = builder.entries
        bases = builder.bases
        arenaByteCount = builder.arenaByteCount
        digest = header.indexDigest
        storedByteCount = fileByteCount
        indexByteCount = header.indexByteCount
    }

    static func readBases(_ reader: inout IndexReader) throws(SnapshotError) -> [SnapshotBase] {
        let count = Int(try reader.read(UInt8.self))
        guard count > 0, count <= SnapshotFormat.basesMax else {
            throw .malformed("\(count) bases, and 1 to \(SnapshotFormat.basesMax) are allowed", offset: reader.offset)
        }
        var bases: [SnapshotBase] = []
        for _ in 0..<count { bases.append(try SnapshotBase(reading: &reader)) }
        return bases
    }

    /// The digest that the snapshot would have without bases: two with the same hold the same, wherever it lies.
    package func contentDigest() throws(SnapshotError) -> SnapshotDigest {
        bases.isEmpty ? digest : try Hash.snapshot(of: Self.encode(producer: producer, entries: entries))
    }

    /// Bytes of frames that lie in the file of the base with this number.
    package func sharedByteCount(base number: Int) -> Int {
        entries.reduce(0) { $0 + ($1.home == number ? $1.frameByteCount : 0) }
    }

    /// The bytes that ``init(parsing:header:fileByteCount:)`` reads; without bases it says of no entry where it lies.
    static func encode(producer: String, bases: [SnapshotBase] = [], entries: [SnapshotEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        func append(text: String) {
            bytes.append(UInt8(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        append(text: producer)
        if !bases.isEmpty {
            bytes.append(UInt8(bases.count))
            for base in bases { base.append(to: &bytes) }
        }
        bytes.append(littleEndian: UInt32(entries.count))
        for entry in entries {
            append(text: entry.name)
            bytes.append(contentsOf: [entry.element.rawValue, entry.layout])
            bytes.append(contentsOf: [entry.coding.rawValue, entry.access.rawValue, UInt8(entry.shape.count)])
            for dimension in entry.shape {
                bytes.append(littleEndian: UInt64(dimension))
            }
            bytes.append(littleEndian: UInt64(entry.byteCount))
            bytes.append(littleEndian: UInt32(entry.twin.map { $0 + 1 } ?? 0))
            if !bases.isEmpty, entry.twin == nil {
                bytes.append(UInt8(entry.home.map { $0 + 1 } ?? 0))
                if entry.home != nil { bytes.append(littleEndian: UInt64(entry.fileOffset)) }
            }
            for chunk in entry.chunks where entry.twin == nil {
                for count in chunk.planeByteCounts {
                    bytes.append(littleEndian: UInt32(count))
                }
                bytes.append(littleEndian: chunk.checksum)
                chunk.digest.append(to: &bytes)
            }
        }
        return bytes
    }
}
