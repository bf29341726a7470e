@testable import Tokenizing

/// `tokenizer.json`, what is compiled of it, and the parts of it that have a form of their own.
enum FuzzedTokenizer {
    private static let text = "Hello, Wörld! 你好 🙂 e\u{301} \u{0} ab12"

    static func tokenize(_ bytes: [UInt8]) {
        guard let tokenizer = try? Tokenizer(tokenizerJSON: bytes) else { return }
        _ = tokenizer.encode(text, tokensMax: 32)
    }

    static func encode(_ bytes: [UInt8]) {
        guard let tokenizer = try? Tokenizer(compiled: bytes) else { return }
        _ = tokenizer.encode(text, tokensMax: 32)
    }

    /// The first line is a regular expression, the rest the text that it is looked for in.
    static func match(_ bytes: [UInt8]) {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        guard let pattern = try? Pattern(String(decoding: bytes[..<end], as: UTF8.self)) else { return }
        // A match may take a million steps, and one may begin at each byte: more text only makes it slower.
        let text = Array(String(decoding: bytes[end...].prefix(64), as: UTF8.self).utf8)
        var matcher = PatternMatcher()
        var position = 0
        while let found = matcher.find(pattern, in: text.span, from: position, bounds: 0..<text.count) {
            precondition(found.lowerBound >= position && found.upperBound <= text.count, "a match lies in the text")
            position = found.upperBound
        }
    }

    /// A table of replacements, and the text: what follows it, as far as that is small.
    static func replace(_ bytes: [UInt8]) {
        guard let table = try? Precompiled(bytes) else { return }
        let text = Array(Self.text.utf8) + bytes.suffix(32)
        for start in text.indices {
            guard let found = table.replacement(of: text.span, start..<text.count) else { continue }
            precondition(found.upperBound <= table.replacements.count, "a replacement lies in the table")
        }
    }
}
