package import ControlPlane
import FoundationEssentials

/// The patterns of one mapping: a record that none of them holds for never reaches the function.
package struct RecordFilter: Equatable, Sendable {
    private let patterns: [FilterPattern]
    /// The member of a record that carries what was sent: text, JSON where the pattern looks into it.
    private let payloadKey: String
    private let isPayloadBase64: Bool

    /// - Parameters:
    ///   - criteria: `FilterCriteria` of a mapping; nil lets all through.
    ///   - payloadKey: `body`, `data` or `value`, after the kind of the source.
    package init(_ criteria: JSONValue?, payloadKey: String, isPayloadBase64: Bool = false) throws(FilterPatternError) {
        var patterns: [FilterPattern] = []
        for filter in criteria?["Filters"]?.elements ?? [] {
            guard let text = filter["Pattern"]?.text else { continue }
            patterns.append(try FilterPattern(parsing: text))
        }
        self.patterns = patterns
        self.payloadKey = payloadKey
        self.isPayloadBase64 = isPayloadBase64
    }

    package func lets(_ record: JSONValue) -> Bool {
        patterns.isEmpty || patterns.contains { $0.matches(seen(record, by: $0)) }
    }

    /// A record as the pattern sees it.
    ///
    /// A payload that the pattern looks into is read as JSON, and one that is JSON is no plain text. Either way round what
    /// does not fit is dropped, as it is with the service.
    private func seen(_ record: JSONValue, by pattern: FilterPattern) -> JSONValue {
        guard pattern.names(payloadKey), case .object(var members) = record, var text = members[payloadKey]?.text
        else { return record }
        if isPayloadBase64, let bytes = Data(base64Encoded: text) {
            text = String(decoding: bytes, as: UTF8.self)
            members[payloadKey] = .text(text)
        }
        let parsed = JSONValue(parsing: text.utf8)
        let isDocument = parsed?.members != nil
        if pattern.looksInto(payloadKey) {
            members[payloadKey] = isDocument ? parsed : nil
        } else if isDocument {
            members[payloadKey] = nil
        }
        return .object(members)
    }
}
