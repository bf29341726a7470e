/// One pre-tokenizer, compiled: cuts words into smaller ones, or changes the text that they stand in.
enum SplitStep: Equatable, Sendable {
    case split(Pattern, SplitBehavior, isInverted: Bool)
    /// A space before each word that has none (`ByteLevel`).
    case prefixSpace
    /// Spaces become a mark, and a mark stands before the text (`Metaspace`).
    case metaspace(mark: [UInt8], PrependScheme)
}

/// What becomes of the matches of a pattern.
enum SplitBehavior: UInt8 {
    case removed = 0
    case isolated = 1
    case mergedWithPrevious = 2
    case mergedWithNext = 3
    case contiguous = 4
}

/// Before which words a mark is put.
enum PrependScheme: UInt8 {
    case always = 0
    /// Only where the original text starts.
    case first = 1
    case never = 2
}

/// The words of a text, as ranges of it, on their way through the steps.
struct WordList {
    var text: WorkingText
    var words: [Range<Int>] = []
    private var spareWords: [Range<Int>] = []
    private var spareText: WorkingText
    private var parts: [(range: Range<Int>, isMatch: Bool)] = []

    init(tracksOrigins: Bool) {
        text = WorkingText(tracksOrigins: tracksOrigins)
        spareText = WorkingText(tracksOrigins: tracksOrigins)
    }

    /// - Parameter origin: where the text starts in the original.
    mutating func apply(_ step: SplitStep, origin: Int, _ matcher: inout PatternMatcher) {
        switch step {
        case .split(let pattern, let behavior, let isInverted):
            spareWords.removeAll(keepingCapacity: true)
            for word in words {
                cut(word, pattern, isInverted, &matcher)
                merge(behavior)
            }
            swap(&words, &spareWords)
        case .prefixSpace: mark([UInt8(ascii: " ")], .always, replacesSpaces: false, origin: origin)
        case .metaspace(let bytes, let scheme): mark(bytes, scheme, replacesSpaces: true, origin: origin)
        }
    }

    /// Writes each word anew, with `mark` before it and perhaps instead of its spaces.
    private mutating func mark(_ mark: [UInt8], _ scheme: PrependScheme, replacesSpaces: Bool, origin: Int) {
        spareText.removeAll()
        spareWords.removeAll(keepingCapacity: true)
        let text = text
        let bytes = text.bytes.span
        let space = UInt8(ascii: " ")
        for word in words {
            let start = spareText.bytes.count
            let isMarked = (replacesSpaces && bytes[word.lowerBound] == space) || holds(mark, at: word)
            if !isMarked, scheme == .always || (scheme == .first && isFirst(word, origin)) {
                let end = min(word.lowerBound + bytes.scalar(at: word.lowerBound).byteCount, word.upperBound)
                spareText.append(mark, origin: text.origin(of: word.lowerBound..<end))
            }
            if replacesSpaces {
                var position = word.lowerBound
                while position < word.upperBound {
                    var end = position
                    while end < word.upperBound, bytes[end] != space { end += 1 }
                    if end > position { spareText.append(text, position..<end) }
                    if end < word.upperBound { spareText.append(mark, origin: text.origin(of: end..<end + 1)) }
                    position = end + 1
                }
            } else {
                spareText.append(text, word)
            }
            spareWords.append(start..<spareText.bytes.count)
        }
        self.text = spareText
        spareText = text
        swap(&words, &spareWords)
    }

    private func holds(_ mark: [UInt8], at word: Range<Int>) -> Bool {
        guard word.count >= mark.count else { return false }
        for index in mark.indices where text.bytes[word.lowerBound + index] != mark[index] { return false }
        return true
    }

    private func isFirst(_ word: Range<Int>, _ origin: Int) -> Bool {
        guard text.tracksOrigins else { return origin == 0 && word.lowerBound == 0 }
        return text.starts[word.lowerBound] == 0
    }

    /// Matches of the pattern in `word` and what is between them, into `parts`.
    private mutating func cut(
        _ word: Range<Int>,
        _ pattern: Pattern,
        _ isInverted: Bool,
        _ matcher: inout PatternMatcher
    ) {
        parts.removeAll(keepingCapacity: true)
        var position = word.lowerBound
        let bytes = text.bytes
        while let match = matcher.find(pattern, in: bytes.span, from: position, bounds: word) {
            if match.lowerBound > position { parts.append((position..<match.lowerBound, isInverted)) }
            parts.append((match, !isInverted))
            position = match.upperBound
        }
        if position < word.upperBound { parts.append((position..<word.upperBound, isInverted)) }
    }

    /// `parts` as words of `spareWords`.
    private mutating func merge(_ behavior: SplitBehavior) {
        switch behavior {
        case .isolated: for part in parts { spareWords.append(part.range) }
        case .removed: for part in parts where !part.isMatch { spareWords.append(part.range) }
        case .contiguous:
            var last: Bool?
            for part in parts {
                if part.isMatch == last, let word = spareWords.popLast() {
                    spareWords.append(word.lowerBound..<part.range.upperBound)
                } else {
                    spareWords.append(part.range)
                }
                last = part.isMatch
            }
        case .mergedWithPrevious:
            var wasMatch = false
            for (index, part) in parts.enumerated() {
                if part.isMatch, !wasMatch, index > 0, let word = spareWords.popLast() {
                    spareWords.append(word.lowerBound..<part.range.upperBound)
                } else {
                    spareWords.append(part.range)
                }
                wasMatch = part.isMatch
            }
        case .mergedWithNext:
            let start = spareWords.count
            var wasMatch = false
            // Backwards, so that a match meets what follows it.
            for (index, part) in parts.reversed().enumerated() {
                if part.isMatch, !wasMatch, index > 0, let word = spareWords.popLast() {
                    spareWords.append(part.range.lowerBound..<word.upperBound)
                } else {
                    spareWords.append(part.range)
                }
                wasMatch = part.isMatch
            }
            spareWords[start...].reverse()
        }
    }
}
