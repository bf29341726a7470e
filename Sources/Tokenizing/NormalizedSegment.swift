/// A stretch of normalised text, and what each scalar of it means for words.
struct NormalizedSegment {
    private(set) var text: [UInt8] = []
    /// One for each byte of `text`; only those of first bytes are read.
    private(set) var kinds: [CharacterKind] = []

    mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>, _ kind: CharacterKind) {
        if kind == .padded { appendSpace() }
        for index in range {
            text.append(bytes[index])
            kinds.append(kind)
        }
        if kind == .padded { appendSpace() }
    }

    mutating func removeAll() {
        text.removeAll(keepingCapacity: true)
        kinds.removeAll(keepingCapacity: true)
    }

    private mutating func appendSpace() {
        text.append(UInt8(ascii: " "))
        kinds.append(.space)
    }
}
