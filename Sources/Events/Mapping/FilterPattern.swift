package import ControlPlane
import FoundationEssentials

/// What a record has to look like, in the pattern language of Lambda's event filters.
///
/// A pattern is an object: each key names a member of the record, and has either a pattern for the object there or a list of
/// conditions for the value, of which one must hold. All keys must hold, and of the patterns of an `$or` one. A value that is a
/// list holds where one of its elements does.
package struct FilterPattern: Equatable, Sendable {
    private indirect enum Member: Equatable, Sendable {
        case object(key: String, [Member])
        case value(key: String, [FilterCondition])
        case either([[Member]])
    }

    private let members: [Member]

    /// Objects in objects; what clients send has three or four.
    static let depthMax = 32
    /// Conditions of one pattern.
    static let conditionsMax = 512

    /// - Throws: what is wrong with the pattern, and where.
    package init(_ document: JSONValue) throws(FilterPatternError) {
        var conditionCount = 0
        members = try Self.read(document, path: "$", depth: 0, &conditionCount)
    }

    package init(parsing text: String) throws(FilterPatternError) {
        guard let document = JSONValue(parsing: text.utf8) else { throw FilterPatternError("$", "is not JSON") }
        try self.init(document)
    }

    package func matches(_ record: JSONValue) -> Bool { Self.holds(members, record) }

    /// Whether the pattern looks into the member, as if it were an object rather than text.
    package func looksInto(_ key: String) -> Bool { Self.looks(members, into: key) }

    /// Whether the pattern names the member at all.
    package func names(_ key: String) -> Bool { Self.names(members, key) }

    // MARK: Reading

    private static func read(
        _ document: JSONValue,
        path: String,
        depth: Int,
        _ conditionCount: inout Int
    ) throws(FilterPatternError) -> [Member] {
        guard let members = document.members else { throw FilterPatternError(path, "is not an object") }
        guard depth < depthMax else { throw FilterPatternError(path, "is nested more than \(depthMax) deep") }
        guard !members.isEmpty else {
            throw FilterPatternError(path, "is empty: it would hold for nothing in particular")
        }
        var read: [Member] = []
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            let place = "\(path).\(key)"
            switch value {
            case .array(let patterns) where key == "$or":
                guard patterns.count >= 2 else { throw FilterPatternError(place, "needs two patterns or more") }
                var either: [[Member]] = []
                for (index, pattern) in patterns.enumerated() {
                    either.append(try Self.read(pattern, path: "\(place)[\(index)]", depth: depth + 1, &conditionCount))
                }
                read.append(.either(either))
            case .array(let conditions):
                guard !conditions.isEmpty else {
                    throw FilterPatternError(place, "is an empty list, which nothing matches")
                }
                conditionCount += conditions.count
                guard conditionCount <= conditionsMax else {
                    throw FilterPatternError(
                        place,
                        "is one too many: a pattern has at most \(conditionsMax) conditions"
                    )
                }
                var either: [FilterCondition] = []
                for condition in conditions { either.append(try FilterCondition(condition, path: place)) }
                read.append(.value(key: key, either))
            case .object:
                read.append(.object(key: key, try Self.read(value, path: place, depth: depth + 1, &conditionCount)))
            default:
                throw FilterPatternError(place, "is a value; conditions stand in a list, as in [\(value.json)]")
            }
        }
        return read
    }

    // MARK: Matching

    private static func holds(_ members: [Member], _ record: JSONValue) -> Bool {
        members.allSatisfy { holds($0, record) }
    }

    private static func holds(_ member: Member, _ record: JSONValue) -> Bool {
        switch member {
        case .either(let patterns):
            return patterns.contains { holds($0, record) }
        case .object(let key, let inner):
            // A list of objects holds where one of them does.
            if case .array(let elements)? = record.member(key) { return elements.contains { holds(inner, $0) } }
            return holds(inner, record.member(key) ?? .object([:]))
        case .value(let key, let conditions):
            let value = record.member(key)
            return conditions.contains { $0.holds(value) }
        }
    }

    private static func looks(_ members: [Member], into key: String) -> Bool {
        members.contains { member in
            switch member {
            case .object(let name, _): name == key
            case .either(let patterns): patterns.contains { looks($0, into: key) }
            case .value: false
            }
        }
    }

    private static func names(_ members: [Member], _ key: String) -> Bool {
        members.contains { member in
            switch member {
            case .object(let name, _), .value(let name, _): name == key
            case .either(let patterns): patterns.contains { names($0, key) }
            }
        }
    }
}

/// Why a pattern cannot be used.
package struct FilterPatternError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ path: String, _ reason: String) {
        description = "Invalid filter pattern definition: \(path) \(reason)."
    }
}

extension JSONValue {
    /// Unlike the subscript, it tells a member that is null from one that is not there.
    func member(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }
}
