#if canImport(CNats)
import CNats
import JSON
import Linux

/// A stream of NATS JetStream, read by a durable pull consumer: `nats://HOST:PORT/?stream=NAME&subject=FILTER&durable=NAME`.
///
/// Each message is acknowledged by itself. The server gives out again what it hears nothing of, so that what is under way here is
/// extended while it is.
final class NATSStream: Broker {
    let kind = BrokerKind(name: "thaw:nats")
    private let shown: String
    private let consumer: NATSConsumer
    /// Given out and not settled.
    private var held: [String: NATSMessage] = [:]
    private var extensionDueNanoseconds: UInt64?

    init(_ address: BrokerAddress) throws(BrokerError) {
        shown = address.shown
        consumer = try NATSConsumer(try NATSSettings(address), shown: address.shown)
    }

    // Whatever was fetched is looked at when the bell rings, asked for or not.
    var descriptor: Int32 { -1 }
    var attention: Int32 { consumer.bell.rawValue }

    var attentionMilliseconds: Int? {
        guard let due = extensionDueNanoseconds else { return nil }
        let now = Clock.monotonicNanoseconds()
        return due > now ? Int((due - now) / 1_000_000) + 1 : 0
    }

    func tend() {
        _ = try? consumer.bell.readAvailable(countMax: 8)
        let waiting = consumer.waiting
        guard !held.isEmpty || !waiting.isEmpty else {
            extensionDueNanoseconds = nil
            return
        }
        let now = Clock.monotonicNanoseconds()
        guard let due = extensionDueNanoseconds else {
            extensionDueNanoseconds = now + interval
            return
        }
        guard now >= due else { return }
        // One that cannot be extended comes again.
        for message in Array(held.values) + waiting { _ = message.extend() }
        extensionDueNanoseconds = now + interval
    }

    /// Two more tries before the server's patience is at its end.
    private var interval: UInt64 { consumer.patienceNanoseconds / 3 }

    func receive(_ countMax: Int) throws(BrokerError) -> [BrokerRecord] {
        var records: [BrokerRecord] = []
        for message in try consumer.messages(countMax) {
            guard let delivery = message.delivery else { continue }
            let record = record(message, delivery)
            held[record.handle] = message
            records.append(record)
        }
        if !records.isEmpty { tend() }
        return records
    }

    func settle(_ handles: [String]) throws(BrokerError) {
        try answer(handles) { $0.acknowledge() }
    }

    func putBack(_ handles: [String], afterMilliseconds: Int) throws(BrokerError) {
        try answer(handles) { $0.putBack(afterMilliseconds: afterMilliseconds) }
    }

    private func answer(_ handles: [String], _ send: (NATSMessage) -> natsStatus) throws(BrokerError) {
        for handle in handles {
            guard let message = held.removeValue(forKey: handle) else { continue }
            let status = send(message)
            guard status == NATS_OK else { throw BrokerError("\(shown): \(NATSOpening.text(status))") }
        }
        try consumer.flush()
    }

    func lag() -> Int? { consumer.backlog() }

    private func record(_ message: NATSMessage, _ delivery: NATSMessage.Delivery) -> BrokerRecord {
        let milliseconds = delivery.unixNanoseconds / 1_000_000
        let headers = message.headers.map { header in
            JSON.Member(header.name, .array(header.values.map { .string($0) }))
        }
        return BrokerRecord(
            id: "\(delivery.sequence)",
            // The same message given out again is another delivery.
            handle: "\(delivery.sequence)/\(delivery.count)",
            deliveryCount: delivery.count,
            unixMilliseconds: milliseconds,
            document: .object(
                [
                    JSON.Member("eventSource", .string(kind.name)),
                    JSON.Member("eventSourceARN", .string(shown)),
                    JSON.Member("stream", .string(delivery.stream)),
                    JSON.Member("subject", .string(message.subject)),
                    JSON.Member("messageId", .string("\(delivery.sequence)")),
                    JSON.Member("timestamp", .integer(milliseconds)),
                    JSON.Member("deliveryCount", .integer(Int64(delivery.count))),
                    JSON.Member("headers", .object(headers)),
                ] + JSON.body(message.bytes)
            )
        )
    }
}
#endif
