/// SentencePiece's table of replacements (`precompiled_charsmap`): a double-array trie over the texts to replace, in the
/// layout of Darts-clone, and the replacements, each ended by a zero byte.
struct Precompiled: Equatable, Sendable {
    private(set) var units: [UInt32]
    private(set) var replacements: [UInt8]
    /// What becomes of an ASCII byte on its own: itself, or 0xFF for whatever the trie says; derived from the above.
    private(set) var ascii: [UInt8] = []

    /// Larger tables than any in use (T5's and XLM-R's have 300 KB) are refused.
    private static let bytesMax = 8 << 20

    /// - Parameter bytes: a little-endian count of bytes of the trie, the trie, the replacements.
    init(_ bytes: [UInt8]) throws(TokenizerError) {
        guard bytes.count >= 4, bytes.count <= Self.bytesMax else {
            throw .malformed("precompiled_charsmap has \(bytes.count) bytes, which is too few or too many")
        }
        let number = { (place: Int) in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32($1 * 8) }
        }
        let trieBytes = Int(number(0))
        guard trieBytes.isMultiple(of: 4), trieBytes <= bytes.count - 4 else {
            throw .malformed("precompiled_charsmap is cut short")
        }
        units = (0..<trieBytes / 4).map { number(4 + $0 * 4) }
        replacements = Array(bytes[(4 + trieBytes)...])
        ascii = (0..<128).map { asciiCode($0) }
    }

    /// Where the replacement of the shortest entry that `text` starts with in `range` lies; nil where there is none.
    ///
    /// The shortest, not the longest: so does the reference, and models are trained on it.
    func replacement(of text: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        guard let root = units.first else { return nil }
        var node = Self.offset(root)
        for position in range {
            let byte = UInt32(text[position])
            guard byte != 0 else { return nil }
            node ^= byte
            guard Int(node) < units.count else { return nil }
            let unit = units[Int(node)]
            // The label, and the bit that marks a leaf, which no byte has.
            guard unit & 0x8000_00FF == byte else { return nil }
            node ^= Self.offset(unit)
            if unit >> 8 & 1 == 1 {
                guard Int(node) < units.count else { return nil }
                return entry(at: Int(units[Int(node)] & 0x7FFF_FFFF))
            }
        }
        return nil
    }

    private func entry(at start: Int) -> Range<Int>? {
        guard start <= replacements.count else { return nil }
        var end = start
        while end < replacements.count, replacements[end] != 0 { end += 1 }
        return start..<end
    }

    private static func offset(_ unit: UInt32) -> UInt32 {
        (unit >> 10) << ((unit & (1 << 9)) >> 6)
    }

    private func asciiCode(_ byte: UInt8) -> UInt8 {
        let text = [byte]
        guard let range = replacement(of: text.span, 0..<1) else { return byte }
        return range.count == 1 && replacements[range.lowerBound] < 0x80 ? replacements[range.lowerBound] : 0xFF
    }

    /// Normalises `text`: replacements are looked up for what a reader takes for one character, if that is short, and
    /// otherwise for each scalar.
    func apply(to text: WorkingText, into out: inout WorkingText) {
        let bytes = text.bytes.span
        var position = 0
        while position < bytes.count {
            // ASCII before ASCII is a character of its own, but for CR LF.
            if bytes[position] < 0x80, position + 1 == bytes.count || bytes[position + 1] < 0x80,
                bytes[position] != 0x0D, ascii[Int(bytes[position])] != 0xFF
            {
                out.append(ascii[Int(bytes[position])], origin: text.origin(of: position..<position + 1))
                position += 1
                continue
            }
            var end = position + 1
            while end < bytes.count, bytes[end - 1] >= 0x80 || bytes[end] >= 0x80 || bytes[end] == 0x0A { end += 1 }
            // The stretch ends before an ASCII byte that follows an ASCII byte: a character ends there, too.
            for character in String(decoding: text.bytes[position..<end], as: UTF8.self) {
                // Within the stretch also where repair of a text that is no UTF-8 made it longer.
                let count = min(character.utf8.count, end - position)
                put(position..<position + count, of: text, into: &out)
                position += count
            }
        }
    }

    private func put(_ range: Range<Int>, of text: WorkingText, into out: inout WorkingText) {
        let bytes = text.bytes.span
        if range.count < 6, let found = replacement(of: bytes, range) {
            out.append(replacements.span, found, origin: text.origin(of: range))
            return
        }
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(position + bytes.scalar(at: position).byteCount, range.upperBound)
            if let found = replacement(of: bytes, position..<end) {
                out.append(replacements.span, found, origin: text.origin(of: position..<end))
            } else {
                out.append(text, position..<end)
            }
            position = end
        }
    }
}

extension Precompiled {
    func write(to writer: inout CompiledWriter) {
        writer.append(units)
        writer.append(replacements)
    }

    /// Lookups check every index themselves.
    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        units = try reader.readArray(of: UInt32.self, from: bytes)
        replacements = try reader.readArray(of: UInt8.self, from: bytes)
        ascii = (0..<128).map { asciiCode($0) }
    }
}
