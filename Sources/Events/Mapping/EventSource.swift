package import ControlPlane

/// Where the records of a mapping come from: the one contract that every queue, stream, bucket and folder is reached by.
///
/// A source is taken from by one runner. What was taken and never settled comes again, after the source's own time or when it is
/// opened again: at least once, never less.
package protocol EventSource: Sendable {
    var kind: SourceKind { get }

    /// Up to `countMax` records, as soon as there is one.
    ///
    /// - Parameter waitMilliseconds: how long to wait for one; nil as long as it takes.
    /// - Returns: none where the time is over.
    /// - Throws: ``SourceError`` where the source cannot be reached; it is then closed and opened again, later.
    func take(_ countMax: Int, waitMilliseconds: Int64?) async throws(SourceError) -> [SourceRecord]

    /// These are done, and never come again. Of a stream: everything up to the last of them.
    func settle(_ records: [SourceRecord]) async throws(SourceError)

    /// These come again, after this time or the source's own. Not called for streams.
    func putBack(_ records: [SourceRecord], afterMilliseconds: Int64) async throws(SourceError)

    /// How many records wait; nil where the source cannot say.
    func lag() async -> Int?

    func close() async
}

/// What a function is shown of a source, and how its records are settled.
package struct SourceKind: Equatable, Sendable {
    /// What records call it: `aws:sqs`, `SelfManagedKafka`, `thaw:redis`.
    package var name: String
    /// Records are done in order, and a failure holds back what is behind it.
    package var isStream: Bool
    /// The member of a record that carries what was sent.
    package var payloadKey: String
    /// It is carried in base64; patterns see what it stands for.
    package var isPayloadBase64: Bool
    /// The event of a batch.
    package var event: @Sendable ([SourceRecord]) -> JSONValue

    package init(
        name: String,
        isStream: Bool,
        payloadKey: String,
        isPayloadBase64: Bool = false,
        event: @escaping @Sendable ([SourceRecord]) -> JSONValue = { records in
            ["Records": .array(records.map(\.document))]
        }
    ) {
        self.name = name
        self.isStream = isStream
        self.payloadKey = payloadKey
        self.isPayloadBase64 = isPayloadBase64
        self.event = event
    }

    package static func == (one: SourceKind, other: SourceKind) -> Bool {
        one.name == other.name && one.isStream == other.isStream && one.payloadKey == other.payloadKey
    }
}

/// Why a source gives nothing: in a sentence, with what to do.
package struct SourceError: Error, Equatable, CustomStringConvertible {
    package let description: String
    /// Trying again will not help until somebody changes the mapping.
    package let isFinal: Bool

    package init(_ description: String, isFinal: Bool = false) {
        self.description = description
        self.isFinal = isFinal
    }
}
