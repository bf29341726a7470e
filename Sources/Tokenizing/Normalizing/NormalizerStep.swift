/// One normalizer, compiled.
enum NormalizerStep: Equatable, Sendable {
    /// Scalar by scalar; marks are sorted where the table decomposes.
    case characters(CharacterTable)
    /// The same, then canonical composition.
    case composed(CharacterTable, Composition)
    case strip(left: Bool, right: Bool)
    case replace(Pattern, with: [UInt8])
    /// Before a text that is not empty.
    case prepend([UInt8])
    case precompiled(Precompiled)

    /// Normalises `text`, with `spare` as memory.
    func apply(to text: inout WorkingText, spare: inout WorkingText, matcher: inout PatternMatcher) {
        switch self {
        case .characters(let table):
            var walk = CharacterWalk(table)
            walk.run(text, into: &spare)
        case .composed(let table, let composition):
            guard !composition.isUnchanged(text.bytes.span) else { return }
            var decomposed = WorkingText(tracksOrigins: text.tracksOrigins)
            var walk = CharacterWalk(table)
            walk.run(text, into: &decomposed)
            composition.compose(decomposed, classes: table, into: &spare)
        case .strip(let left, let right):
            Self.strip(&text, left: left, right: right)
            return
        case .replace(let pattern, let content):
            guard Self.replace(pattern, content, in: text, into: &spare, &matcher) else { return }
        case .prepend(let prefix):
            guard !text.bytes.isEmpty else { return }
            let count = text.bytes.span.scalar(at: 0).byteCount
            spare.append(prefix, origin: text.origin(of: 0..<count))
            spare.append(text, text.bytes.indices)
        case .precompiled(let table):
            table.apply(to: text, into: &spare)
        }
        swap(&text, &spare)
        spare.removeAll()
    }

    /// - Returns: false where nothing was found, and nothing written.
    private static func replace(
        _ pattern: Pattern,
        _ content: [UInt8],
        in text: WorkingText,
        into out: inout WorkingText,
        _ matcher: inout PatternMatcher
    ) -> Bool {
        let bytes = text.bytes.span
        var position = 0
        while let match = matcher.find(pattern, in: bytes, from: position, bounds: 0..<bytes.count) {
            out.append(text, position..<match.lowerBound)
            // Of what is replaced only the end is where the new text comes from: so the reference has it.
            var last = match.upperBound - 1
            while last > match.lowerBound, bytes[last] & 0xC0 == 0x80 { last -= 1 }
            out.append(content, origin: text.origin(of: last..<match.upperBound))
            position = match.upperBound
        }
        guard position > 0 else { return false }
        out.append(text, position..<bytes.count)
        return true
    }

    private static func strip(_ text: inout WorkingText, left: Bool, right: Bool) {
        // A copy of the reference only: the text is cut once its ends are known.
        let original = text.bytes
        let bytes = original.span
        var start = 0
        var end = bytes.count
        while left, start < end {
            let (scalar, count) = bytes.scalar(at: start)
            guard isWhitespace(scalar) else { break }
            start += count
        }
        while right, end > start {
            var before = end - 1
            while before > start, bytes[before] & 0xC0 == 0x80 { before -= 1 }
            guard isWhitespace(bytes.scalar(at: before).value) else { break }
            end = before
        }
        let countAfter = original.count - end
        if countAfter > 0 { text.removeLast(countAfter) }
        if start > 0 { text.removeFirst(start) }
    }
}

/// `White_Space`.
func isWhitespace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
}
