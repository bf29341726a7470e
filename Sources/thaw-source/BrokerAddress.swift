import JSON

/// Where a broker is and what is wanted of it: the parts of the source's URL.
struct BrokerAddress {
    let scheme: String
    let host: String
    let port: Int?
    let user: String?
    let password: String?
    /// Without the first slash.
    let path: String
    private let query: [String: String]
    /// Names this mapping to brokers that keep something for each consumer.
    let consumer: String
    /// The source as functions are shown it: without a password.
    let shown: String

    /// Reads what the scheduler says of it.
    init(_ document: JSON) throws(BrokerError) {
        guard let scheme = document["scheme"]?.stringValue, let shown = document["shown"]?.stringValue,
            let consumer = document["consumer"]?.stringValue
        else { throw BrokerError("an address without scheme, shown or consumer", isFinal: true) }
        self.scheme = scheme
        self.shown = shown
        self.consumer = consumer
        host = document["host"]?.stringValue ?? "127.0.0.1"
        port = document["port"]?.integerValue.map { Int($0) }
        user = document["user"]?.stringValue
        password = document["password"]?.stringValue
        path = document["path"]?.stringValue ?? ""
        var query: [String: String] = [:]
        for member in document["query"]?.objectMembers ?? [] { query[member.key] = member.value.stringValue }
        self.query = query
    }

    /// Of the query.
    var names: Set<String> { Set(query.keys) }

    subscript(name: String) -> String? { query[name] }

    /// - Throws: where it is missing, with the form that the URL should have.
    func required(_ name: String, form: String) throws(BrokerError) -> String {
        guard let value = query[name], !value.isEmpty else {
            throw BrokerError("\(shown) has no '\(name)': the source is written \(form)", isFinal: true)
        }
        return value
    }
}
