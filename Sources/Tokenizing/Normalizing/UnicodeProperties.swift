// NFD has no public face in the standard library, only this one; used while compiling a tokenizer, never in a worker.
@_spi(_Unicode) import Swift

/// What the Rust crates behind Hugging Face `tokenizers` believe about a scalar.
///
/// Models are trained on what those crates answer, so that their age is part of the model: `unicode_categories` knows
/// Unicode 8, their normalization crate Unicode 9, and only lower case and white space come from a current Rust. The
/// standard library knows newer versions, and when each scalar was assigned, so that the old answers follow from the
/// new ones but for the six scalars whose category changed later. Compared with `tokenizers` 0.23.3 over all scalars.
struct UnicodeProperties {
    let scalar: Unicode.Scalar
    /// False for scalars that Unicode 8 left unassigned; their category is then "none of those asked for here".
    private let isCategorized: Bool
    /// False for scalars that Unicode 9 left unassigned; they neither decompose nor combine.
    private let isNormalized: Bool

    init(_ scalar: Unicode.Scalar) {
        self.scalar = scalar
        let age = scalar.properties.age
        isCategorized = age.map { $0 <= (8, 0) } ?? false
        isNormalized = age.map { $0 <= (9, 0) } ?? false
    }

    var isWhitespace: Bool { scalar.properties.isWhitespace }

    /// What BERT's `clean_text` removes.
    var isRemovedByCleaning: Bool {
        switch scalar {
        case "\0", "\u{FFFD}": return true
        case "\t", "\n", "\r": return false
        default: break
        }
        guard isCategorized else { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .privateUse: true
        default: false
        }
    }

    var isNonspacingMark: Bool {
        switch scalar.value {
        case 0x1734, 0x1171E: true
        case 0x1885, 0x1886, 0xA9BD, 0x111C9: false
        default: isCategorized && scalar.properties.generalCategory == .nonspacingMark
        }
    }

    var isPunctuation: Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        case 0x166D, 0x111C9: return true
        default: break
        }
        guard isCategorized else { return false }
        return switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }

    /// The blocks that BERT calls Chinese: ideographs, which are words of their own, but not kana and not hangul.
    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF,
            0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    /// Where the scalar goes among combining marks: 0 stays, others are sorted upwards.
    var combiningClass: UInt8 {
        isNormalized ? scalar.properties.canonicalCombiningClass.rawValue : 0
    }

    /// The canonical decomposition, in full and in order.
    var decomposition: [Unicode.Scalar] {
        // Unified ideographs, a quarter of what is assigned, never decompose.
        guard isNormalized, !scalar.properties.isUnifiedIdeograph else { return [scalar] }
        return Array(String(Character(scalar))._nfd)
    }

    /// The canonical composition of decomposed scalars.
    static func composed(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return Array(String(text)._nfc)
    }

    /// The compatibility decomposition, in full and in order.
    var compatibilityDecomposition: [Unicode.Scalar] {
        guard isNormalized, let decomposition = CompatibilityDecompositions.all[scalar.value] else {
            return self.decomposition
        }
        return decomposition
    }

    /// What `StripAccents` drops.
    var isMark: Bool {
        guard isNormalized else { return false }
        return switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    /// What `Nmt` makes of a scalar, nil where it stays.
    var cleanedForTranslation: [CharacterPart]? {
        switch scalar.value {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: []
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
            [CharacterPart(combiningClass: 0, kind: .space, text: CharacterTable.spaceText)]
        default: nil
        }
    }

    var lowercase: [Unicode.Scalar] {
        Array(scalar.properties.lowercaseMapping.unicodeScalars)
    }
}
