/// Ids with what models other than embedders want to know of them.
package struct EncodedText: Equatable, Sendable {
    package var ids: [Int32] = []
    /// Which row of the model's table of types each id takes.
    package var types: [Int32] = []
    /// Where in the text's UTF-8 each id comes from; empty for special tokens.
    ///
    /// Of a pair, in the text it is part of.
    package var origins: [Range<Int>] = []
    /// Whether each id goes on with the word of the one before it; filled with `origins`.
    package var continues: [Bool] = []
}

extension Tokenizer {
    /// How many ids stand around and between those of a pair.
    package var pairSpecialTokensCount: Int { template.pairOrDefault.count - 2 }

    /// The ids of one text with where they come from, at most `tokensMax`.
    package func encodeWithOrigins(_ text: String, tokensMax: Int) -> EncodedText {
        let body = body(of: text, idsMax: max(0, tokensMax - specialTokensCount))
        return assembled(template.single, body, nil)
    }

    /// The ids of two texts that a model is to look at together, at most `tokensMax`.
    ///
    /// What is too long is taken from the longer of the two, from its end.
    package func encode(_ first: String, _ second: String, tokensMax: Int) -> EncodedText {
        // To the end, however little is kept: which of two is longer decides who keeps the odd token.
        var one = body(of: first, idsMax: .max)
        var other = body(of: second, idsMax: .max)
        let room = max(0, tokensMax - pairSpecialTokensCount)
        if one.ids.count + other.ids.count > room {
            let (oneMax, otherMax) = Self.shares(one.ids.count, other.ids.count, of: room)
            one.truncate(to: oneMax)
            other.truncate(to: otherMax)
        }
        return assembled(template.pairOrDefault, one, other)
    }

    /// The ids of a text without special tokens, for ``append(pairOf:_:tokensMax:to:types:)``.
    package func pieces(of text: String) -> [Int32] {
        var ids: [Int32] = []
        appendIDs(of: text, idsMax: .max, to: &ids)
        return ids
    }

    /// What ``encode(_:_:tokensMax:)`` makes of two texts, of their pieces and into arrays that the caller keeps.
    ///
    /// - Returns: How many ids were appended, each with its type.
    package func append(
        pairOf first: [Int32],
        _ second: [Int32],
        tokensMax: Int,
        to ids: inout [Int32],
        types: inout [Int32]
    ) -> Int {
        let start = ids.count
        let typesStart = types.count
        let room = max(0, tokensMax - pairSpecialTokensCount)
        let fits = first.count + second.count <= room
        let (firstMax, secondMax) =
            fits ? (first.count, second.count) : Self.shares(first.count, second.count, of: room)
        for part in template.pairOrDefault {
            switch part {
            case .token(let id, _): ids.append(Int32(bitPattern: id))
            case .first: ids += first.prefix(firstMax)
            case .second: ids += second.prefix(secondMax)
            }
            let untyped = (ids.count - start) - (types.count - typesStart)
            types += repeatElement(Int32(part.type), count: untyped)
        }
        return ids.count - start
    }

    /// One more than the greatest type of a pair's ids.
    package var typesCount: Int { 1 + (template.pairOrDefault.map(\.type).max() ?? 0) }

    /// The place of the text's own ids among those of ``encodeWithOrigins(_:tokensMax:)``.
    package func textRange(of encoded: EncodedText) -> Range<Int> {
        let start = prefixIDs.count
        return start..<max(start, encoded.ids.count - suffixIDs.count)
    }

    /// Whether words are cut into pieces that say whether they begin one.
    package var tellsWords: Bool { Self.isWordPiece(model) }

    /// What stands for text that has no piece.
    package var unknownID: Int32 { Int32(bitPattern: pieces.unknownID) }

    /// How much each of two texts keeps of `room`: the shorter is left whole while it is at most half.
    private static func shares(_ one: Int, _ other: Int, of room: Int) -> (Int, Int) {
        let shorter = min(one, other)
        let longer = shorter > room ? shorter : max(shorter, room - shorter)
        guard shorter + longer > room else { return one > other ? (longer, shorter) : (shorter, longer) }
        let half = (room / 2, room / 2 + room % 2)
        return one > other ? (half.1, half.0) : half
    }

    private func body(of text: String, idsMax: Int) -> EncodedText {
        var pipeline = TextPipeline(self, ids: [], idsMax: idsMax, tracksOrigins: true)
        pipeline.encode(text.utf8Span.span)
        let (ids, origins, continues) = pipeline.finish()
        let span = text.utf8Span.span
        let whole = trimming == .none ? origins : origins.map { span.wholeScalars($0) }
        return EncodedText(ids: ids, types: [], origins: whole, continues: continues)
    }

    private func assembled(_ parts: [TextTemplate.Part], _ one: EncodedText, _ other: EncodedText?) -> EncodedText {
        var result = EncodedText()
        let put = { (text: EncodedText, type: Int) in
            result.ids += text.ids
            result.origins += text.origins
            result.continues += text.continues
            result.types += [Int32](repeating: Int32(type), count: text.ids.count)
        }
        for part in parts {
            switch part {
            case .token(let id, let type):
                put(EncodedText(ids: [Int32(bitPattern: id)], origins: [0..<0], continues: [false]), type)
            case .first(let type): put(one, type)
            case .second(let type): put(other ?? EncodedText(), type)
            }
        }
        return result
    }
}

extension EncodedText {
    fileprivate mutating func truncate(to count: Int) {
        guard ids.count > count else { return }
        ids.removeLast(ids.count - count)
        origins.removeLast(origins.count - count)
        continues.removeLast(continues.count - count)
    }
}

extension Span where Element == UInt8 {
    /// The range without the rest of a scalar that it starts within.
    fileprivate func wholeScalars(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        while start < range.upperBound, self[start] & 0xC0 == 0x80 { start += 1 }
        return start..<range.upperBound
    }
}
