import ControlPlane

/// Which records of a batch a function's reply says it could not do.
enum BatchReply: Equatable, Sendable {
    case all
    case none
    /// The ids, which are all of the batch.
    case allBut(Set<String>)

    /// - Parameter reportsFailures: `ReportBatchItemFailures` is among the mapping's response types; without it a reply means all.
    init(_ outcome: EventOutcome, of batch: [SourceRecord], reportsFailures: Bool) {
        guard case .succeeded(let body) = outcome else {
            self = .none
            return
        }
        guard reportsFailures else {
            self = .all
            return
        }
        self = Self.reported(body, of: batch)
    }

    /// What is malformed, or names a record that was not in the batch, fails the batch: better twice than never.
    private static func reported(_ body: [UInt8], of batch: [SourceRecord]) -> BatchReply {
        if body.isEmpty { return .all }
        guard let reply = JSONValue(parsing: body) else { return .none }
        guard let failures = reply["batchItemFailures"] else {
            // Null, an empty object and an empty list mean that nothing failed; other types say nothing readable.
            return reply == .null || reply.members != nil ? .all : .none
        }
        guard let items = failures.elements else { return .none }
        let ids = Set(batch.map(\.id))
        var failed: Set<String> = []
        for item in items {
            guard let id = item["itemIdentifier"].flatMap(identifier), ids.contains(id) else { return .none }
            failed.insert(id)
        }
        return failed.isEmpty ? .all : .allBut(failed)
    }

    /// Text, or a place in Kafka: `{"partition": "TOPIC-NUMBER", "offset": NUMBER}`.
    private static func identifier(_ value: JSONValue) -> String? {
        if let text = value.text { return text }
        guard let partition = value["partition"]?.text, let offset = value["offset"]?.integer else { return nil }
        return "\(partition)/\(offset)"
    }
}
