/// A text that becomes one id wherever it stands, before words are looked at.
struct AddedToken: Equatable {
    var id: UInt32
    var content: String
    /// Only where no letter or digit stands next to it.
    var isSingleWord: Bool
    /// White space before it is part of it.
    var stripsLeft = false
    /// White space behind it is part of it.
    var stripsRight = false
    /// Look for it in the normalised text.
    var isNormalized: Bool
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
