import JSON

extension TokenizerDefinition {
    private static let supportedPreTokenizers = [
        "BertPreTokenizer", "ByteLevel", "Metaspace", "Whitespace", "WhitespaceSplit", "Punctuation", "Digits", "Split",
        "CharDelimiterSplit", "FixedLength", "Sequence",
    ]

    /// How GPT-2 cuts text into words.
    static let byteLevelPattern =
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

    mutating func readPreTokenizer(_ preTokenizer: JSON) throws(TokenizerError) {
        let parts = try Self.flattened(preTokenizer, "pretokenizers")
        isBertSplit = parts.map { Self.type(of: $0) } == ["BertPreTokenizer"]
        for (index, part) in parts.enumerated() {
            if Self.type(of: part) == "ByteLevel" {
                guard index == parts.count - 1 else {
                    throw .unsupported(
                        "pre_tokenizer ByteLevel before others is not supported yet; supported: at the end"
                    )
                }
                try readByteLevel(part)
            } else {
                splits += try Self.splits(part)
            }
        }
    }

    private mutating func readByteLevel(_ part: JSON) throws(TokenizerError) {
        isByteLevel = true
        if try Self.flag("add_prefix_space", of: part, default: true) { splits.append(.prefixSpace) }
        guard try Self.flag("use_regex", of: part, default: true) else { return }
        splits.append(.split(try Pattern(Self.byteLevelPattern), .isolated, isInverted: false))
    }

    private static func splits(_ part: JSON) throws(TokenizerError) -> [SplitStep] {
        let type = type(of: part)
        let spaces = UnicodeClasses.whitespace
        switch type {
        case "BertPreTokenizer": return try bertSplits.get()
        case "WhitespaceSplit": return [try split(.set(spaces), .removed, named: type)]
        case "Whitespace":
            let word = UnicodeClasses.wordOrJoiner
            let runs = [word, word.union(spaces).inverted].map { set in
                PatternNode.repeated(.set(set), min: 1, max: nil, .greedy)
            }
            return [try split(.choice(runs), .removed, isInverted: true, named: type)]
        case "Punctuation":
            return [
                try split(.set(UnicodeClasses.bertPunctuation), try behavior(part, default: .isolated), named: type)
            ]
        case "Digits":
            let isIndividual = try flag("individual_digits", of: part, default: false)
            return [try split(.set(UnicodeClasses.numeric), isIndividual ? .isolated : .contiguous, named: type)]
        case "CharDelimiterSplit":
            guard let delimiter = try text("delimiter", of: part), !delimiter.isEmpty else {
                throw .malformed("CharDelimiterSplit: expected a delimiter")
            }
            return [.split(try Pattern(literal: delimiter), .removed, isInverted: false)]
        case "FixedLength":
            let length = part["length"]?.integerValue ?? 5
            guard (1...64).contains(length) else {
                throw .unsupported("FixedLength \(length) is not supported; supported: 1 to 64")
            }
            return [try split(.repeated(.set(.all), min: 1, max: Int(length), .greedy), .isolated, named: type)]
        case "Split":
            let isInverted = try flag("invert", of: part, default: false)
            return [.split(try pattern(part), try behavior(part, default: nil), isInverted: isInverted)]
        case "Metaspace": return try metaspace(part)
        default: throw refusal("pre_tokenizer", type, supported: supportedPreTokenizers)
        }
    }

    /// Made once: a pattern's tables take a while.
    private static let bertSplits = Result<[SplitStep], TokenizerError> { () throws(TokenizerError) in
        [
            try split(.set(UnicodeClasses.whitespace), .removed, named: "BertPreTokenizer"),
            try split(.set(UnicodeClasses.bertPunctuation), .isolated, named: "BertPreTokenizer"),
        ]
    }

    private static func split(
        _ node: PatternNode,
        _ behavior: SplitBehavior,
        isInverted: Bool = false,
        named name: String
    ) throws(TokenizerError) -> SplitStep {
        .split(try Pattern(node, named: name), behavior, isInverted: isInverted)
    }

    private static func behavior(_ part: JSON, default value: SplitBehavior?) throws(TokenizerError) -> SplitBehavior {
        switch try text("behavior", of: part) {
        case "Removed": return .removed
        case "Isolated": return .isolated
        case "MergedWithPrevious": return .mergedWithPrevious
        case "MergedWithNext": return .mergedWithNext
        case "Contiguous": return .contiguous
        case nil:
            if let value { return value }
            throw .malformed("Split: expected a behavior")
        case let name?: throw .unsupported("the behavior \(name.prefix(80)) is not known")
        }
    }

    private static func metaspace(_ part: JSON) throws(TokenizerError) -> [SplitStep] {
        let mark = try text("replacement", of: part) ?? "▁"
        guard mark.unicodeScalars.count == 1 else {
            throw .malformed("Metaspace: expected one character to replace by")
        }
        let scheme: PrependScheme
        switch try text("prepend_scheme", of: part) {
        case "always": scheme = .always
        case "first": scheme = .first
        case "never": scheme = .never
        case nil: scheme = try flag("add_prefix_space", of: part, default: true) ? .always : .never
        case let name?: throw .unsupported("the prepend_scheme \(name.prefix(80)) is not known")
        }
        let step = SplitStep.metaspace(mark: Array(mark.utf8), scheme)
        guard try flag("split", of: part, default: true) else { return [step] }
        return [step, .split(try Pattern(literal: mark), .mergedWithNext, isInverted: false)]
    }
}
