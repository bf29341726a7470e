/// Takes a text through a ``CharacterTable``.
struct CharacterWalk {
    /// A scalar with a combining class, which waits to be sorted among its neighbours.
    private struct Mark {
        var combiningClass: UInt8
        var text: Range<Int>
        var origin: Range<Int>
    }

    private let table: CharacterTable
    private var marks: [Mark] = []

    init(_ table: CharacterTable) {
        self.table = table
    }

    mutating func run(_ text: WorkingText, into out: inout WorkingText) {
        let bytes = text.bytes.span
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte < 0x80, marks.isEmpty {
                let code = table.ascii[Int(byte)]
                if code < 0x80 {
                    out.append(code, origin: text.origin(of: position..<position + 1))
                    position += 1
                    continue
                }
            }
            let (scalar, count) = bytes.scalar(at: position)
            let range = position..<position + count
            position += count
            let action = table.action(for: scalar)
            if action == CharacterTable.Action.vanish { continue }
            if action == CharacterTable.Action.barrier {
                sortMarks(into: &out)
            } else if action >= CharacterTable.Action.firstRecord {
                putRecord(Int(action - CharacterTable.Action.firstRecord), origin: text.origin(of: range), into: &out)
            } else {
                sortMarks(into: &out)
                put(action, scalar, text, range, into: &out)
            }
        }
        sortMarks(into: &out)
    }

    private func put(
        _ action: UInt16,
        _ scalar: UInt32,
        _ text: WorkingText,
        _ range: Range<Int>,
        into out: inout WorkingText
    ) {
        let space = UInt8(ascii: " ")
        switch action {
        case CharacterTable.Action.space: out.append(space, origin: text.origin(of: range))
        case CharacterTable.Action.pad:
            out.append(space, origin: text.origin(of: range))
            out.append(text, range)
            out.append(space, origin: text.origin(of: range))
        case CharacterTable.Action.hangul:
            for jamo in CharacterTable.jamo(of: scalar) {
                out.append(jamo.span, 0..<3, origin: text.origin(of: range))
            }
        default: out.append(text, range)
        }
    }

    private mutating func putRecord(_ index: Int, origin: Range<Int>, into out: inout WorkingText) {
        table.forEachPart(of: index) { combiningClass, kind, text in
            if combiningClass != 0 {
                marks.append(Mark(combiningClass: combiningClass, text: text, origin: origin))
                return
            }
            sortMarks(into: &out)
            if kind == .barrier { return }
            if kind == .padded { out.append(UInt8(ascii: " "), origin: origin) }
            out.append(table.recordBytes.span, text, origin: origin)
            if kind == .padded { out.append(UInt8(ascii: " "), origin: origin) }
        }
    }

    private mutating func sortMarks(into out: inout WorkingText) {
        guard !marks.isEmpty else { return }
        // Equal classes stay in order: insertion is stable, and there are two or three.
        for index in marks.indices.dropFirst() {
            var place = index
            while place > 0, marks[place - 1].combiningClass > marks[place].combiningClass {
                marks.swapAt(place - 1, place)
                place -= 1
            }
        }
        for mark in marks { out.append(table.recordBytes.span, mark.text, origin: mark.origin) }
        marks.removeAll(keepingCapacity: true)
    }
}

extension CharacterTable {
    /// The conjoining jamo of a syllable, in UTF-8.
    static func jamo(of syllable: UInt32) -> [[UInt8]] {
        let index = syllable &- 0xAC00
        let jamo = [0x1100 + index / 588 % 19, 0x1161 + index % 588 / 28, 0x11A7 + index % 28]
        return (index % 28 == 0 ? jamo[..<2] : jamo[...]).map { value in
            [0xE0 | UInt8(value >> 12), 0x80 | UInt8(value >> 6 & 0x3F), 0x80 | UInt8(value & 0x3F)]
        }
    }

    /// The parts of a record: combining class, kind, and where in `recordBytes` the text lies.
    @inline(__always)
    func forEachPart(of index: Int, _ body: (UInt8, CharacterKind, Range<Int>) -> Void) {
        var position = Int(recordStarts[index])
        let parts = recordBytes[position]
        position += 1
        for _ in 0..<parts {
            let kind = CharacterKind(rawValue: recordBytes[position + 1]) ?? .barrier
            let text = position + 3..<position + 3 + Int(recordBytes[position + 2])
            body(recordBytes[position], kind, text)
            position = text.upperBound
        }
    }

    /// The combining class of a scalar that the table leaves in place, as the table knows it.
    func combiningClass(of scalar: UInt32) -> UInt8 {
        let action = action(for: scalar)
        guard action >= Action.firstRecord else { return 0 }
        let start = Int(recordStarts[Int(action - Action.firstRecord)])
        return recordBytes[start] == 1 ? recordBytes[start + 1] : 0
    }
}

extension Composition {
    /// Composes `text`, which is decomposed and whose marks are in order; `classes` knows their combining classes.
    func compose(_ text: WorkingText, classes: CharacterTable, into out: inout WorkingText) {
        let bytes = text.bytes.span
        var position = 0
        var starter: (value: UInt32, origin: Range<Int>)?
        // What follows the starter and stays apart from it.
        var rest: [(value: UInt32, range: Range<Int>)] = []
        var lastClass: UInt8 = 0
        while position < bytes.count {
            let (scalar, count) = bytes.scalar(at: position)
            let range = position..<position + count
            position += count
            let combiningClass = scalar < 0x300 ? 0 : classes.combiningClass(of: scalar)
            let isBlocked = rest.isEmpty ? false : lastClass == 0 || lastClass >= combiningClass
            if let (value, origin) = starter, !isBlocked, let composite = composite(value, scalar) {
                let end = max(origin.upperBound, text.origin(of: range).upperBound)
                starter = (composite, origin.lowerBound..<max(end, origin.lowerBound))
                continue
            }
            if combiningClass == 0 {
                flush(starter, rest, text, into: &out)
                rest.removeAll(keepingCapacity: true)
                starter = (scalar, text.origin(of: range))
            } else {
                rest.append((scalar, range))
            }
            lastClass = combiningClass
        }
        flush(starter, rest, text, into: &out)
    }

    private func flush(
        _ starter: (value: UInt32, origin: Range<Int>)?,
        _ rest: [(value: UInt32, range: Range<Int>)],
        _ text: WorkingText,
        into out: inout WorkingText
    ) {
        if let starter, let scalar = Unicode.Scalar(starter.value) {
            out.append(Array(String(scalar).utf8), origin: starter.origin)
        }
        for (_, range) in rest { out.append(text, range) }
    }
}
