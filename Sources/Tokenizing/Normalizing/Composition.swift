/// Canonical composition: which two scalars become one, and a quick check for text to which nothing happens.
struct Composition: Equatable, Sendable {
    /// First scalar in the upper half, second in the lower, ascending.
    private(set) var pairs: [UInt64]
    /// What each pair becomes.
    private(set) var composites: [UInt32]
    /// Set 0: scalars that may change, or change what is before them.
    private(set) var suspects: ClassTable

    /// - Parameter rules: those of the decomposition that goes before.
    init(after rules: NormalizerRules) {
        var found: [(pair: UInt64, composite: UInt32)] = []
        var suspects: [ClosedRange<UInt32>] = [0x1161...0x1175, 0x11A8...0x11C2]
        for value in 0..<UInt32(0x110000) {
            guard let scalar = Unicode.Scalar(value), !(0xAC00...0xD7A3).contains(value) else { continue }
            let properties = UnicodeProperties(scalar)
            if properties.combiningClass != 0 { suspects.append(value...value) }
            let decomposition = properties.decomposition
            let isComposed = decomposition == [scalar] || Self.composed(decomposition) == [scalar]
            let isCompatible =
                rules.decomposition == .compatibility && properties.compatibilityDecomposition != decomposition
            if !isComposed || isCompatible { suspects.append(value...value) }
            guard isComposed, decomposition.count > 1, let last = decomposition.last else { continue }
            let first = Self.composed(Array(decomposition.dropLast()))
            guard first.count == 1 else { continue }
            found.append((UInt64(first[0].value) << 32 | UInt64(last.value), value))
            suspects.append(last.value...last.value)
        }
        found.sort { $0.pair < $1.pair }
        pairs = found.map(\.pair)
        composites = found.map(\.composite)
        self.suspects = ClassTable([ScalarSet(suspects)]) ?? ClassTable.empty
    }

    private static func composed(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        UnicodeProperties.composed(scalars)
    }

    /// Whether composition leaves `text` as it is, seen from its scalars alone.
    func isUnchanged(_ text: Span<UInt8>) -> Bool {
        var position = 0
        while position < text.count {
            let byte = text[position]
            if byte < 0x80 {
                position += 1
                continue
            }
            let (scalar, count) = text.scalar(at: position)
            if suspects.mask(of: scalar) != 0 { return false }
            position += count
        }
        return true
    }

    /// What the two become, nil where they stay two.
    func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if (0x1100...0x1112).contains(first), (0x1161...0x1175).contains(second) {
            return 0xAC00 + ((first - 0x1100) * 21 + (second - 0x1161)) * 28
        }
        if (0xAC00...0xD7A3).contains(first), (first - 0xAC00) % 28 == 0, (0x11A8...0x11C2).contains(second) {
            return first + second - 0x11A7
        }
        let pair = UInt64(first) << 32 | UInt64(second)
        var low = 0
        var high = pairs.count
        while low < high {
            let middle = (low + high) / 2
            if pairs[middle] < pair { low = middle + 1 } else { high = middle }
        }
        return low < pairs.count && pairs[low] == pair ? composites[low] : nil
    }
}

extension Composition {
    func write(to writer: inout CompiledWriter) {
        writer.append(pairs)
        writer.append(composites)
        suspects.write(to: &writer)
    }

    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        pairs = try reader.readArray(of: UInt64.self, from: bytes)
        composites = try reader.readArray(of: UInt32.self, from: bytes)
        suspects = try ClassTable(reading: &reader, from: bytes)
        guard pairs.count == composites.count, composites.allSatisfy({ Unicode.Scalar($0) != nil }) else {
            throw .notCompiled("its composition table is damaged")
        }
    }
}
