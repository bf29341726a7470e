/// Sets of scalars that patterns and pre-tokenizers name, as Unicode 16 has them.
enum UnicodeClasses {
    /// White space: `\s`.
    static let whitespace = ScalarSet([
        0x09...0x0D, 0x20...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000,
    ])

    /// Decimal digits: `\d`.
    static let decimal = category("Nd") ?? ScalarSet()

    /// Numbers as Rust's standard library has them, which is newer than its regular expressions.
    static let numeric = ScalarSet { scalar in
        switch scalar.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }

    /// Letters, marks, decimal digits and connectors: `\w` in Oniguruma, which knows nothing of joiners.
    static let word = ScalarSet { scalar in
        let properties = scalar.properties
        if properties.isAlphabetic { return category(of: scalar) != .unassigned }
        return switch category(of: scalar) {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: false
        }
    }

    /// `\w` in Rust's regular expressions (UTS #18, annex C).
    static let wordOrJoiner = word.union(ScalarSet([0x200C...0x200D]))

    /// What BERT takes for punctuation.
    static let bertPunctuation = ScalarSet { UnicodeProperties($0).isPunctuation }

    static let han = ScalarSet([
        0x2E80...0x2E99, 0x2E9B...0x2EF3, 0x2F00...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029,
        0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFA6D, 0xFA70...0xFAD9, 0x16FE2...0x16FE3,
        0x16FF0...0x16FF1, 0x20000...0x2A6DF, 0x2A700...0x2B739, 0x2B740...0x2B81D, 0x2B820...0x2CEA1,
        0x2CEB0...0x2EBE0, 0x2EBF0...0x2EE5D, 0x2F800...0x2FA1D, 0x30000...0x3134A, 0x31350...0x323AF,
    ])

    /// A general category by its short name (`Lu`), a group of them (`L`), or `Han`; nil for what is none.
    static func category(_ name: String) -> ScalarSet? {
        if name == "Han" || name == "Script=Han" || name == "sc=Han" { return han }
        var ranges: [ClosedRange<UInt32>] = []
        for (code, members) in byCategory where code == name || (name.utf8.count == 1 && code.hasPrefix(name)) {
            ranges += members
        }
        guard !ranges.isEmpty else { return longNames[name].flatMap { category($0) } }
        return ScalarSet(ranges)
    }

    private static let longNames = [
        "Letter": "L", "Mark": "M", "Number": "N", "Punctuation": "P", "Symbol": "S", "Separator": "Z",
        "Punct": "P", "punct": "P",
    ]

    /// All scalars by general category, in ascending ranges.
    private static let byCategory: [String: [ClosedRange<UInt32>]] = {
        var result: [String: [ClosedRange<UInt32>]] = [:]
        var start: UInt32 = 0
        var current = Unicode.GeneralCategory.control
        for value in 0...UInt32(0x110000) {
            let category = value == 0x110000 ? nil : Unicode.Scalar(value).map { Self.category(of: $0) } ?? .surrogate
            if category == current { continue }
            if value > start { result[code(current), default: []].append(start...value - 1) }
            start = value
            current = category ?? .unassigned
        }
        return result
    }()

    /// As Unicode 16 has it, which the reference's regular expressions know.
    private static func category(of scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
        let properties = scalar.properties
        // Nearly all are older, and private ones have no age; asking for it is slow.
        guard properties.generalCategory != .privateUse, let age = properties.age, age > (16, 0) else {
            return properties.generalCategory
        }
        return .unassigned
    }

    private static func code(_ category: Unicode.GeneralCategory) -> String {
        switch category {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: "Cn"
        }
    }
}
