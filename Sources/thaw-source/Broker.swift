import JSON

/// A broker as this program reaches it: one file each, behind this contract.
///
/// Everything happens on one thread. Nothing waits for records but the program's poll: when records may have come,
/// ``descriptor`` is readable.
protocol Broker: AnyObject {
    var kind: BrokerKind { get }

    /// Readable when ``receive(_:)`` may have records; -1 for none.
    var descriptor: Int32 { get }

    /// When the broker has to be looked after though nothing came: a redelivery that is due, a sign of life. Nil for never.
    var milliseconds: Int? { get }

    /// Records that are there, and none where none is: it does not wait.
    ///
    /// Called first before ``descriptor`` is waited for, and is where more are asked for.
    func receive(_ countMax: Int) throws(BrokerError) -> [BrokerRecord]

    /// These are done. Of a stream: all up to the last of them.
    func settle(_ handles: [String]) throws(BrokerError)

    /// These come again after a while.
    func putBack(_ handles: [String], afterMilliseconds: Int) throws(BrokerError)

    /// Records that wait; nil where it cannot be known.
    func lag() throws(BrokerError) -> Int?

    /// Readable when ``tend()`` has something to do, whether or not records are asked for; -1 for none.
    var attention: Int32 { get }

    /// As ``attention``, by time; nil for never.
    var attentionMilliseconds: Int? { get }

    /// Does what cannot wait until records are asked for: a group that is shared out anew, a batch that runs longer than the broker waits.
    ///
    /// What fails here shows when records are asked for next.
    func tend()
}

extension Broker {
    var milliseconds: Int? { nil }
    var attention: Int32 { -1 }
    var attentionMilliseconds: Int? { nil }
    func tend() {}
}

/// What the scheduler is told of a broker once it is open.
struct BrokerKind {
    /// `eventSource` of the records.
    var name: String
    var isStream = false
    /// The member of a record that carries what was sent.
    var payloadKey = "body"
    var isPayloadBase64 = false
    /// Members of the event beside its records.
    var frame: [JSON.Member] = []
    /// Records stand in an object under their groups, not in a list.
    var isGrouped = false
}

struct BrokerRecord {
    /// Unique in a batch; what `batchItemFailures` name.
    var id: String
    var handle: String
    /// How often it was given out, this time included.
    var deliveryCount: Int
    var unixMilliseconds: Int64
    var group: String?
    var document: JSON
}

/// Why a broker gives nothing.
struct BrokerError: Error, CustomStringConvertible {
    let description: String
    /// Trying again does not help until somebody changes something.
    let isFinal: Bool

    init(_ description: String, isFinal: Bool = false) {
        self.description = description
        self.isFinal = isFinal
    }
}
