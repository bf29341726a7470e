/// How each Unicode scalar is normalised, compiled into two stages: a block of 128 scalars, then a place in it.
///
/// The packer works the answers out once; a worker only looks them up.
struct CharacterTable: Equatable {
    /// Equal blocks are stored once, and most of the 8,704 are equal.
    static let blockScalars = 128
    static let blockCount = 0x110000 / blockScalars

    /// What to do with a scalar.
    ///
    /// From ``firstRecord`` on they are places in `recordStarts`.
    enum Action {
        static let keep: UInt16 = 0
        static let vanish: UInt16 = 1
        static let barrier: UInt16 = 2
        static let space: UInt16 = 3
        static let isolate: UInt16 = 4
        static let pad: UInt16 = 5
        /// A Hangul syllable: decomposes by arithmetic (The Unicode Standard, 3.12).
        static let hangul: UInt16 = 6
        static let firstRecord: UInt16 = 7
    }

    /// The scalars that ``Action/hangul`` is for.
    static let hangulSyllables: ClosedRange<UInt32> = 0xAC00...0xD7A3

    /// What ``Action/space`` stands for.
    static let spaceText = [UInt8(ascii: " ")]

    /// Block of a scalar → its place in `actions`, in blocks.
    private(set) var blocks: [UInt16]
    private(set) var actions: [UInt16]
    /// Where each record starts in `recordBytes`.
    private(set) var recordStarts: [UInt32]
    /// Records: count of parts, then for each part its combining class, kind, byte count and bytes.
    private(set) var recordBytes: [UInt8]
    /// What becomes of an ASCII byte, derived from the above: see ``AsciiCode``.
    private(set) var ascii: [UInt8]

    /// Meaning of an entry of ``ascii``: below 0x80 a byte of a word; 0x80 and more as follows.
    enum AsciiCode {
        static let space: UInt8 = 0x80
        static let vanish: UInt8 = 0x81
        static let isolate: UInt8 = 0x82
        /// Look it up like any other scalar.
        static let other: UInt8 = 0xFF
    }

    init(rules: NormalizerRules) {
        var blocks: [UInt16] = []
        var actions: [UInt16] = []
        var records = RecordList()
        var known: [[UInt16]: UInt16] = [:]
        for block in 0..<Self.blockCount {
            let content = (0..<Self.blockScalars).map { place in
                let scalar = Unicode.Scalar(UInt32(block * Self.blockScalars + place))
                return scalar.map { Self.action(for: $0, rules: rules, records: &records) } ?? Action.keep
            }
            if let same = known[content] {
                blocks.append(same)
            } else {
                let index = UInt16(actions.count / Self.blockScalars)
                known[content] = index
                blocks.append(index)
                actions += content
            }
        }
        self.blocks = blocks
        self.actions = actions
        recordStarts = records.starts
        recordBytes = records.bytes
        ascii = []
        ascii = (0..<128).map { asciiCode(for: $0) }
    }

    @inline(__always)
    func action(for scalar: UInt32) -> UInt16 {
        actions[Int(blocks[Int(scalar) / Self.blockScalars]) * Self.blockScalars + Int(scalar) % Self.blockScalars]
    }

    private static func action(
        for scalar: Unicode.Scalar,
        rules: NormalizerRules,
        records: inout RecordList
    ) -> UInt16 {
        // Most scalars are one of these three, and short work.
        switch scalar.properties.generalCategory {
        case .privateUse:
            return rules.cleansText ? Action.vanish : Action.keep
        case .unassigned,
            .otherLetter where scalar.properties.isUnifiedIdeograph:
            return rules.padsIdeographs && UnicodeProperties.isIdeograph(scalar) ? Action.pad : Action.keep
        default: break
        }
        if rules.decomposes, hangulSyllables.contains(scalar.value) { return Action.hangul }
        let parts = rules.parts(of: scalar)
        guard let first = parts.first else { return Action.vanish }
        guard parts.count == 1, first.combiningClass == 0 else { return records.place(of: parts) }
        switch first.kind {
        case .barrier: return Action.barrier
        case .space where first.text == [UInt8(ascii: " ")]: return Action.space
        default: break
        }
        guard first.text.elementsEqual(String(scalar).utf8) else { return records.place(of: parts) }
        return switch first.kind {
        case .word: Action.keep
        case .isolated: Action.isolate
        case .padded: Action.pad
        case .space, .barrier: records.place(of: parts)
        }
    }

    private func asciiCode(for byte: UInt8) -> UInt8 {
        switch action(for: UInt32(byte)) {
        case Action.keep: return byte
        case Action.vanish: return AsciiCode.vanish
        case Action.space: return AsciiCode.space
        case Action.isolate: return AsciiCode.isolate
        case let action where action >= Action.firstRecord:
            // A capital letter: one part, no class, one byte of a word.
            let start = Int(recordStarts[Int(action - Action.firstRecord)])
            let isOneByte = recordBytes[start] == 1 && recordBytes[start + 3] == 1
            let isPlain = recordBytes[start + 1] == 0 && recordBytes[start + 2] == CharacterKind.word.rawValue
            guard isOneByte, isPlain, recordBytes[start + 4] < 0x80 else { return AsciiCode.other }
            return recordBytes[start + 4]
        default: return AsciiCode.other
        }
    }
}

/// Records of the scalars that become something else, equal ones stored once.
private struct RecordList {
    private(set) var starts: [UInt32] = []
    private(set) var bytes: [UInt8] = []
    private var known: [[UInt8]: UInt16] = [:]

    /// The action that stands for `parts`.
    ///
    /// All of Unicode has some four thousand different ones.
    mutating func place(of parts: [CharacterPart]) -> UInt16 {
        var record = [UInt8(parts.count)]
        for part in parts {
            record += [part.combiningClass, part.kind.rawValue, UInt8(part.text.count)] + part.text
        }
        if let same = known[record] { return same }
        let action = CharacterTable.Action.firstRecord + UInt16(starts.count)
        known[record] = action
        starts.append(UInt32(bytes.count))
        bytes += record
        return action
    }
}

extension CharacterTable {
    func write(to writer: inout CompiledWriter) {
        writer.append(blocks)
        writer.append(actions)
        writer.append(recordStarts)
        writer.append(recordBytes)
    }

    /// Reads and checks every index, so that a lookup can rely on them.
    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        blocks = try reader.readArray(of: UInt16.self, from: bytes)
        actions = try reader.readArray(of: UInt16.self, from: bytes)
        recordStarts = try reader.readArray(of: UInt32.self, from: bytes)
        recordBytes = try reader.readArray(of: UInt8.self, from: bytes)
        ascii = []
        guard blocks.count == Self.blockCount, actions.count.isMultiple(of: Self.blockScalars) else {
            throw .notCompiled("its character table has the wrong size")
        }
        let blocksMax = actions.count / Self.blockScalars
        guard blocks.allSatisfy({ Int($0) < blocksMax }) else {
            throw .notCompiled("a block of its character table is out of range")
        }
        let actionsMax = Int(Action.firstRecord) + recordStarts.count
        guard actions.allSatisfy({ Int($0) < actionsMax }) else {
            throw .notCompiled("an action of its character table is out of range")
        }
        guard recordStarts.allSatisfy({ isRecord(at: Int($0)) }) else {
            throw .notCompiled("a record of its character table is damaged")
        }
        ascii = (0..<128).map { asciiCode(for: $0) }
    }

    private func isRecord(at start: Int) -> Bool {
        guard start < recordBytes.count else { return false }
        var position = start + 1
        for _ in 0..<recordBytes[start] {
            guard position + 3 <= recordBytes.count, CharacterKind(rawValue: recordBytes[position + 1]) != nil else {
                return false
            }
            position += 3 + Int(recordBytes[position + 2])
        }
        return position <= recordBytes.count && recordBytes[start] > 0
    }
}
