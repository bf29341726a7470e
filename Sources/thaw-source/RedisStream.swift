#if canImport(CHiredis)
import CHiredis
import JSON
import Linux

/// A stream of Redis, read as a consumer of a group: `redis://HOST:PORT/DB?stream=NAME&group=NAME&start=$|0`.
///
/// What is given out stays in the group's list of what is pending until it is acknowledged; what an earlier run of this mapping left
/// there comes first. Two connections: on one Redis is asked for records and answers when there are some, the other has the rest.
final class RedisStream: Broker {
    let kind = BrokerKind(name: "thaw:redis", payloadKey: "fields")
    private let address: BrokerAddress
    private let stream: String
    private let group: String
    private let reading: RedisConnection
    private let commands: RedisConnection
    /// A request for records is under way on the connection that reads.
    private var isAsked = false
    /// Below it, what an earlier run left pending is read; nil once all of that was.
    private var pendingAfter: String? = "0"
    private var deliveries: [String: Int] = [:]
    private var putBack: [(id: String, dueNanoseconds: UInt64)] = []

    private static let form = "redis://HOST:PORT/DB?stream=NAME&group=NAME"

    init(_ address: BrokerAddress) throws(BrokerError) {
        self.address = address
        stream = try address.required("stream", form: Self.form)
        group = address["group"] ?? "thaw"
        reading = try RedisConnection(address)
        commands = try RedisConnection(address)
        let made = try commands.ask(["XGROUP", "CREATE", stream, group, address["start"] ?? "$", "MKSTREAM"])
        if case .failure(let message) = made, !message.hasPrefix("BUSYGROUP") {
            throw BrokerError("\(address.shown): \(message)")
        }
    }

    var descriptor: Int32 { reading.descriptor }

    var milliseconds: Int? {
        guard let due = putBack.map(\.dueNanoseconds).min() else { return nil }
        let now = Clock.monotonicNanoseconds()
        return due > now ? Int((due - now) / 1_000_000) + 1 : 0
    }

    func receive(_ countMax: Int) throws(BrokerError) -> [BrokerRecord] {
        let again = try due(countMax)
        if !again.isEmpty { return again }
        while let after = pendingAfter {
            let reply = try checked(
                commands.ask([
                    "XREADGROUP", "GROUP", group, address.consumer, "COUNT", "\(countMax)", "STREAMS", stream, after,
                ])
            )
            let entries = Self.entries(reply)
            pendingAfter = entries.last?.id
            let records = try entries.map { (entry) throws(BrokerError) in try record(entry) }
            // An entry that was deleted meanwhile is still pending, without fields.
            if !records.isEmpty { return records }
        }
        if !isAsked {
            try reading.send([
                "XREADGROUP", "GROUP", group, address.consumer, "COUNT", "\(countMax)", "BLOCK", "0", "STREAMS",
                stream, ">",
            ])
            isAsked = true
        }
        guard let reply = try reading.replyIfThere() else { return [] }
        isAsked = false
        return try Self.entries(try checked(reply)).map { (entry) throws(BrokerError) in try record(entry) }
    }

    func settle(_ handles: [String]) throws(BrokerError) {
        guard !handles.isEmpty else { return }
        _ = try checked(commands.ask(["XACK", stream, group] + handles))
        for handle in handles { deliveries[handle] = nil }
    }

    func putBack(_ handles: [String], afterMilliseconds: Int) throws(BrokerError) {
        let due = Clock.monotonicNanoseconds() + UInt64(max(afterMilliseconds, 0)) * 1_000_000
        putBack += handles.map { ($0, due) }
    }

    func lag() throws(BrokerError) -> Int? {
        guard case .list(let groups) = try checked(commands.ask(["XINFO", "GROUPS", stream])) else { return nil }
        for case .list(let fields) in groups {
            var named: [String: RedisReply] = [:]
            for index in stride(from: 0, to: fields.count - 1, by: 2) {
                if case .bytes(let key) = fields[index] {
                    named[String(decoding: key, as: UTF8.self)] = fields[index + 1]
                }
            }
            guard case .bytes(let name)? = named["name"], name == Array(group.utf8) else { continue }
            guard case .integer(let pending)? = named["pending"] else { return nil }
            // Redis 7 counts what was not given out yet.
            guard case .integer(let unread)? = named["lag"] else { return Int(pending) }
            return Int(unread + pending)
        }
        return nil
    }

    // MARK: Entries

    private struct Entry {
        let id: String
        let fields: [RedisReply]
    }

    /// Put back and due again.
    private func due(_ countMax: Int) throws(BrokerError) -> [BrokerRecord] {
        let now = Clock.monotonicNanoseconds()
        let ids = putBack.filter { $0.dueNanoseconds <= now }.prefix(countMax).map(\.id)
        guard !ids.isEmpty else { return [] }
        putBack.removeAll { ids.contains($0.id) }
        let reply = try checked(commands.ask(["XCLAIM", stream, group, address.consumer, "0"] + ids))
        guard case .list(let rows) = reply else { return [] }
        return try rows.compactMap(Self.entry).map { (entry) throws(BrokerError) in try record(entry) }
    }

    private static func entries(_ reply: RedisReply) -> [Entry] {
        // [[stream, [[id, [field, value, …]], …]]]
        guard case .list(let streams) = reply, case .list(let parts)? = streams.first, parts.count == 2,
            case .list(let rows) = parts[1]
        else { return [] }
        return rows.compactMap(entry)
    }

    private static func entry(_ row: RedisReply) -> Entry? {
        guard case .list(let parts) = row, parts.count == 2, case .bytes(let id) = parts[0],
            case .list(let fields) = parts[1]
        else { return nil }
        return Entry(id: String(decoding: id, as: UTF8.self), fields: fields)
    }

    private func record(_ entry: Entry) throws(BrokerError) -> BrokerRecord {
        let count = deliveries[entry.id, default: 0] + 1
        deliveries[entry.id] = count
        var fields: [JSON.Member] = []
        for index in stride(from: 0, to: entry.fields.count - 1, by: 2) {
            guard case .bytes(let key) = entry.fields[index], case .bytes(let value) = entry.fields[index + 1] else {
                continue
            }
            let name = String(decoding: key, as: UTF8.self)
            // A field twice in one entry is allowed to Redis; the last one stands.
            fields.removeAll { $0.key == name }
            fields.append(JSON.Member(name, .string(Self.text(value))))
        }
        return BrokerRecord(
            id: entry.id,
            handle: entry.id,
            deliveryCount: count,
            unixMilliseconds: entry.id.split(separator: "-").first.flatMap { Int64($0) } ?? 0,
            document: .object([
                JSON.Member("eventSource", .string(kind.name)),
                JSON.Member("eventSourceARN", .string(address.shown)),
                JSON.Member("stream", .string(stream)),
                JSON.Member("messageId", .string(entry.id)),
                JSON.Member("deliveryCount", .integer(Int64(count))),
                JSON.Member("fields", .object(fields)),
            ])
        )
    }

    /// Bytes that are no UTF-8 in base64.
    private static func text(_ bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self) ?? JSON.base64(bytes)
    }

    private func checked(_ reply: RedisReply) throws(BrokerError) -> RedisReply {
        guard case .failure(let message) = reply else { return reply }
        // The stream was deleted, and its group with it: opening it again makes both.
        throw BrokerError("\(address.shown): \(message)")
    }
}
#endif
