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
