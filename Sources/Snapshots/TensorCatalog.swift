/// Which tensors lie in which snapshots' files: what a writer may refer to instead of storing them again.
///
/// It holds digests and places and nothing of the tensors, so that a packer in its sandbox learns no byte of another
/// function's.
package struct TensorCatalog: Equatable, Sendable {
    /// The files that are spoken of, those that are preferred first.
    package private(set) var bases: [SnapshotBase] = []
    /// By the digest of a tensor's content; the base of a place is the number of it here.
    private var places: [SnapshotDigest: [SnapshotHome]] = [:]

    /// Bytes that a base must save; fewer only where a test writes small files.
    private let savingByteCountMin: Int

    package init() {
        self.init(savingByteCountMin: Self.savingByteCountMin)
    }

    init(savingByteCountMin: Int) {
        self.savingByteCountMin = savingByteCountMin
    }

    /// Adds what a snapshot holds; what lies in a base of its own is noted there, so that no reference leads to another.
    package mutating func add(_ index: SnapshotIndex) throws(SnapshotError) {
        var numbers: [Int] = []
        for base in index.bases { numbers.append(number(of: base)) }
        let own = number(of: SnapshotBase(digest: index.digest, fileByteCount: index.storedByteCount))
        for entry in index.entries where entry.twin == nil && entry.byteCount > 0 {
            let base = entry.home.map { numbers[$0] } ?? own
            let digest = try entry.contentDigest()
            let known = places[digest] ?? []
            if known.contains(where: { $0.base == base }) { continue }
            places[digest] = known + [SnapshotHome(base: base, fileOffset: entry.fileOffset)]
        }
    }

    private mutating func number(of base: SnapshotBase) -> Int {
        if let number = bases.firstIndex(where: { $0.digest == base.digest }) { return number }
        bases.append(base)
        return bases.count - 1
    }
}

extension TensorCatalog {
    /// Which entries a new snapshot does not store, by their numbers, and where they lie instead.
    struct Choice {
        var bases: [SnapshotBase] = []
        var homes: [Int: SnapshotHome] = [:]
    }

    /// Bytes that a base must save.
    ///
    /// It is one more file to open and to compare with the index: 10 µs with its first page in memory, 100 µs from a
    /// disk. In the former 32 KiB are decoded, in the latter they are read twice over.
    private static let savingByteCountMin = 32 * 1024

    /// And the part of the base's file that this must be: one in so many bytes.
    ///
    /// A base whose own function is deleted stays on the disk whole for what is referred to in it, and in memory whole
    /// while the snapshot is packed. Of a quarter and more, at most three bytes are kept for each that is saved.
    static let savingPartMin = 4

    /// Refers to as few files as pays: at each step to the one that saves most, of equal ones to the first.
    func choice(for entries: [SnapshotEntry]) throws(SnapshotError) -> Choice {
        var choice = Choice()
        var found: [Int: [SnapshotHome]] = [:]
        guard !places.isEmpty else { return choice }
        for (number, entry) in entries.enumerated() where entry.twin == nil && entry.byteCount > 0 {
            found[number] = places[try entry.contentDigest()]
        }
        while choice.bases.count < SnapshotFormat.basesMax {
            var savings = [Int](repeating: 0, count: bases.count)
            for (number, homes) in found {
                for home in homes { savings[home.base] += entries[number].frameByteCount }
            }
            let paying = bases.indices.filter {
                savings[$0] >= savingByteCountMin && savings[$0] >= bases[$0].fileByteCount / Self.savingPartMin
            }
            guard let most = paying.map({ savings[$0] }).max(), let best = paying.first(where: { savings[$0] == most })
            else { break }
            for (number, homes) in found {
                guard let home = homes.first(where: { $0.base == best }) else { continue }
                choice.homes[number] = SnapshotHome(base: choice.bases.count, fileOffset: home.fileOffset)
                found[number] = nil
            }
            choice.bases.append(bases[best])
        }
        return choice
    }
}

extension TensorCatalog {
    /// For a process that is handed everything as descriptors.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt32(bases.count))
        for base in bases { base.append(to: &bytes) }
        let rows = places.flatMap { digest, homes in homes.map { (digest, $0) } }
        bytes.append(littleEndian: UInt32(rows.count))
        for (digest, home) in rows {
            bytes.append(contentsOf: digest.bytes)
            bytes.append(littleEndian: UInt32(home.base))
            bytes.append(littleEndian: UInt64(home.fileOffset))
        }
        return bytes
    }

    /// Reads what ``encoded()`` wrote; no bytes are an empty catalog.
    package init(parsing bytes: [UInt8]) throws(SnapshotError) {
        self.init()
        guard !bytes.isEmpty else { return }
        var reader = IndexReader(bytes)
        for _ in 0..<(try reader.read(UInt32.self)) {
            let base = try SnapshotBase(reading: &reader)
            guard !bases.contains(where: { $0.digest == base.digest }) else {
                throw .malformed("a catalog names the base \(base.digest) twice", offset: reader.offset)
            }
            bases.append(base)
        }
        for _ in 0..<(try reader.read(UInt32.self)) {
            let start = reader.offset
            let digest = SnapshotDigest(bytes: try reader.readBytes(count: SnapshotFormat.digestByteCount))
            let base = Int(try reader.read(UInt32.self))
            let offset = try reader.read(UInt64.self)
            guard let digest, base < bases.count, offset <= UInt64(bases[base].fileByteCount) else {
                throw .malformed("a catalog has a tensor at byte \(offset) of base \(base)", offset: start)
            }
            places[digest, default: []].append(SnapshotHome(base: base, fileOffset: Int(offset)))
        }
        guard reader.remainingCount == 0 else {
            throw .malformed("\(reader.remainingCount) bytes follow the catalog", offset: reader.offset)
        }
    }
}
