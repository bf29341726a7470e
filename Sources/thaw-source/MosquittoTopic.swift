#if canImport(CMosquitto)
import JSON
import Linux

/// Topics of MQTT, in the order in which the broker sends them: `mqtt://USER:PASSWORD@HOST:PORT/TOPIC/FILTER?qos=1&client=ID`.
///
/// The broker keeps the session of the client and holds what comes while nobody is connected. It sends a few messages ahead of their
/// acknowledgements (20, where it says nothing else), which bounds a batch.
final class MosquittoTopic: Broker {
    let kind = BrokerKind(name: "thaw:mqtt", isStream: true)
    private let address: BrokerAddress
    private let connection: MosquittoConnection
    private var givenCount: Int64 = 0
    private var settledCount: Int64 = 0

    private static let form = "mqtt://HOST:PORT/TOPIC/FILTER, with %23 for #"

    init(_ address: BrokerAddress) throws(BrokerError) {
        self.address = address
        let filter = address["topic"] ?? address.path
        guard !filter.isEmpty else {
            throw BrokerError("\(address.shown) has no topic: the source is written \(Self.form)", isFinal: true)
        }
        guard let quality = ["0": Int32(0), "1": 1][address["qos"] ?? "1"] else {
            throw BrokerError(
                "\(address.shown): 'qos' is 1, or 0 for what may be lost; messages published with 2 come with 1",
                isFinal: true
            )
        }
        connection = try MosquittoConnection(
            address,
            client: address["client"] ?? address.consumer,
            filter: filter,
            quality: quality
        )
    }

    var descriptor: Int32 { connection.descriptor }

    var milliseconds: Int? {
        guard isNothingOut else { return nil }
        let due = connection.lastWriteNanoseconds + pingNanoseconds
        let now = Clock.monotonicNanoseconds()
        return due > now ? Int((due - now) / 1_000_000) + 1 : 0
    }

    /// The library counts whole seconds.
    private var pingNanoseconds: UInt64 { UInt64(MosquittoConnection.keepAliveSeconds + 1) * 1_000_000_000 }
    private var isNothingOut: Bool { connection.isEmpty && givenCount == settledCount }

    func receive(_ countMax: Int) throws(BrokerError) -> [BrokerRecord] {
        if isNothingOut, milliseconds == 0 { try connection.ping() }
        return try connection.messages(countMax).map(record)
    }

    func settle(_ handles: [String]) throws(BrokerError) {
        settledCount = max(settledCount, handles.compactMap { Int64($0) }.max() ?? 0)
        // All acknowledgements go out together, or none.
        if isNothingOut { try connection.flush() }
    }

    func putBack(_ handles: [String], afterMilliseconds: Int) throws(BrokerError) {
        throw BrokerError("\(address.shown): messages of a stream are not put back")
    }

    /// The protocol does not say.
    func lag() throws(BrokerError) -> Int? { nil }

    private func record(_ message: MosquittoMessage) -> BrokerRecord {
        givenCount += 1
        let now = Clock.wallNanoseconds() / 1_000_000
        return BrokerRecord(
            id: "\(givenCount)",
            handle: "\(givenCount)",
            deliveryCount: 1,
            // MQTT carries no time: it is when the message came here.
            unixMilliseconds: Int64(now),
            document: .object(
                [
                    JSON.Member("eventSource", .string(kind.name)),
                    JSON.Member("eventSourceARN", .string(address.shown)),
                    JSON.Member("messageId", .string("\(givenCount)")),
                    JSON.Member("topic", .string(message.topic)),
                    JSON.Member("qos", .integer(Int64(message.quality))),
                    JSON.Member("retain", .bool(message.isRetained)),
                ] + JSON.body(message.payload)
            )
        )
    }
}
#endif
