import JSON

extension JSON {
    /// A request's JSON, or a sentence for the caller.
    static func parse(request bytes: Span<UInt8>) throws(TaskFailure) -> JSON {
        do throws(JSONError) {
            return try parse(bytes)
        } catch {
            throw .malformed("the body is \(error)")
        }
    }
}

/// A request's JSON object, taken apart with sentences for the caller.
struct RequestBody {
    let members: [JSON.Member]

    /// - Parameter expectation: the whole of what is expected, such as `{"text": string or array of strings}`.
    init(_ body: [UInt8], expecting expectation: String) throws(TaskFailure) {
        let document: JSON
        do throws(JSONError) {
            document = try JSON.parse(body)
        } catch {
            throw .badInput("expected \(expectation); the body is \(error)")
        }
        guard let members = document.objectMembers else {
            throw .badInput("expected \(expectation), got \(document.kindName)")
        }
        self.members = members
    }

    subscript(key: String) -> JSON? { members.first { $0.key == key }?.value }

    /// The value of a key that must be given, where only some may be.
    func value(_ key: String, among keys: [String], expecting expectation: String) throws(TaskFailure) -> JSON {
        if let other = members.first(where: { !keys.contains($0.key) }) {
            throw .badInput("expected \(expectation); unknown key \"\(other.key.prefix(80))\"")
        }
        guard let value = self[key] else {
            throw .badInput("expected \(expectation); the key \"\(key)\" is missing")
        }
        return value
    }

    /// One text, or those of an array.
    func texts(
        _ value: JSON,
        named name: String,
        expecting expectation: String
    ) throws(TaskFailure) -> (texts: [String], isArray: Bool) {
        if let text = value.stringValue { return ([text], false) }
        guard let items = value.arrayValue else {
            throw .badInput("expected \(expectation); \"\(name)\" is \(value.kindName)")
        }
        guard items.count <= TaskLimits.textsMax else {
            throw .badInput("expected at most \(TaskLimits.textsMax) texts in one call, got \(items.count)")
        }
        var texts: [String] = []
        texts.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let text = item.stringValue else {
                throw .badInput("expected \(expectation); \"\(name)\"[\(index)] is \(item.kindName)")
            }
            texts.append(text)
        }
        return (texts, true)
    }

    /// Pairs of texts.
    func pairs(_ value: JSON, expecting expectation: String) throws(TaskFailure) -> [TextModel.Text] {
        guard let items = value.arrayValue else {
            throw .badInput("expected \(expectation); \"pairs\" is \(value.kindName)")
        }
        guard items.count <= TaskLimits.textsMax else {
            throw .badInput("expected at most \(TaskLimits.textsMax) pairs in one call, got \(items.count)")
        }
        var pairs: [TextModel.Text] = []
        pairs.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let texts = item.arrayValue, texts.count == 2, let first = texts[0].stringValue,
                let second = texts[1].stringValue
            else { throw .badInput("expected \(expectation); \"pairs\"[\(index)] is no array of two strings") }
            pairs.append(.pair(first, second))
        }
        return pairs
    }

    /// The value of the only key there may be.
    func only(_ key: String, expecting expectation: String) throws(TaskFailure) -> JSON {
        if let other = members.first(where: { $0.key != key }) {
            throw .badInput("expected \(expectation); unknown key \"\(other.key.prefix(80))\"")
        }
        guard let value = members.first?.value else {
            throw .badInput("expected \(expectation); the key \"\(key)\" is missing")
        }
        return value
    }
}
