/// What happens to each scalar of a text: `BertNormalizer`, and what `BertPreTokenizer` makes of the result; with other
/// values the normalizers that go scalar by scalar.
struct NormalizerRules: Equatable {
    enum Decomposition {
        case none, canonical, compatibility
    }

    /// Remove control characters, turn white space into spaces.
    var cleansText = true
    /// Put spaces around ideographs.
    var padsIdeographs = true
    /// Decompose (NFD) and drop nonspacing marks.
    var stripsAccents = true
    var lowercases = true
    /// NFD or NFKD, as far as it goes without `stripsAccents`, which brings its own NFD.
    var decomposition = Decomposition.none
    /// Drop all marks, spacing ones too (`StripAccents`).
    var dropsMarks = false
    /// Drop control characters, turn odd spaces into spaces (`Nmt`).
    var cleansForTranslation = false

    /// Nothing happens; for rules that differ from it in one thing.
    static let none = NormalizerRules(cleansText: false, padsIdeographs: false, stripsAccents: false, lowercases: false)

    var decomposes: Bool { stripsAccents || decomposition != .none }

    /// The scalars that `scalar` becomes, in order; empty where it vanishes without a trace.
    func parts(of scalar: Unicode.Scalar) -> [CharacterPart] {
        let original = UnicodeProperties(scalar)
        if cleansText, original.isRemovedByCleaning { return [] }
        if cleansForTranslation, let text = original.cleanedForTranslation { return text }
        if dropsMarks, original.isMark { return [] }
        let source = cleansText && original.isWhitespace ? UnicodeProperties(" ") : original
        let isPadded = padsIdeographs && UnicodeProperties.isIdeograph(source.scalar)
        var parts: [CharacterPart] = []
        for scalar in decomposed(source) {
            let properties = UnicodeProperties(scalar)
            let combiningClass = decomposes ? properties.combiningClass : 0
            if stripsAccents, properties.isNonspacingMark {
                // A mark of class 0 is gone in the end, but marks are not sorted across it.
                if combiningClass == 0 { parts.append(CharacterPart(combiningClass: 0, kind: .barrier, text: [])) }
                continue
            }
            for result in lowercases ? properties.lowercase : [scalar] {
                let properties = UnicodeProperties(result)
                let kind: CharacterKind =
                    if properties.isWhitespace {
                        .space
                    } else if isPadded {
                        .padded
                    } else if properties.isPunctuation {
                        .isolated
                    } else {
                        .word
                    }
                let text = Array(String(result).utf8)
                parts.append(CharacterPart(combiningClass: combiningClass, kind: kind, text: text))
            }
        }
        return parts
    }

    private func decomposed(_ source: UnicodeProperties) -> [Unicode.Scalar] {
        if decomposition == .compatibility { return source.compatibilityDecomposition }
        return decomposes ? source.decomposition : [source.scalar]
    }
}

/// What a normalised scalar means for the words around it.
enum CharacterKind: UInt8 {
    /// Belongs to a word.
    case word = 0
    /// A word of its own (punctuation).
    case isolated = 1
    /// A word of its own, with a space to each side in the normalised text (ideographs).
    case padded = 2
    /// Ends a word.
    case space = 3
    /// Nothing, but marks are not sorted across it.
    case barrier = 4
}

/// One normalised scalar.
struct CharacterPart: Equatable {
    /// 0 stays where it is, others are sorted upwards within a run without 0.
    var combiningClass: UInt8
    var kind: CharacterKind
    /// UTF-8, empty for a barrier.
    var text: [UInt8]
}

extension [CharacterPart] {
    /// Marks in the order of their classes, equal ones as they came.
    func sortedByClass() -> [CharacterPart] {
        enumerated().sorted { ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset) }
            .map(\.element)
    }
}
