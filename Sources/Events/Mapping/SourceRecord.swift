package import ControlPlane

/// One thing that a source brought, as a function is shown it.
package struct SourceRecord: Equatable, Sendable {
    /// What a reply's `batchItemFailures` calls it: unique within its batch.
    package var id: String
    /// The element of `Records` (or of what the source's kind has instead).
    package var document: JSONValue
    /// Bytes of it within an event, about.
    package var byteCount: Int
    /// When the source took it; what has an age limit is measured from here.
    package var acceptedUnixMilliseconds: Int64
    /// How often it was given out, this time included.
    package var deliveryCount: Int
    /// What it is ordered within: a partition, a subject.
    ///
    /// Nil where the source has one order, or none.
    package var group: String?
    /// By which the source finds it again when it is settled.
    package var handle: String

    package init(
        id: String,
        document: JSONValue,
        byteCount: Int,
        acceptedUnixMilliseconds: Int64,
        deliveryCount: Int = 1,
        group: String? = nil,
        handle: String
    ) {
        self.id = id
        self.document = document
        self.byteCount = byteCount
        self.acceptedUnixMilliseconds = acceptedUnixMilliseconds
        self.deliveryCount = deliveryCount
        self.group = group
        self.handle = handle
    }
}
