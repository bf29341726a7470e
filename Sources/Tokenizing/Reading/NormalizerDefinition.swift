import JSON

/// One normalizer, as the file says it.
enum NormalizerDefinition: Equatable {
    case characters(NormalizerRules)
    /// NFC (after canonical rules) or NFKC.
    case composed(NormalizerRules)
    case strip(left: Bool, right: Bool)
    case replace(Pattern, with: String)
    case prepend(String)
    case precompiled(Precompiled)

    /// - Parameter table: makes the table of rules; callers may keep tables.
    func compiled(table: (NormalizerRules) -> CharacterTable) -> NormalizerStep {
        switch self {
        case .characters(let rules): .characters(table(rules))
        case .composed(let rules): .composed(table(rules), Composition(after: rules))
        case .strip(let left, let right): .strip(left: left, right: right)
        case .replace(let pattern, let content): .replace(pattern, with: Array(content.utf8))
        case .prepend(let text): .prepend(Array(text.utf8))
        case .precompiled(let table): .precompiled(table)
        }
    }
}

extension TokenizerDefinition {
    private static let supportedNormalizers = [
        "BertNormalizer", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents", "Replace", "Prepend",
        "Precompiled", "Nmt", "Sequence",
    ]

    mutating func readNormalizer(_ normalizer: JSON) throws(TokenizerError) {
        for part in try Self.flattened(normalizer, "normalizers") {
            normalizers.append(try Self.normalizer(part))
        }
    }

    private static func normalizer(_ part: JSON) throws(TokenizerError) -> NormalizerDefinition {
        var rules = NormalizerRules.none
        let type = type(of: part)
        switch type {
        case "BertNormalizer": return .characters(try bertRules(part))
        case "Strip":
            return .strip(
                left: try flag("strip_left", of: part, default: true),
                right: try flag("strip_right", of: part, default: true)
            )
        case "Replace":
            guard let content = try text("content", of: part) else { throw .malformed("Replace: expected a content") }
            return .replace(try pattern(part), with: content)
        case "Prepend":
            guard let text = try text("prepend", of: part) else { throw .malformed("Prepend: expected a text") }
            return text.isEmpty ? .strip(left: false, right: false) : .prepend(text)
        case "Precompiled":
            guard let text = try text("precompiled_charsmap", of: part), let bytes = decodeBase64(text) else {
                throw .malformed("precompiled_charsmap: expected Base64")
            }
            return .precompiled(try Precompiled(bytes))
        case "NFD": rules.decomposition = .canonical
        case "NFKD": rules.decomposition = .compatibility
        case "NFC", "NFKC":
            rules.decomposition = type == "NFC" ? .canonical : .compatibility
            return .composed(rules)
        case "Lowercase": rules.lowercases = true
        case "StripAccents": rules.dropsMarks = true
        case "Nmt": rules.cleansForTranslation = true
        default: throw refusal("normalizer", type, supported: supportedNormalizers)
        }
        return .characters(rules)
    }

    private static func bertRules(_ normalizer: JSON) throws(TokenizerError) -> NormalizerRules {
        let known = ["type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"]
        try refuseUnknownKeys(of: normalizer, known: known, in: "normalizer")
        let lowercases = try flag("lowercase", of: normalizer, default: true)
        return NormalizerRules(
            cleansText: try flag("clean_text", of: normalizer, default: true),
            padsIdeographs: try flag("handle_chinese_chars", of: normalizer, default: true),
            stripsAccents: try flag("strip_accents", of: normalizer, default: lowercases),
            lowercases: lowercases
        )
    }

    /// `"pattern": {"String": "…"}` or `{"Regex": "…"}`.
    static func pattern(_ part: JSON) throws(TokenizerError) -> Pattern {
        let pattern = part["pattern"]
        if let text = pattern?["String"]?.stringValue, !text.isEmpty { return try Pattern(literal: text) }
        if let text = pattern?["Regex"]?.stringValue { return try Pattern(text) }
        throw .malformed("pattern: expected {\"String\": …} or {\"Regex\": …}")
    }

    /// Standard Base64 with its padding; nil for anything else.
    static func decodeBase64(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 4 * 3)
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            case UInt8(ascii: "="): continue
            default: return nil
            }
            bits = bits << 6 | UInt32(digit)
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        }
        return bytes
    }
}
