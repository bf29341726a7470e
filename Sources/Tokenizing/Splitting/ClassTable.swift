/// Which of up to 64 sets each scalar is in, compiled into two stages: a block of 128 scalars, then a group of scalars
/// that are in the same sets.
struct ClassTable: Equatable, Sendable {
    static let blockScalars = 128
    static let blockCount = 0x110000 / blockScalars
    static let setsMax = 64

    /// Block of a scalar → its place in `groups`, in blocks.
    private(set) var blocks: [UInt16]
    /// One for each scalar of each different block.
    private(set) var groups: [UInt8]
    /// Bit n of a group's mask: its scalars are in set n.
    private(set) var masks: [UInt64]
    /// The masks of ASCII, derived from the above.
    private(set) var ascii: [UInt64]

    /// No scalar is in any set.
    static let empty = ClassTable()

    private init() {
        blocks = [UInt16](repeating: 0, count: Self.blockCount)
        groups = [UInt8](repeating: 0, count: Self.blockScalars)
        masks = [0]
        ascii = [UInt64](repeating: 0, count: 128)
    }

    /// nil where there are more sets, or more groups, than the table can tell apart.
    init?(_ sets: [ScalarSet]) {
        guard sets.count <= Self.setsMax else { return nil }
        var groups: [UInt8] = []
        var blocks: [UInt16] = []
        var masks: [UInt64] = []
        var groupOfMask: [UInt64: UInt8] = [:]
        var known: [[UInt8]: UInt16] = [:]
        // Most blocks are of one group, and known by its mask.
        var uniform: [UInt64: UInt16] = [:]
        var sweep = SetSweep(sets)
        var last: (mask: UInt64, end: UInt32) = (0, 0)
        for block in 0..<Self.blockCount {
            let first = UInt32(block * Self.blockScalars)
            let blockEnd = first + UInt32(Self.blockScalars)
            if last.end <= first { last = sweep.mask(from: first) }
            let isUniform = last.end >= blockEnd
            if isUniform, let same = uniform[last.mask] {
                blocks.append(same)
                continue
            }
            var content: [UInt8] = []
            while content.count < Self.blockScalars {
                if last.end <= first + UInt32(content.count) {
                    last = sweep.mask(from: first + UInt32(content.count))
                }
                let (mask, end) = last
                if groupOfMask[mask] == nil {
                    guard masks.count < 256 else { return nil }
                    groupOfMask[mask] = UInt8(masks.count)
                    masks.append(mask)
                }
                let count = min(Int(end - first), Self.blockScalars) - content.count
                content.append(contentsOf: repeatElement(groupOfMask[mask] ?? 0, count: count))
            }
            let index = known[content] ?? UInt16(groups.count / Self.blockScalars)
            if known[content] == nil {
                known[content] = index
                groups += content
            }
            if isUniform { uniform[last.mask] = index }
            blocks.append(index)
        }
        self.blocks = blocks
        self.groups = groups
        self.masks = masks
        ascii = []
        ascii = (0..<128).map { mask(of: $0) }
    }

    /// The sets that `scalar` is in, a bit each.
    @inline(__always)
    func mask(of scalar: UInt32) -> UInt64 {
        let block = Int(blocks[Int(scalar) / Self.blockScalars])
        return masks[Int(groups[block * Self.blockScalars + Int(scalar) % Self.blockScalars])]
    }
}

/// Walks all sets at once, upwards.
private struct SetSweep {
    private let sets: [ScalarSet]
    /// The first range of each set that may still matter.
    private var next: [Int]

    init(_ sets: [ScalarSet]) {
        self.sets = sets
        next = [Int](repeating: 0, count: sets.count)
    }

    /// The sets that hold `scalar`, and the first scalar above of which that may be different; ask upwards only.
    mutating func mask(from scalar: UInt32) -> (mask: UInt64, end: UInt32) {
        var mask: UInt64 = 0
        var end: UInt32 = 0x110000
        for (index, set) in sets.enumerated() {
            while next[index] < set.ranges.count, set.ranges[next[index]].upperBound < scalar { next[index] += 1 }
            guard next[index] < set.ranges.count else { continue }
            let range = set.ranges[next[index]]
            if range.lowerBound <= scalar {
                mask |= 1 << UInt64(index)
                end = min(end, range.upperBound + 1)
            } else {
                end = min(end, range.lowerBound)
            }
        }
        return (mask, end)
    }
}

extension ClassTable {
    func write(to writer: inout CompiledWriter) {
        writer.append(blocks)
        writer.append(groups)
        writer.append(masks)
    }

    /// Reads and checks every index, so that a lookup can rely on them.
    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        blocks = try reader.readArray(of: UInt16.self, from: bytes)
        groups = try reader.readArray(of: UInt8.self, from: bytes)
        masks = try reader.readArray(of: UInt64.self, from: bytes)
        ascii = []
        let count = groups.count / Self.blockScalars
        let masksMax = masks.count
        guard blocks.count == Self.blockCount, groups.count.isMultiple(of: Self.blockScalars),
            blocks.allSatisfy({ Int($0) < count }), groups.allSatisfy({ Int($0) < masksMax })
        else { throw .notCompiled("a table of its classes is damaged") }
        ascii = (0..<128).map { mask(of: $0) }
    }
}
