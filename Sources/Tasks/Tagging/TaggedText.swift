import Tokenizing

/// A text's tokens, where they stand in it, and what the model says of each; special tokens are none of them.
struct TaggedText {
    struct Token {
        /// In the text, counted in Unicode scalars, as callers count characters.
        var characters: Range<Int>
        /// Among all tokens of the text, special ones included.
        var index: Int
        /// Whether it goes on with the word of the token before it.
        var isContinuation: Bool
    }

    let text: String
    private(set) var tokens: [Token] = []
    /// [tokens, labels].
    private(set) var scores: [Float] = []
    private let specialTokensBefore: Int

    init(_ text: String, _ encoded: EncodedText, _ tokenizer: Tokenizer) {
        self.text = text
        let inner = tokenizer.textRange(of: encoded)
        specialTokensBefore = inner.lowerBound
        let bytes = text.utf8Span.span
        let ends = encoded.origins[inner].map(\.upperBound)
        let counts = Self.scalarCounts(bytes, upTo: min(ends.max() ?? 0, bytes.count))
        for place in inner {
            let origin = encoded.origins[place].clamped(to: 0..<counts.count - 1)
            let isContinuation =
                tokenizer.tellsWords
                ? encoded.continues[place]
                : encoded.ids[place] != tokenizer.unknownID && Self.goesOn(bytes, origin.lowerBound)
            tokens.append(
                Token(
                    characters: counts[origin.lowerBound]..<counts[origin.upperBound],
                    index: place,
                    isContinuation: isContinuation
                )
            )
        }
    }

    /// Keeps what the model gave for this text's tokens.
    ///
    /// - Parameter rows: of `floats`, [all tokens, columns], those of this text.
    mutating func take(_ floats: [Float], rows: Range<Int>, _ columns: Int) {
        let start = rows.lowerBound + specialTokensBefore
        scores = Array(floats[start * columns..<(start + tokens.count) * columns])
    }

    /// Where pieces do not say it, as the reference guesses: no space before it and none at its start.
    private static func goesOn(_ text: Span<UInt8>, _ start: Int) -> Bool {
        let space = UInt8(ascii: " ")
        guard start > 0 else { return false }
        return text[start - 1] != space && (start >= text.count || text[start] != space)
    }

    /// How many scalars begin before each byte.
    private static func scalarCounts(_ text: Span<UInt8>, upTo end: Int) -> [Int] {
        var counts = [0]
        counts.reserveCapacity(end + 1)
        var count = 0
        for place in 0..<end {
            // A byte that goes on with a scalar counts as the scalar's end.
            if text[place] & 0xC0 != 0x80 { count += 1 }
            counts.append(count)
        }
        return counts
    }
}
