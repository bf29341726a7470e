/// Which two pieces become one, and in what order: a hash table with open addressing.
struct MergeTable: Equatable, Sendable {
    /// Left piece in the upper half, right piece in the lower; ``free`` where nothing lies.
    private(set) var keys: [UInt64]
    private(set) var ranks: [UInt32]
    /// What the merge of each rank makes.
    private(set) var merged: [UInt32]

    static let free = UInt64.max
    static let noRank = UInt32.max

    /// - Parameter merges: in order of rank; of equal ones the last counts.
    init(_ merges: [(left: UInt32, right: UInt32, merged: UInt32)]) {
        // At most half full, so that a search that finds nothing ends soon.
        var capacity = 16
        while capacity < merges.count * 2 { capacity *= 2 }
        keys = [UInt64](repeating: Self.free, count: capacity)
        ranks = [UInt32](repeating: 0, count: capacity)
        merged = merges.map(\.merged)
        for (rank, merge) in merges.enumerated() {
            let key = Self.key(merge.left, merge.right)
            var place = Self.place(of: key, mask: capacity - 1)
            while keys[place] != Self.free, keys[place] != key { place = (place + 1) & (capacity - 1) }
            keys[place] = key
            ranks[place] = UInt32(rank)
        }
    }

    @inline(__always)
    private static func key(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) << 32 | UInt64(right) }

    @inline(__always)
    private static func place(of key: UInt64, mask: Int) -> Int {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the key.
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }

    /// The rank of the merge, ``noRank`` where there is none.
    @inline(__always)
    func rank(_ left: UInt32, _ right: UInt32) -> UInt32 {
        let key = Self.key(left, right)
        let mask = keys.count - 1
        var place = Self.place(of: key, mask: mask)
        while true {
            let found = keys[place]
            if found == key { return ranks[place] }
            if found == Self.free { return Self.noRank }
            place = (place + 1) & mask
        }
    }
}

extension MergeTable {
    func write(to writer: inout CompiledWriter) {
        writer.append(keys)
        writer.append(ranks)
        writer.append(merged)
    }

    /// Checks what ``rank(_:_:)`` relies on: a power of two of places, one of them free, and ranks that exist.
    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        keys = try reader.readArray(of: UInt64.self, from: bytes)
        ranks = try reader.readArray(of: UInt32.self, from: bytes)
        merged = try reader.readArray(of: UInt32.self, from: bytes)
        let count = UInt32(clamping: merged.count)
        guard keys.count >= 16, keys.count & (keys.count - 1) == 0, ranks.count == keys.count,
            keys.contains(Self.free), zip(keys, ranks).allSatisfy({ $0 == Self.free || $1 < count })
        else { throw .notCompiled("its table of merges is damaged") }
    }
}
