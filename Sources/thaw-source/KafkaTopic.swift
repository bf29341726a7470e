#if canImport(CRdkafka)
import JSON
import Linux

/// A topic of Kafka, read as a member of a consumer group: `kafka://HOST:PORT/TOPIC?group=NAME&start=earliest`.
///
/// Partitions that go to another member take their records with them: what of those is under way here is done there again.
final class KafkaTopic: Broker {
    let kind: BrokerKind
    private let settings: KafkaSettings
    private let shown: String
    private let consumer: KafkaConsumer
    private let startsAtEarliest: Bool
    /// Nil until the group has given us a share, which may be empty.
    private var partitions: [Int32]?
    /// Given out and not settled, in the order in which they were.
    private var handedOut: [Place] = []
    /// Told when records are asked for next.
    private var failure: String?

    private struct Place: Hashable {
        let partition: Int32
        let offset: Int64
    }

    init(_ address: BrokerAddress) throws(BrokerError) {
        settings = try KafkaSettings(address)
        shown = address.shown
        startsAtEarliest = address["start"] != "latest"
        consumer = try KafkaConsumer(settings, shown: address.shown)
        kind = BrokerKind(
            name: "SelfManagedKafka",
            isStream: true,
            payloadKey: "value",
            isPayloadBase64: true,
            frame: [
                JSON.Member("eventSource", .string("SelfManagedKafka")),
                JSON.Member("bootstrapServers", .string(settings.servers)),
            ],
            isGrouped: true
        )
    }

    var descriptor: Int32 { consumer.recordBell.rawValue }
    var attention: Int32 { consumer.groupBell.rawValue }

    func tend() {
        _ = try? consumer.groupBell.readAvailable(countMax: 8)
        while let event = consumer.nextEvent() {
            switch event {
            case .assigned(let share): partitions = share
            case .revoked:
                partitions = nil
                handedOut = []
            case .failed(let message, let isDown):
                // A single connection that is lost is made again.
                if isDown { failure = message }
            }
        }
    }

    func receive(_ countMax: Int) throws(BrokerError) -> [BrokerRecord] {
        tend()
        if let failure {
            self.failure = nil
            throw BrokerError("\(shown): \(failure)")
        }
        // Before the queue is looked into: what comes after that rings again.
        _ = try? consumer.recordBell.readAvailable(countMax: 8)
        return try consumer.messages(countMax).map { message in
            handedOut.append(Place(partition: message.partition, offset: message.offset))
            return record(message)
        }
    }

    /// All that were given out before the last of them are done too, those that a filter dropped.
    func settle(_ handles: [String]) throws(BrokerError) {
        let done = Set(handles.compactMap(Self.place))
        guard let last = handedOut.lastIndex(where: done.contains) else { return }
        var next: [Int32: Int64] = [:]
        for place in handedOut[...last] { next[place.partition] = place.offset + 1 }
        handedOut.removeFirst(last + 1)
        _ = try consumer.commit(next)
    }

    /// A stream's records wait where they are.
    func putBack(_ handles: [String], afterMilliseconds: Int) {}

    func lag() -> Int? {
        guard let partitions else { return nil }
        return partitions.isEmpty ? 0 : consumer.backlog(partitions, fromStart: startsAtEarliest)
    }

    // MARK: Records

    private func record(_ message: KafkaMessage) -> BrokerRecord {
        let group = "\(settings.topic)-\(message.partition)"
        return BrokerRecord(
            // As functions name it in `batchItemFailures`, in two members of which the scheduler makes one.
            id: "\(group)/\(message.offset)",
            handle: "\(message.partition)/\(message.offset)",
            deliveryCount: 1,
            unixMilliseconds: message.unixMilliseconds,
            group: group,
            document: .object([
                JSON.Member("topic", .string(settings.topic)),
                JSON.Member("partition", .integer(Int64(message.partition))),
                JSON.Member("offset", .integer(message.offset)),
                JSON.Member("timestamp", .integer(message.unixMilliseconds)),
                JSON.Member("timestampType", .string(message.isStampedByBroker ? "LOG_APPEND_TIME" : "CREATE_TIME")),
                JSON.Member("key", message.key.map { .string(JSON.base64($0)) } ?? .null),
                JSON.Member("value", message.value.map { .string(JSON.base64($0)) } ?? .null),
                JSON.Member("headers", .array(message.headers.map(Self.header))),
            ])
        )
    }

    /// Lambda shows a header's value as its bytes, in numbers.
    private static func header(_ header: KafkaMessage.Header) -> JSON {
        let value = header.value.map { JSON.array($0.map { .integer(Int64($0)) }) } ?? .null
        return .object([JSON.Member(header.key, value)])
    }

    private static func place(_ handle: String) -> Place? {
        let parts = handle.split(separator: "/")
        guard parts.count == 2, let partition = Int32(parts[0]), let offset = Int64(parts[1]) else { return nil }
        return Place(partition: partition, offset: offset)
    }
}
#endif
