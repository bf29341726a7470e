/// One text on its way to ids, in one pass that allocates nothing for a word.
///
/// Added tokens are found first; what is between them is normalised scalar by scalar, cut into words, and each word
/// into pieces.
struct TextEncoding {
    private let tokenizer: Tokenizer
    private let characters: CharacterTable
    private let wordScalarsMax: Int
    private var ids: [Int32]
    /// Ids beyond are cut off; nothing more is read once they are there.
    private let idsMax: Int
    /// The word that is being read: normalised, in UTF-8.
    private var word: [UInt8] = []
    private var wordScalars = 0
    /// Marks that wait to be sorted by combining class.
    private var marks: [CharacterPart] = []
    /// The normalised text since the last added token; filled only where tokens are looked for in it.
    private var segment = NormalizedSegment()

    init(tokenizer: Tokenizer, characters: CharacterTable, wordScalarsMax: Int, ids: [Int32], idsMax: Int) {
        self.tokenizer = tokenizer
        self.characters = characters
        self.wordScalarsMax = wordScalarsMax
        self.ids = ids
        self.idsMax = idsMax
        word.reserveCapacity(64)
    }

    /// - Parameter text: Valid UTF-8.
    mutating func encode(_ text: Span<UInt8>) {
        let ascii = characters.ascii
        let keepsSegment = tokenizer.hasNormalizedTokens
        var position = 0
        // A token that was found but is no single word is text, and no other token is looked for inside it.
        var tokensFrom = 0
        while position < text.count, ids.count < idsMax {
            let byte = text[position]
            // The common case: a plain ASCII letter or digit, which is added to the word, or white space.
            if byte < 0x80, !keepsSegment, marks.isEmpty {
                let code = ascii[Int(byte)]
                if code < 0x80, !tokenizer.startsToken(byte) {
                    word.append(code)
                    wordScalars += 1
                    position += 1
                    continue
                }
                if code == CharacterTable.AsciiCode.space {
                    endWord()
                    position += 1
                    continue
                }
            }
            if position >= tokensFrom, tokenizer.startsToken(byte),
                let match = tokenizer.pieces.trie.longestMatch(in: text, from: position, root: .verbatimTokens),
                let token = tokenizer.addedToken(match.value)
            {
                guard token.isSingleWord, !text.isWholeWord(from: position, to: match.end) else {
                    endSegment()
                    ids.append(Int32(bitPattern: token.id))
                    position = match.end
                    continue
                }
                tokensFrom = match.end
            }
            let (scalar, count) = text.scalar(at: position)
            normalize(scalar, from: position..<position + count, of: text)
            position += count
        }
        endSegment()
    }

    /// The ids so far, those beyond the limit cut off.
    consuming func finish() -> [Int32] {
        var ids = ids
        if ids.count > idsMax { ids.removeLast(ids.count - idsMax) }
        return ids
    }

    private mutating func normalize(_ scalar: UInt32, from range: Range<Int>, of text: Span<UInt8>) {
        let action = characters.action(for: scalar)
        switch action {
        case CharacterTable.Action.keep: put(text, range, .word)
        case CharacterTable.Action.vanish: return
        case CharacterTable.Action.barrier: sortMarks()
        case CharacterTable.Action.space:
            let space = CharacterTable.spaceText
            put(space.span, 0..<1, .space)
        case CharacterTable.Action.isolate: put(text, range, .isolated)
        case CharacterTable.Action.pad: put(text, range, .padded)
        case CharacterTable.Action.hangul:
            // A damaged table may say so of any scalar.
            if CharacterTable.hangulSyllables.contains(scalar) { putHangul(scalar) } else { put(text, range, .word) }
        default: putRecord(Int(action - CharacterTable.Action.firstRecord))
        }
    }

    /// A normalised scalar of combining class 0.
    private mutating func put(_ bytes: Span<UInt8>, _ range: Range<Int>, _ kind: CharacterKind) {
        sortMarks()
        accept(bytes, range, kind)
    }

    private mutating func putHangul(_ syllable: UInt32) {
        let index = syllable - 0xAC00
        let jamo = [0x1100 + index / 588, 0x1161 + index % 588 / 28, 0x11A7 + index % 28]
        for value in index % 28 == 0 ? jamo[..<2] : jamo[...] {
            let bytes = [0xE0 | UInt8(value >> 12), 0x80 | UInt8(value >> 6 & 0x3F), 0x80 | UInt8(value & 0x3F)]
            put(bytes.span, 0..<3, .word)
        }
    }

    private mutating func putRecord(_ index: Int) {
        let bytes = characters.recordBytes
        var position = Int(characters.recordStarts[index])
        let parts = bytes[position]
        position += 1
        for _ in 0..<parts {
            let combiningClass = bytes[position]
            let kind = CharacterKind(rawValue: bytes[position + 1]) ?? .barrier
            let text = position + 3..<position + 3 + Int(bytes[position + 2])
            position = text.upperBound
            if combiningClass != 0 {
                marks.append(CharacterPart(combiningClass: combiningClass, kind: kind, text: Array(bytes[text])))
            } else if kind == .barrier {
                sortMarks()
            } else {
                put(bytes.span, text, kind)
            }
        }
    }

    /// Almost always there are none.
    private mutating func sortMarks() {
        guard !marks.isEmpty else { return }
        let sorted = marks.sortedByClass()
        marks.removeAll(keepingCapacity: true)
        for mark in sorted { accept(mark.text.span, mark.text.indices, mark.kind) }
    }

    /// A scalar of the normalised text, in its final place.
    private mutating func accept(_ bytes: Span<UInt8>, _ range: Range<Int>, _ kind: CharacterKind) {
        if tokenizer.hasNormalizedTokens {
            segment.append(bytes, range, kind)
        } else {
            addToWords(bytes, range, kind)
        }
    }

    private mutating func addToWords(_ bytes: Span<UInt8>, _ range: Range<Int>, _ kind: CharacterKind) {
        if kind != .word { endWord() }
        if kind == .space || kind == .barrier { return }
        for index in range { word.append(bytes[index]) }
        wordScalars += 1
        if kind != .word { endWord() }
    }

    /// An added token or the end of the text: nothing before it has to do with what follows.
    private mutating func endSegment() {
        sortMarks()
        if !segment.text.isEmpty { encodeSegment() }
        endWord()
    }

    /// Finds the added tokens of the normalised text, and the words between them.
    private mutating func encodeSegment() {
        let segment = segment
        let text = segment.text.span
        var position = 0
        var tokensFrom = 0
        while position < text.count, ids.count < idsMax {
            if position >= tokensFrom,
                let match = tokenizer.pieces.trie.longestMatch(in: text, from: position, root: .normalizedTokens),
                let token = tokenizer.addedToken(match.value)
            {
                guard token.isSingleWord, !text.isWholeWord(from: position, to: match.end) else {
                    endWord()
                    ids.append(Int32(bitPattern: token.id))
                    position = match.end
                    continue
                }
                tokensFrom = match.end
            }
            let count = text.scalar(at: position).byteCount
            addToWords(text, position..<position + count, segment.kinds[position])
            position += count
        }
        self.segment.removeAll()
    }

    /// Greedy, longest piece first; a word with a rest that is no piece is unknown as a whole.
    private mutating func endWord() {
        guard !word.isEmpty else { return }
        defer {
            word.removeAll(keepingCapacity: true)
            wordScalars = 0
        }
        guard wordScalars <= wordScalarsMax else {
            ids.append(Int32(bitPattern: tokenizer.pieces.unknownID))
            return
        }
        let start = ids.count
        var position = 0
        var root = PieceTrie.Root.wordStart
        while position < word.count {
            guard let match = tokenizer.pieces.trie.longestMatch(in: word.span, from: position, root: root) else {
                ids.removeLast(ids.count - start)
                ids.append(Int32(bitPattern: tokenizer.pieces.unknownID))
                return
            }
            ids.append(Int32(bitPattern: match.value))
            position = match.end
            root = .continuation
        }
    }
}

extension Tokenizer {
    @inline(__always)
    func startsToken(_ byte: UInt8) -> Bool {
        pieces.trie.hasText(startingWith: byte, root: .verbatimTokens)
    }
}
