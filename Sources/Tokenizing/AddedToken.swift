/// A text that becomes one id wherever it stands, before words are looked at.
struct AddedToken: Equatable {
    var id: UInt32
    var content: String
    /// Only where no letter or digit stands next to it.
    var isSingleWord: Bool
    /// Look for it in the normalised text.
    var isNormalized: Bool
    // `lstrip` and `rstrip` swallow white space beside the token. The words around are cut at white space anyway, so
    // that the ids are the same with and without them.

    /// What to look for where normalised text is searched.
    func normalizedContent(by rules: NormalizerRules) -> [UInt8] {
        var segment = NormalizedSegment()
        var marks: [CharacterPart] = []
        for part in content.unicodeScalars.flatMap({ rules.parts(of: $0) }) {
            if part.combiningClass != 0 {
                marks.append(part)
                continue
            }
            for mark in marks.sortedByClass() { segment.append(mark.text.span, mark.text.indices, mark.kind) }
            marks.removeAll()
            segment.append(part.text.span, part.text.indices, part.kind)
        }
        for mark in marks.sortedByClass() { segment.append(mark.text.span, mark.text.indices, mark.kind) }
        return segment.text
    }
}

/// Whether a scalar is part of a word in the sense of `\w` (UTS #18, annex C).
func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    if properties.isAlphabetic || properties.isJoinControl { return true }
    return switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
    default: false
    }
}
