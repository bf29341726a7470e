import JSON

/// A JSON object from the bundle (config.json and its kind) whose fields are asked for by name and type.
struct ConfigurationFile {
    let path: String
    private let json: JSON

    init(path: String, json: JSON) {
        self.path = path
        self.json = json
    }

    /// nil where the bundle has no such file.
    init?(_ path: String, of files: ModelFiles, in archive: borrowing RawSpan) throws(ModelError) {
        guard let json = try Self.json(path, of: files, in: archive) else { return nil }
        guard json.objectMembers != nil else {
            throw .invalid("\(path) should be a JSON object, it is \(json.kindName)")
        }
        self.init(path: path, json: json)
    }

    static func json(
        _ path: String,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> JSON? {
        guard let bytes = try files.document(path, in: archive) else { return nil }
        do throws(JSONError) {
            return try JSON.parse(bytes)
        } catch {
            throw .invalid("\(path): \(error)")
        }
    }

    /// Whether the field is given and not null.
    func has(_ key: String) -> Bool {
        json[key].map { $0 != .null } ?? false
    }

    func text(_ key: String) throws(ModelError) -> String? {
        guard has(key), let value = json[key] else { return nil }
        guard let text = value.stringValue else { throw wrong(key, "text", value) }
        return text
    }

    /// The texts of an array; none where the field is missing.
    func texts(_ key: String) throws(ModelError) -> [String] {
        guard has(key), let value = json[key] else { return [] }
        guard let items = value.arrayValue else { throw wrong(key, "an array", value) }
        return items.compactMap(\.stringValue)
    }

    /// One text, or those of an array.
    func textOrTexts(_ key: String) throws(ModelError) -> [String] {
        if let text = json[key]?.stringValue { return [text] }
        return try texts(key)
    }

    /// The members of an object; nil where the field is missing.
    func members(_ key: String) throws(ModelError) -> [JSON.Member]? {
        guard has(key), let value = json[key] else { return nil }
        guard let members = value.objectMembers else { throw wrong(key, "an object", value) }
        return members
    }

    func flag(_ key: String) throws(ModelError) -> Bool {
        guard has(key), let value = json[key] else { return false }
        guard let flag = value.boolValue else { throw wrong(key, "true or false", value) }
        return flag
    }

    func number(_ key: String) throws(ModelError) -> Double? {
        guard has(key), let value = json[key] else { return nil }
        guard let number = value.doubleValue else { throw wrong(key, "a number", value) }
        return number
    }

    /// A count that must be given.
    func count(_ key: String, in range: ClosedRange<Int>) throws(ModelError) -> Int {
        guard let count = try optionalCount(key, in: range) else {
            throw .invalid("\(path) lacks \(key)")
        }
        return count
    }

    func optionalCount(_ key: String, in range: ClosedRange<Int>) throws(ModelError) -> Int? {
        guard has(key), let value = json[key] else { return nil }
        guard let integer = value.integerValue else { throw wrong(key, "a whole number", value) }
        guard let count = Int(exactly: integer), range.contains(count) else {
            throw .unsupported(
                "\(path): \(key) is \(integer); supported is \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return count
    }

    private func wrong(_ key: String, _ expected: String, _ value: JSON) -> ModelError {
        .invalid("\(path): \(key) should be \(expected), it is \(value.kindName)")
    }
}
