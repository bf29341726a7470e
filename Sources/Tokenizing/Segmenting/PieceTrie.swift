/// All texts that the tokenizer looks for, as a double-array trie: one array access for each byte, no hashing.
///
/// A node is a place in `bases` and `parents`; its child under byte b is the place `bases[node] + b`, if the parent
/// there is the node. (J. Aoe, "An Efficient Digital Search Algorithm by Using a Double-Array Structure", 1989.)
struct PieceTrie: Equatable {
    /// Four tries share the arrays; a root's raw value is its node.
    enum Root: UInt32, CaseIterable {
        /// Pieces that start a word.
        case wordStart = 0
        /// Pieces that continue a word, without their `##`.
        case continuation = 1
        /// Added tokens that are found in the text as it came; values are places in the list of added tokens.
        case verbatimTokens = 2
        /// Added tokens that are found in the normalised text; values as above.
        case normalizedTokens = 3
    }

    /// A text to find and the value to answer.
    struct Key {
        var root: Root
        var text: [UInt8]
        var value: UInt32
    }

    static let free = UInt32.max
    static let noValue = UInt32.max

    private(set) var bases: [UInt32]
    private(set) var parents: [UInt32]
    /// The value of the text that ends at a node, or ``noValue``.
    private(set) var values: [UInt32]

    /// - Parameter keys: Texts that are not empty; of equal ones the first counts.
    init(keys: [Key]) {
        var builder = PieceTrieBuilder()
        for root in Root.allCases {
            builder.add(keys.filter { $0.root == root }, under: root)
        }
        bases = builder.bases
        parents = builder.parents
        values = builder.values
    }

    /// The longest text that `bytes` hold from `start` on: its value and where it ends.
    @inline(__always)
    func longestMatch(in bytes: Span<UInt8>, from start: Int, root: Root) -> (value: UInt32, end: Int)? {
        var node = root.rawValue
        var found = Self.noValue
        var end = start
        var position = start
        while position < bytes.count {
            let child = bases[Int(node)] + UInt32(bytes[position])
            guard parents[Int(child)] == node else { break }
            node = child
            position += 1
            let value = values[Int(node)]
            if value != Self.noValue {
                found = value
                end = position
            }
        }
        return found == Self.noValue ? nil : (found, end)
    }

    /// The node behind `node` under `byte`.
    @inline(__always)
    func child(of node: UInt32, _ byte: UInt8) -> UInt32? {
        let child = bases[Int(node)] + UInt32(byte)
        return parents[Int(child)] == node ? child : nil
    }

    /// The value of the text that `range` of `bytes` is, nil where it is none.
    @inline(__always)
    func value(of bytes: Span<UInt8>, _ range: Range<Int>, root: Root) -> UInt32? {
        var node = root.rawValue
        for position in range {
            guard let next = child(of: node, bytes[position]) else { return nil }
            node = next
        }
        let value = values[Int(node)]
        return value == Self.noValue ? nil : value
    }

    /// Sets `bits` in the value of `text`, which must be there.
    mutating func mark(_ text: [UInt8], root: Root, with bits: UInt32) {
        var node = root.rawValue
        for byte in text {
            guard let next = child(of: node, byte) else { return }
            node = next
        }
        values[Int(node)] |= bits
    }

    /// False where no text of `root` starts with `byte`.
    func hasText(startingWith byte: UInt8, root: Root) -> Bool {
        parents[Int(bases[Int(root.rawValue)] + UInt32(byte))] == root.rawValue
    }
}

extension PieceTrie {
    func write(to writer: inout CompiledWriter) {
        writer.append(bases)
        writer.append(parents)
        writer.append(values)
    }

    /// Checks what ``longestMatch(in:from:root:)`` relies on: each base leaves room for 256 children.
    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        bases = try reader.readArray(of: UInt32.self, from: bytes)
        parents = try reader.readArray(of: UInt32.self, from: bytes)
        values = try reader.readArray(of: UInt32.self, from: bytes)
        let count = bases.count
        guard count >= Root.allCases.count + 256, parents.count == count, values.count == count else {
            throw .notCompiled("its trie has the wrong size")
        }
        guard bases.allSatisfy({ Int($0) <= count - 256 }) else {
            throw .notCompiled("a node of its trie is out of range")
        }
    }
}
