/// The members of a request's JSON body, read with the constraints of the API's model.
package struct RequestFields: Sendable {
    package let document: JSONValue

    /// An empty body has no members.
    package init(_ document: JSONValue) {
        self.document = document
    }

    package func has(_ key: String) -> Bool { document[key] != nil }

    package func value(_ key: String) -> JSONValue? { document[key] }

    package func text(_ key: String, charactersMax: Int = 10_000) throws(LambdaError) -> String? {
        guard let value = document[key] else { return nil }
        guard let text = value.text else { throw Self.wrongKind(key, "a string") }
        guard text.count <= charactersMax else {
            throw .constraint(
                text,
                at: Self.place(key),
                "Member must have length less than or equal to \(charactersMax)"
            )
        }
        return text
    }

    package func required(_ key: String, charactersMax: Int = 10_000) throws(LambdaError) -> String {
        guard let text = try text(key, charactersMax: charactersMax) else {
            throw LambdaError(
                .validation,
                "1 validation error detected: Value null at '\(Self.place(key))' failed to satisfy constraint: "
                    + "Member must not be null"
            )
        }
        return text
    }

    package func integer(_ key: String, in range: ClosedRange<Int>) throws(LambdaError) -> Int? {
        guard let value = document[key] else { return nil }
        guard let number = value.integer else { throw Self.wrongKind(key, "a number") }
        guard number >= range.lowerBound else {
            throw .constraint(
                "\(number)",
                at: Self.place(key),
                "Member must have value greater than or equal to \(range.lowerBound)"
            )
        }
        guard number <= range.upperBound else {
            throw .constraint(
                "\(number)",
                at: Self.place(key),
                "Member must have value less than or equal to \(range.upperBound)"
            )
        }
        return number
    }

    package func bool(_ key: String) throws(LambdaError) -> Bool? {
        guard let value = document[key] else { return nil }
        guard let bool = value.bool else { throw Self.wrongKind(key, "true or false") }
        return bool
    }

    package func choice(_ key: String, _ choices: [String]) throws(LambdaError) -> String? {
        guard let text = try text(key) else { return nil }
        guard choices.contains(text) else {
            throw .constraint(
                text,
                at: Self.place(key),
                "Member must satisfy enum value set: [\(choices.joined(separator: ", "))]"
            )
        }
        return text
    }

    package func object(_ key: String) throws(LambdaError) -> RequestFields? {
        guard let value = document[key] else { return nil }
        guard value.members != nil else { throw Self.wrongKind(key, "an object") }
        return RequestFields(value)
    }

    package func texts(_ key: String) throws(LambdaError) -> [String]? {
        guard let value = document[key] else { return nil }
        guard let elements = value.elements else { throw Self.wrongKind(key, "a list") }
        var texts: [String] = []
        for element in elements {
            guard let text = element.text else { throw Self.wrongKind(key, "a list of strings") }
            texts.append(text)
        }
        return texts
    }

    /// String to string, as tags and environments are.
    package func map(_ key: String) throws(LambdaError) -> [String: String]? {
        guard let value = document[key] else { return nil }
        guard let members = value.members else { throw Self.wrongKind(key, "an object") }
        var map: [String: String] = [:]
        for (name, value) in members {
            guard let text = value.text else { throw Self.wrongKind(key, "an object of strings") }
            map[name] = text
        }
        return map
    }

    private static func wrongKind(_ key: String, _ kind: String) -> LambdaError {
        LambdaError(.serialization, "\(key) should be \(kind)")
    }

    /// `FunctionName` as the service writes it in its refusals: `functionName`.
    static func place(_ key: String) -> String {
        key.prefix(1).lowercased() + key.dropFirst()
    }
}
