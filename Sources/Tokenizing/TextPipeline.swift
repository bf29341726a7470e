/// One text on its way to ids, step by step, for every kind of tokenizer.
///
/// Added tokens are found first; what is between them is normalised, searched for added tokens again, cut into words,
/// and each word into pieces. (``TextEncoding`` is the same in one pass, for BERT.)
struct TextPipeline {
    private let tokenizer: Tokenizer
    private var output: Segmenter.Output
    private var origins: [Range<Int>] = []
    /// Beside each origin: whether the id goes on with the word of the one before it.
    private var continues: [Bool] = []
    private let idsMax: Int
    private let wantsOrigins: Bool
    private var segmenter = Segmenter()
    private var matcher = PatternMatcher()
    private var words: WordList
    private var segment: WorkingText
    private var spare: WorkingText

    init(_ tokenizer: Tokenizer, ids: [Int32], idsMax: Int, tracksOrigins: Bool) {
        self.tokenizer = tokenizer
        self.idsMax = idsMax
        wantsOrigins = tracksOrigins
        output = Segmenter.Output(ids: ids, tracksRanges: tracksOrigins)
        let tracks = tracksOrigins || tokenizer.needsOrigins
        words = WordList(tracksOrigins: tracks)
        segment = WorkingText(tracksOrigins: tracks)
        spare = WorkingText(tracksOrigins: tracks)
    }

    /// - Parameter text: Valid UTF-8.
    mutating func encode(_ text: Span<UInt8>) {
        var start = 0
        for match in tokenizer.addedTokens(in: text, root: .verbatimTokens) {
            encodeSegment(text, start..<max(start, match.range.lowerBound))
            append(match.token, match.range)
            start = match.range.upperBound
            guard output.ids.count < idsMax else { return }
        }
        encodeSegment(text, start..<max(start, text.count))
    }

    /// The ids so far, those beyond the limit cut off, where each came from and whether it goes on with a word.
    consuming func finish() -> (ids: [Int32], origins: [Range<Int>], continues: [Bool]) {
        var (ids, origins, continues) = (output.ids, origins, continues)
        if ids.count > idsMax { ids.removeLast(ids.count - idsMax) }
        if origins.count > ids.count {
            continues.removeLast(origins.count - ids.count)
            origins.removeLast(origins.count - ids.count)
        }
        return (ids, origins, continues)
    }

    private mutating func append(_ token: Tokenizer.CompiledToken, _ origin: Range<Int>) {
        output.append(token.id, 0..<0)
        output.ranges.removeAll(keepingCapacity: true)
        if wantsOrigins {
            origins.append(origin)
            continues.append(false)
        }
    }

    private mutating func encodeSegment(_ text: Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty, output.ids.count < idsMax else { return }
        segment.removeAll()
        segment.append(original: text, range)
        for step in tokenizer.normalizers { step.apply(to: &segment, spare: &spare, matcher: &matcher) }
        guard tokenizer.hasNormalizedTokens else { return encodeNormalized(segment, origin: range.lowerBound) }
        let whole = segment
        let matches = tokenizer.addedTokens(in: whole.bytes.span, root: .normalizedTokens)
        if matches.isEmpty { return encodeNormalized(whole, origin: range.lowerBound) }
        var start = 0
        for match in matches {
            encodePart(of: whole, start..<max(start, match.range.lowerBound), origin: range.lowerBound)
            append(match.token, whole.origin(of: match.range))
            start = match.range.upperBound
            guard output.ids.count < idsMax else { return }
        }
        encodePart(of: whole, start..<max(start, whole.bytes.count), origin: range.lowerBound)
    }

    private mutating func encodePart(of text: WorkingText, _ range: Range<Int>, origin: Int) {
        guard !range.isEmpty else { return }
        var part = WorkingText(tracksOrigins: text.tracksOrigins)
        part.append(text, range)
        let start = text.tracksOrigins ? text.origin(of: range).lowerBound : origin + range.lowerBound
        encodeNormalized(part, origin: start)
    }

    /// - Parameter origin: where the text starts in the original.
    private mutating func encodeNormalized(_ text: WorkingText, origin: Int) {
        guard !text.bytes.isEmpty else { return }
        words.text = text
        words.words.removeAll(keepingCapacity: true)
        words.words.append(text.bytes.indices)
        for step in tokenizer.splits { words.apply(step, origin: origin, &matcher) }
        let text = words.text
        let bytes = text.bytes.span
        for word in words.words {
            segmenter.append(word, of: bytes, by: tokenizer.pieces, tokenizer.model, to: &output)
            if wantsOrigins {
                for (place, range) in output.ranges.enumerated() {
                    origins.append(trimmed(text.origin(of: range), bytes, range))
                    continues.append(place > 0)
                }
                output.ranges.removeAll(keepingCapacity: true)
            }
            guard output.ids.count < idsMax else { return }
        }
    }
}

extension TextPipeline {
    /// The origin of a piece without the spaces at its ends, one by one as the reference counts them: a space that was
    /// put before the text is none of the text's.
    private func trimmed(_ origin: Range<Int>, _ text: Span<UInt8>, _ piece: Range<Int>) -> Range<Int> {
        guard tokenizer.trimming != .none else { return origin }
        let space = UInt8(ascii: " ")
        var leading = 0
        while leading < piece.count, text[piece.lowerBound + leading] == space { leading += 1 }
        var trailing = 0
        while trailing < piece.count, text[piece.upperBound - 1 - trailing] == space { trailing += 1 }
        if leading > 0, origin.lowerBound == 0, tokenizer.trimming == .allButPrefix { leading -= 1 }
        let start = min(origin.lowerBound + leading, origin.upperBound)
        return start..<max(origin.upperBound - trailing, start)
    }
}

extension Tokenizer {
    /// What is no part of where a piece stands in the text.
    enum Trimming: UInt8 {
        case none = 0
        /// Spaces at its ends.
        case all = 1
        /// The same, but for a space that was put before the text.
        case allButPrefix = 2
    }

    /// An added token that stands in a text.
    struct TokenMatch {
        var token: CompiledToken
        /// With the white space that the token takes in.
        var range: Range<Int>
    }

    /// Whether a step asks if a word is the first of the original text, and steps before it may have moved it.
    var needsOrigins: Bool {
        for (index, step) in splits.enumerated() {
            if case .metaspace(_, .first) = step {
                return index > 0 || !normalizers.isEmpty
            }
        }
        return false
    }

    /// The added tokens in `text`, leftmost and longest first.
    func addedTokens(in text: Span<UInt8>, root: PieceTrie.Root) -> [TokenMatch] {
        var matches: [TokenMatch] = []
        guard !addedTokens.isEmpty else { return matches }
        let trie = pieces.trie
        var position = 0
        var last = 0
        while position < text.count {
            guard trie.hasText(startingWith: text[position], root: root),
                let found = trie.longestMatch(in: text, from: position, root: root),
                let token = addedToken(found.value)
            else {
                position += 1
                continue
            }
            var range = position..<found.end
            // What was found but is no single word is text, and no other token is looked for inside it.
            position = found.end
            if token.isSingleWord, !text.isWholeWord(from: range.lowerBound, to: range.upperBound) { continue }
            if token.stripsLeft {
                range = max(last, text.whitespaceStart(before: range.lowerBound))..<range.upperBound
            }
            if token.stripsRight { range = range.lowerBound..<text.whitespaceEnd(after: range.upperBound) }
            matches.append(TokenMatch(token: token, range: range))
            last = range.upperBound
        }
        return matches
    }

    func addedToken(_ place: UInt32) -> CompiledToken? {
        Int(place) < addedTokens.count ? addedTokens[Int(place)] : nil
    }
}

extension Span where Element == UInt8 {
    fileprivate func whitespaceStart(before end: Int) -> Int {
        var start = end
        while start > 0 {
            var before = start - 1
            while before > 0, self[before] & 0xC0 == 0x80 { before -= 1 }
            guard isWhitespace(scalar(at: before).value) else { break }
            start = before
        }
        return start
    }

    fileprivate func whitespaceEnd(after start: Int) -> Int {
        var end = start
        while end < count {
            let (scalar, byteCount) = scalar(at: end)
            guard isWhitespace(scalar) else { break }
            end += byteCount
        }
        return end
    }
}
