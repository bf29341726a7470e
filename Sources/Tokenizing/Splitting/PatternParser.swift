/// Reads a regular expression; what it does not know is refused by name.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private let pattern: String
    private var position = 0
    private var ignoresCase = false
    private var depth = 0

    /// Groups within each other, and the counts of `{n,m}`, which are written out; patterns in use have 3 and 4.
    private static let depthMax = 16
    private static let repeatMax = 64
    private static let scalarsMax = 4096

    private init(_ pattern: String) {
        self.pattern = pattern
        scalars = Array(pattern.unicodeScalars)
    }

    static func parse(_ pattern: String) throws(TokenizerError) -> PatternNode {
        var parser = PatternParser(pattern)
        guard parser.scalars.count <= scalarsMax else { throw parser.refusal("more than \(scalarsMax) characters") }
        let node = try parser.choice()
        guard parser.position == parser.scalars.count else { throw parser.refusal("an unmatched )") }
        return node
    }

    private func refusal(_ what: String) -> TokenizerError {
        .unsupported("the pattern \"\(pattern.prefix(200))\" has \(what), which is not supported")
    }

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ text: String) -> Bool {
        let wanted = Array(text.unicodeScalars)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private mutating func choice() throws(TokenizerError) -> PatternNode {
        depth += 1
        guard depth <= Self.depthMax else { throw refusal("groups nested deeper than \(Self.depthMax)") }
        defer { depth -= 1 }
        var alternatives = [try sequence()]
        while take("|") { alternatives.append(try sequence()) }
        return alternatives.count == 1 ? alternatives[0] : .choice(alternatives)
    }

    private mutating func sequence() throws(TokenizerError) -> PatternNode {
        var nodes: [PatternNode] = []
        while let next = peek, next != "|", next != ")" {
            let node = try atom()
            nodes.append(try quantified(node))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func quantified(_ atom: PatternNode) throws(TokenizerError) -> PatternNode {
        var node = atom
        while true {
            let bounds: (min: Int, max: Int?)
            if take("*") {
                bounds = (0, nil)
            } else if take("+") {
                bounds = (1, nil)
            } else if take("?") {
                bounds = (0, 1)
            } else if peek == "{", let counted = try counts() {
                bounds = counted
            } else {
                return node
            }
            let greed: PatternNode.Greed = take("?") ? .lazy : take("+") ? .possessive : .greedy
            node = .repeated(node, min: bounds.min, max: bounds.max, greed)
        }
    }

    /// `{n}`, `{n,}`, `{n,m}`, `{,m}`; nil where the brace is just a brace.
    private mutating func counts() throws(TokenizerError) -> (min: Int, max: Int?)? {
        guard let close = scalars[position...].firstIndex(of: "}") else { return nil }
        let inside = String(String.UnicodeScalarView(scalars[(position + 1)..<close]))
        let parts = inside.split(separator: ",", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), inside.utf8.count <= 8, inside != ",", !inside.isEmpty else { return nil }
        let low = parts[0].isEmpty ? 0 : Int(parts[0])
        let high = parts.count == 1 ? low : parts[1].isEmpty ? nil : Int(parts[1])
        guard let low, parts.count == 1 || parts[1].isEmpty || high != nil else { return nil }
        guard max(low, high ?? 0) <= Self.repeatMax, low <= high ?? low else {
            throw refusal("the count {\(inside)}")
        }
        position = close + 1
        return (low, high)
    }

    private mutating func atom() throws(TokenizerError) -> PatternNode {
        let scalar = scalars[position]
        position += 1
        switch scalar {
        case "(": return try group()
        case "[": return .set(try bracket())
        case ".": return .set(ScalarSet("\n").inverted)
        case "^": return .lineStart
        case "$": return .lineEnd
        case "*", "+", "?": throw refusal("a quantifier of nothing")
        case "\\":
            if take("A") { return .textStart }
            if take("z") { return .textEnd }
            return .set(try escape())
        default: return .set(folded(ScalarSet(scalar)))
        }
    }

    private mutating func group() throws(TokenizerError) -> PatternNode {
        let outer = ignoresCase
        defer { ignoresCase = outer }
        var wrap: (PatternNode) -> PatternNode = { $0 }
        if take("?:") {
        } else if take("?=") {
            wrap = { .lookahead($0, isNegated: false) }
        } else if take("?!") {
            wrap = { .lookahead($0, isNegated: true) }
        } else if take("?>") {
            wrap = { .atomic($0) }
        } else if take("?<=") || take("?<!") {
            let isNegated = scalars[position - 1] == "!"
            let inside = try choice()
            guard take(")"), case .set(let set) = inside else {
                throw refusal("a lookbehind of more than one character")
            }
            return .lookbehind(set, isNegated: isNegated)
        } else if take("?i:") {
            ignoresCase = true
        } else if take("?i)") {
            // Holds to the end of the group around.
            ignoresCase = true
            let rest = try choice()
            return rest
        } else if peek == "?" {
            throw refusal("the group (\(String(String.UnicodeScalarView(scalars[position...].prefix(3)))))")
        }
        let inside = try choice()
        guard take(")") else { throw refusal("a group without its )") }
        return wrap(inside)
    }

    /// After `[`: a set with its `]`.
    private mutating func bracket() throws(TokenizerError) -> ScalarSet {
        depth += 1
        guard depth <= Self.depthMax else { throw refusal("sets nested deeper than \(Self.depthMax)") }
        defer { depth -= 1 }
        let isNegated = take("^")
        var set = ScalarSet()
        var meets: ScalarSet?
        var isFirst = true
        while true {
            guard let scalar = peek else { throw refusal("a [ without its ]") }
            if scalar == "]", !isFirst { break }
            isFirst = false
            position += 1
            if scalar == "[" {
                guard peek != ":" else { throw refusal("a POSIX class") }
                set = set.union(try bracket())
            } else if scalar == "&", take("&") {
                meets = meets.map { $0.intersection(set) } ?? set
                set = ScalarSet()
            } else {
                set = set.union(try member(scalar))
            }
        }
        position += 1
        set = folded(meets.map { $0.intersection(set) } ?? set)
        return isNegated ? set.inverted : set
    }

    /// One scalar of a set, a range, or an escape.
    private mutating func member(_ scalar: Unicode.Scalar) throws(TokenizerError) -> ScalarSet {
        let first = scalar == "\\" ? try escape() : ScalarSet(scalar)
        guard peek == "-", position + 1 < scalars.count, scalars[position + 1] != "]", first.count == 1 else {
            return first
        }
        position += 1
        let next = scalars[position]
        position += 1
        let last = next == "\\" ? try escape() : ScalarSet(next)
        guard last.count == 1, let low = first.ranges.first?.lowerBound, let high = last.ranges.first?.lowerBound,
            low <= high
        else { throw refusal("a range of no order") }
        return ScalarSet([low...high])
    }

    /// After a backslash.
    private mutating func escape() throws(TokenizerError) -> ScalarSet {
        guard let scalar = peek else { throw refusal("a \\ at its end") }
        position += 1
        switch scalar {
        case "s": return UnicodeClasses.whitespace
        case "S": return UnicodeClasses.whitespace.inverted
        case "d": return UnicodeClasses.decimal
        case "D": return UnicodeClasses.decimal.inverted
        case "w": return UnicodeClasses.word
        case "W": return UnicodeClasses.word.inverted
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "v": return ScalarSet("\u{B}")
        case "f": return ScalarSet("\u{C}")
        case "p", "P": return try property(isNegated: scalar == "P")
        case "x", "u": return try numbered(scalar)
        default: break
        }
        let isLetterOrDigit = scalar.isASCII && scalar.properties.generalCategory != .otherPunctuation
        guard !isLetterOrDigit || !UnicodeClasses.word.contains(scalar.value) else { throw refusal("\\\(scalar)") }
        return ScalarSet(scalar)
    }

    private mutating func property(isNegated: Bool) throws(TokenizerError) -> ScalarSet {
        var name = ""
        if take("{") {
            while let scalar = peek, scalar != "}" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
            guard take("}") else { throw refusal("a { without its }") }
        } else if let scalar = peek {
            name = String(scalar)
            position += 1
        }
        let isInverted = name.hasPrefix("^")
        guard let set = UnicodeClasses.category(isInverted ? String(name.dropFirst()) : name) else {
            throw refusal("\\p{\(name)}")
        }
        return isNegated != isInverted ? set.inverted : set
    }

    /// A scalar by its number: `\x41`, `\x{1F600}`, `\u3040`.
    private mutating func numbered(_ kind: Unicode.Scalar) throws(TokenizerError) -> ScalarSet {
        let isBraced = take("{")
        var digits = ""
        let countMax = isBraced ? 8 : kind == "u" ? 4 : 2
        while let scalar = peek, scalar.properties.isASCIIHexDigit, digits.count < countMax {
            digits.unicodeScalars.append(scalar)
            position += 1
        }
        guard !isBraced || take("}"), let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else {
            throw refusal("\\\(kind) without a character's number")
        }
        return ScalarSet(scalar)
    }

    /// With the other cases of its members, where case is ignored.
    private func folded(_ set: ScalarSet) -> ScalarSet {
        // What has more members are categories, which hold both cases or are meant to hold one.
        guard ignoresCase, set.count <= 1024 else { return set }
        var more: [ClosedRange<UInt32>] = []
        for scalar in set.ranges.joined().compactMap({ Unicode.Scalar($0) }) {
            let properties = scalar.properties
            for text in [properties.lowercaseMapping, properties.uppercaseMapping, properties.titlecaseMapping] {
                let other = Array(text.unicodeScalars)
                if other.count == 1 { more.append(other[0].value...other[0].value) }
            }
            // The long s and the Kelvin sign are letters of ASCII once case is ignored.
            if scalar == "s" || scalar == "S" { more.append(0x17F...0x17F) }
            if scalar == "k" || scalar == "K" { more.append(0x212A...0x212A) }
        }
        return set.union(ScalarSet(more))
    }
}
