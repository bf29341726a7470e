/// Lays the nodes of a ``PieceTrie`` out.
struct PieceTrieBuilder {
    private(set) var bases: [UInt32] = []
    private(set) var parents: [UInt32] = []
    private(set) var values: [UInt32] = []
    /// No place before this one is free.
    ///
    /// The first 256 stay empty but for the roots, so that a base is never negative
    /// and every hole after them can be filled by some node.
    private var firstFree = 256

    /// How many free places are tried for a node before its children go to the end of the arrays: enough to fill
    /// nearly all holes, few enough that a vocabulary of 30,000 is laid out within a tenth of a second.
    private static let placesTriedMax = 64

    init() {
        grow(toHold: 2 * 256)
        for root in PieceTrie.Root.allCases {
            // Roots have themselves as parent only so that their places are taken.
            parents[Int(root.rawValue)] = PieceTrie.free - 1
        }
    }

    private struct Task {
        var node: Int
        var keys: Range<Int>
        var depth: Int
    }

    mutating func add(_ keys: [PieceTrie.Key], under root: PieceTrie.Root) {
        // A stable order, so that the first of equal texts comes first.
        let sorted = keys.enumerated().sorted { left, right in
            if left.element.text == right.element.text { return left.offset < right.offset }
            return left.element.text.lexicographicallyPrecedes(right.element.text)
        }.map(\.element)
        var tasks = [Task(node: Int(root.rawValue), keys: sorted.indices, depth: 0)]
        while let task = tasks.popLast() {
            var keys = task.keys
            if let first = keys.first, sorted[first].text.count == task.depth {
                values[task.node] = sorted[first].value
                while let next = keys.first, sorted[next].text.count == task.depth { keys.removeFirst() }
            }
            guard !keys.isEmpty else { continue }
            var children: [(byte: UInt8, keys: Range<Int>)] = []
            for key in keys {
                let byte = sorted[key].text[task.depth]
                if let last = children.indices.last, children[last].byte == byte {
                    children[last].keys = children[last].keys.lowerBound..<key + 1
                } else {
                    children.append((byte, key..<key + 1))
                }
            }
            let base = place(for: children.map(\.byte))
            bases[task.node] = UInt32(base)
            for child in children {
                let node = base + Int(child.byte)
                parents[node] = UInt32(task.node)
                tasks.append(Task(node: node, keys: child.keys, depth: task.depth + 1))
            }
        }
    }

    /// A base at which the places of all `bytes` (ascending, at least one) are free.
    private mutating func place(for bytes: [UInt8]) -> Int {
        while firstFree < parents.count, parents[firstFree] != PieceTrie.free { firstFree += 1 }
        let first = Int(bytes.first ?? 0)
        var tried = 0
        var candidate = firstFree
        while candidate < parents.count, tried < Self.placesTriedMax {
            if parents[candidate] == PieceTrie.free {
                let base = candidate - first
                grow(toHold: base + 256)
                if bytes.allSatisfy({ parents[base + Int($0)] == PieceTrie.free }) { return base }
                tried += 1
            }
            candidate += 1
        }
        let base = parents.count
        grow(toHold: base + 256)
        return base
    }

    private mutating func grow(toHold count: Int) {
        // A base may stand at any place, and a lookup may then reach 255 further.
        while parents.count < count {
            bases.append(0)
            parents.append(PieceTrie.free)
            values.append(PieceTrie.noValue)
        }
    }
}
