import ControlPlane

/// One condition of a pattern's list.
enum FilterCondition: Equatable, Sendable {
    case equals(JSONValue)
    case equalsIgnoringCase(String)
    case prefix(String, ignoresCase: Bool)
    case suffix(String, ignoresCase: Bool)
    case wildcard(String)
    case exists(Bool)
    case numeric([Comparison])
    /// Nothing of these: a missing value holds for none of them either, as it is with the service.
    case anythingBut([FilterCondition])

    struct Comparison: Equatable, Sendable {
        let sign: String
        let bound: Double

        func holds(_ value: Double) -> Bool {
            switch sign {
            case "=": value == bound
            case "<": value < bound
            case "<=": value <= bound
            case ">": value > bound
            default: value >= bound
            }
        }
    }

    init(_ document: JSONValue, path: String) throws(FilterPatternError) {
        switch document {
        case .null, .bool, .integer, .number, .text:
            self = .equals(document)
        case .array:
            throw FilterPatternError(path, "has a list within the list of conditions")
        case .object(let members):
            guard members.count == 1, let (name, value) = members.first else {
                throw FilterPatternError(path, "has a condition of \(members.count) members; it takes one")
            }
            self = try Self.named(name, value, path: path)
        }
    }

    private static func named(
        _ name: String,
        _ value: JSONValue,
        path: String
    ) throws(FilterPatternError) -> FilterCondition {
        switch name {
        case "equals-ignore-case":
            return .equalsIgnoringCase(try text(value, name, path).lowercased())
        case "prefix", "suffix":
            let ignored = value.member("equals-ignore-case")
            let text = try text(ignored ?? value, name, path)
            let affix = ignored == nil ? text : text.lowercased()
            return name == "prefix"
                ? .prefix(affix, ignoresCase: ignored != nil) : .suffix(affix, ignoresCase: ignored != nil)
        case "wildcard":
            let text = try text(value, name, path)
            guard !text.contains("**") else { throw FilterPatternError(path, "has two '*' in a row in a wildcard") }
            return .wildcard(text)
        case "exists":
            guard let isThere = value.bool else { throw FilterPatternError(path, "'exists' takes true or false") }
            return .exists(isThere)
        case "numeric":
            return .numeric(try comparisons(value, path))
        case "anything-but":
            return .anythingBut(try refused(value, path))
        default:
            throw FilterPatternError(path, "has an unknown operator '\(name.prefix(64))'")
        }
    }

    private static func text(
        _ value: JSONValue,
        _ name: String,
        _ path: String
    ) throws(FilterPatternError) -> String {
        guard let text = value.text else { throw FilterPatternError(path, "'\(name)' takes a text") }
        return text
    }

    private static func comparisons(_ value: JSONValue, _ path: String) throws(FilterPatternError) -> [Comparison] {
        guard let parts = value.elements, parts.count == 2 || parts.count == 4 else {
            throw FilterPatternError(path, "'numeric' takes a sign and a number, or two of both")
        }
        var comparisons: [Comparison] = []
        for index in stride(from: 0, to: parts.count, by: 2) {
            guard let sign = parts[index].text, ["=", "<", "<=", ">", ">="].contains(sign) else {
                throw FilterPatternError(path, "'numeric' knows =, <, <=, > and >=")
            }
            guard let bound = parts[index + 1].double else {
                throw FilterPatternError(path, "'numeric' takes a number after \(sign)")
            }
            comparisons.append(Comparison(sign: sign, bound: bound))
        }
        return comparisons
    }

    private static func refused(_ value: JSONValue, _ path: String) throws(FilterPatternError) -> [FilterCondition] {
        switch value {
        case .text, .integer, .number:
            return [.equals(value)]
        case .array(let values) where !values.isEmpty:
            var refused: [FilterCondition] = []
            for element in values {
                guard element.text != nil || element.double != nil else {
                    throw FilterPatternError(path, "'anything-but' takes texts and numbers")
                }
                refused.append(.equals(element))
            }
            return refused
        case .object(let members):
            guard members.count == 1, let (name, inner) = members.first,
                ["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(name)
            else {
                throw FilterPatternError(path, "'anything-but' takes prefix, suffix, equals-ignore-case or wildcard")
            }
            var refused: [FilterCondition] = []
            for text in inner.elements ?? [inner] { refused.append(try named(name, text, path: path)) }
            guard !refused.isEmpty else {
                throw FilterPatternError(path, "'anything-but' of an empty list holds for all")
            }
            return refused
        default:
            throw FilterPatternError(path, "'anything-but' takes a value, a list of values, or one operator")
        }
    }

    /// - Parameter value: nil where the record has no such member.
    func holds(_ value: JSONValue?) -> Bool {
        switch self {
        case .exists(let isThere): return (value != nil) == isThere
        case .anythingBut(let refused):
            guard let value else { return false }
            if case .array(let elements) = value {
                return elements.contains { element in !refused.contains { $0.holdsOne(element) } }
            }
            return !refused.contains { $0.holdsOne(value) }
        default:
            guard let value else { return false }
            if case .array(let elements) = value { return elements.contains(where: holdsOne) }
            return holdsOne(value)
        }
    }

    private func holdsOne(_ value: JSONValue) -> Bool {
        switch self {
        case .equals(let expected):
            if let number = expected.double, let other = value.double { return number == other }
            return expected == value
        case .equalsIgnoringCase(let text): return value.text?.lowercased() == text
        case .prefix(let text, let ignoresCase):
            return value.text.map { (ignoresCase ? $0.lowercased() : $0).hasPrefix(text) } ?? false
        case .suffix(let text, let ignoresCase):
            return value.text.map { (ignoresCase ? $0.lowercased() : $0).hasSuffix(text) } ?? false
        case .wildcard(let pattern): return value.text.map { Self.matches($0, pattern) } ?? false
        case .numeric(let comparisons):
            guard let number = value.double else { return false }
            return comparisons.allSatisfy { $0.holds(number) }
        case .exists, .anythingBut: return holds(value)
        }
    }

    /// Whether the text fits a pattern in which a star stands for any bytes.
    ///
    /// Linear in the text for each star: the first place that fits a piece is as good as a later one.
    private static func matches(_ text: String, _ pattern: String) -> Bool {
        let (text, pattern) = (Array(text.utf8), Array(pattern.utf8))
        var (at, along) = (0, 0)
        var resume: (at: Int, along: Int)?
        while at < text.count {
            if along < pattern.count, pattern[along] == UInt8(ascii: "*") {
                resume = (at, along + 1)
                along += 1
            } else if along < pattern.count, pattern[along] == text[at] {
                (at, along) = (at + 1, along + 1)
            } else if let back = resume {
                resume = (back.at + 1, back.along)
                (at, along) = (back.at + 1, back.along)
            } else {
                return false
            }
        }
        while along < pattern.count, pattern[along] == UInt8(ascii: "*") { along += 1 }
        return along == pattern.count
    }
}

extension JSONValue {
    /// Of a number, whole or not.
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
