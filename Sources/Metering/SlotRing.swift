import Linux

/// The slots of the attempts that have no row yet, mapped from a file: what is stored here outlives the process.
///
/// One owner, under the ledger's lock. A store is a store to memory: no system call, and no wait for the disk.
struct SlotRing: ~Copyable {
    private var mapping: Mapping
    /// Free slots, the last one freed on top: a quiet node touches the same few pages again and again.
    private var free: [Int]
    private var generationNext: UInt64

    /// The mapping is the whole file, shared and writable; all its slots are free.
    init(_ mapping: consuming Mapping, slotCount: Int, generationNext: UInt64) {
        self.mapping = mapping
        self.generationNext = generationNext
        free = Array((0..<slotCount).reversed())
    }

    /// Takes a slot for an attempt.
    ///
    /// - Parameter words: the receipt that is true if nothing more is heard of it.
    /// - Returns: nil while all slots are taken.
    mutating func begin(_ words: [UInt64]) -> SlotPlace? {
        guard let index = free.popLast() else { return nil }
        let place = SlotPlace(index: index, generation: generationNext)
        generationNext += 1
        store(place.generation, at: place, word: 1)
        store(area: SlotLayout.begunArea, words, at: place)
        store(1, at: place, word: 0)
        return place
    }

    mutating func finish(_ place: SlotPlace, _ words: [UInt64]) {
        store(area: SlotLayout.finishedArea, words, at: place)
    }

    mutating func release(_ place: SlotPlace) {
        store(0, at: place, word: 0)
        free.append(place.index)
    }

    private mutating func store(area: Range<Int>, _ words: [UInt64], at place: SlotPlace) {
        precondition(words.count <= area.count - 2, "a receipt was cut to the size of its area")
        let checksum = SlotLayout.checksum(words[...], generation: place.generation)
        store(UInt64(words.count), at: place, word: area.lowerBound)
        store(checksum, at: place, word: area.lowerBound + 1)
        var offset = SlotLayout.byteCount(slots: place.index) + (area.lowerBound + 2) * 8
        mapping.withMutableBytes { bytes in
            for word in words {
                bytes.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
                offset += 8
            }
        }
    }

    private mutating func store(_ value: UInt64, at place: SlotPlace, word: Int) {
        let offset = SlotLayout.byteCount(slots: place.index) + word * 8
        mapping.withMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self) }
    }
}

/// Where an attempt's slot is, and which attempt of that slot it is.
struct SlotPlace: Equatable, Sendable {
    let index: Int
    let generation: UInt64
}
