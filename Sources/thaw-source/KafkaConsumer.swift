#if canImport(CRdkafka)
import CRdkafka
import Linux

/// One record as Kafka holds it.
struct KafkaMessage {
    struct Header {
        let key: String
        let value: [UInt8]?
    }

    let partition: Int32
    let offset: Int64
    let unixMilliseconds: Int64
    /// When the producer says it was made, or when the broker wrote it.
    let isStampedByBroker: Bool
    let key: [UInt8]?
    /// Nil where a key's end is told.
    let value: [UInt8]?
    let headers: [Header]
}

/// What happened to the group, or to the connections.
enum KafkaEvent {
    case assigned([Int32])
    case revoked
    /// `isDown`: no server can be reached, or none that would let us in.
    case failed(String, isDown: Bool)
}

/// A member of a consumer group of one topic: the face of librdkafka, whose threads do the work.
///
/// Records have a queue of their own, so that the group's share-outs are seen while nobody asks for records. Each queue writes to a doorbell
/// when something comes into it.
@safe final class KafkaConsumer {
    @unsafe private let client: OpaquePointer
    /// Of share-outs and errors.
    @unsafe private let groupQueue: OpaquePointer
    @unsafe private let recordQueue: OpaquePointer
    @unsafe private let commitQueue: OpaquePointer
    private let settings: KafkaSettings
    private let shown: String
    let recordBell: FileDescriptor
    let groupBell: FileDescriptor

    /// How long a person, or a batch that is done, waits for a server's answer.
    private static let answerMilliseconds: Int32 = 10_000
    private static let lagMilliseconds: Int32 = 3_000

    /// Joins the group.
    ///
    /// - Throws: where no server answers, the topic is not there, or a setting is none.
    init(_ settings: KafkaSettings, shown: String) throws(BrokerError) {
        self.settings = settings
        self.shown = shown
        do throws(SystemError) {
            recordBell = try FileDescriptor.doorbell()
            groupBell = try FileDescriptor.doorbell()
        } catch {
            throw BrokerError("\(shown): no doorbell: \(error)")
        }
        unsafe client = try Self.make(settings, shown)
        // Everything but records goes to the group's queue.
        unsafe rd_kafka_poll_set_consumer(client)
        unsafe groupQueue = rd_kafka_queue_get_consumer(client)
        unsafe recordQueue = rd_kafka_queue_new(client)
        unsafe commitQueue = rd_kafka_queue_new(client)
        var one: UInt64 = 1
        unsafe rd_kafka_queue_io_event_enable(recordQueue, recordBell.rawValue, &one, 8)
        unsafe rd_kafka_queue_io_event_enable(groupQueue, groupBell.rawValue, &one, 8)
        try findTopic()
        let topics = unsafe rd_kafka_topic_partition_list_new(1)
        defer { unsafe rd_kafka_topic_partition_list_destroy(topics) }
        unsafe rd_kafka_topic_partition_list_add(topics, settings.topic, -1)
        try check(unsafe rd_kafka_subscribe(client, topics))
    }

    deinit {
        unsafe rd_kafka_queue_destroy(commitQueue)
        unsafe rd_kafka_queue_destroy(recordQueue)
        unsafe rd_kafka_queue_destroy(groupQueue)
        unsafe rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }

    private static func make(_ settings: KafkaSettings, _ shown: String) throws(BrokerError) -> OpaquePointer {
        let configuration = unsafe rd_kafka_conf_new()
        var text = [CChar](repeating: 0, count: 512)
        func said() -> String { String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) }
        for (name, value) in settings.properties {
            guard unsafe rd_kafka_conf_set(configuration, name, value, &text, text.count) == RD_KAFKA_CONF_OK else {
                unsafe rd_kafka_conf_destroy(configuration)
                throw BrokerError("\(shown): \(said())", isFinal: true)
            }
        }
        unsafe rd_kafka_conf_set_events(configuration, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR)
        // What goes wrong comes as an event too.
        unsafe rd_kafka_conf_set_log_cb(configuration, nil)
        guard let client = unsafe rd_kafka_new(RD_KAFKA_CONSUMER, configuration, &text, text.count) else {
            unsafe rd_kafka_conf_destroy(configuration)
            throw BrokerError("\(shown): \(said())", isFinal: true)
        }
        return unsafe client
    }

    private func findTopic() throws(BrokerError) {
        let topic = unsafe rd_kafka_topic_new(client, settings.topic, nil)
        defer { unsafe rd_kafka_topic_destroy(topic) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let status = unsafe rd_kafka_metadata(client, 0, topic, &metadata, Self.answerMilliseconds)
        guard status == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe metadata else {
            // The reason was told before the time was over.
            var reason = Self.text(status)
            while let event = nextEvent() {
                if case .failed(let message, _) = event { reason = message }
            }
            throw BrokerError("\(shown): \(reason)")
        }
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        guard unsafe metadata.pointee.topic_cnt == 1, let found = unsafe metadata.pointee.topics,
            unsafe found.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR
        else {
            throw BrokerError("\(shown): the servers have no topic '\(settings.topic)' for this user: make it there")
        }
    }

    // MARK: Records

    /// Records that the library has read ahead; it does not wait.
    func messages(_ countMax: Int) throws(BrokerError) -> [KafkaMessage] {
        let countMax = min(countMax, 10_000)
        var pointers = unsafe [UnsafeMutablePointer<rd_kafka_message_t>?](repeating: nil, count: countMax)
        let count = unsafe rd_kafka_consume_batch_queue(recordQueue, 0, &pointers, countMax)
        guard count > 0 else { return [] }
        defer {
            for index in 0..<count { unsafe rd_kafka_message_destroy(pointers[index]) }
        }
        var messages: [KafkaMessage] = []
        for index in 0..<count {
            guard let pointer = unsafe pointers[index] else { continue }
            guard unsafe pointer.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let reason = unsafe rd_kafka_message_errstr(pointer).map { unsafe String(cString: $0) }
                throw unsafe BrokerError("\(shown): \(reason ?? Self.text(pointer.pointee.err))")
            }
            unsafe messages.append(Self.read(pointer))
        }
        return messages
    }

    private static func read(_ pointer: UnsafeMutablePointer<rd_kafka_message_t>) -> KafkaMessage {
        var stamp = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = unsafe rd_kafka_message_timestamp(pointer, &stamp)
        var headers: [KafkaMessage.Header] = []
        var list: OpaquePointer?
        if unsafe rd_kafka_message_headers(pointer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR {
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var (index, count) = (0, 0)
            while unsafe rd_kafka_header_get_all(list, index, &name, &value, &count) == RD_KAFKA_RESP_ERR_NO_ERROR {
                let key = unsafe name.map { unsafe String(cString: $0) } ?? ""
                unsafe headers.append(KafkaMessage.Header(key: key, value: bytes(value, count)))
                index += 1
            }
        }
        return unsafe KafkaMessage(
            partition: pointer.pointee.partition,
            offset: pointer.pointee.offset,
            unixMilliseconds: max(milliseconds, 0),
            isStampedByBroker: stamp == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME,
            key: bytes(pointer.pointee.key, pointer.pointee.key_len),
            value: bytes(pointer.pointee.payload, pointer.pointee.len),
            headers: headers
        )
    }

    private static func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
        guard let start = unsafe start else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    // MARK: The group

    /// What happened next; nil where nothing did.
    ///
    /// Partitions are taken and given away here.
    func nextEvent() -> KafkaEvent? {
        while let event = unsafe rd_kafka_queue_poll(groupQueue, 0) {
            defer { unsafe rd_kafka_event_destroy(event) }
            let status = unsafe rd_kafka_event_error(event)
            switch unsafe rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_REBALANCE where status == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
                return unsafe .assigned(take(rd_kafka_event_topic_partition_list(event)))
            case RD_KAFKA_EVENT_REBALANCE:
                unsafe rd_kafka_assign(client, nil)
                return .revoked
            case RD_KAFKA_EVENT_ERROR:
                let isDown =
                    unsafe rd_kafka_event_error_is_fatal(event) != 0
                    || [RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__AUTHENTICATION].contains(status)
                let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
                return .failed(text ?? Self.text(status), isDown: isDown)
            default: continue
            }
        }
        return nil
    }

    private func take(_ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> [Int32] {
        var partitions: [Int32] = []
        if let list = unsafe list {
            for index in unsafe 0..<Int(list.pointee.cnt) {
                let partition = unsafe list.pointee.elems[index].partition
                guard let queue = unsafe rd_kafka_queue_get_partition(client, settings.topic, partition) else {
                    continue
                }
                unsafe rd_kafka_queue_forward(queue, recordQueue)
                // The way stays; this is our hold on it only.
                unsafe rd_kafka_queue_destroy(queue)
                partitions.append(partition)
            }
        }
        unsafe rd_kafka_assign(client, list)
        return partitions
    }

    /// Tells the group where each partition goes on.
    ///
    /// - Returns: false where the partitions are not ours any more: their records come again, to whom they belong now.
    func commit(_ next: [Int32: Int64]) throws(BrokerError) -> Bool {
        let offsets = unsafe list(next)
        defer { unsafe rd_kafka_topic_partition_list_destroy(offsets) }
        try check(unsafe rd_kafka_commit_queue(client, offsets, commitQueue, nil, nil))
        guard let event = unsafe rd_kafka_queue_poll(commitQueue, Self.answerMilliseconds) else {
            throw BrokerError("\(shown): the servers confirm no offsets")
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        let status = unsafe rd_kafka_event_error(event)
        let lost: [rd_kafka_resp_err_t] = [
            RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST,
        ]
        if lost.contains(status) { return false }
        try check(status)
        return true
    }

    /// Records behind the group's place in these partitions; nil where a server does not say.
    func backlog(_ partitions: [Int32], fromStart: Bool) -> Int? {
        let offsets = unsafe list(Dictionary(uniqueKeysWithValues: partitions.map { ($0, -1001) }))
        defer { unsafe rd_kafka_topic_partition_list_destroy(offsets) }
        guard
            unsafe rd_kafka_committed(client, offsets, Self.lagMilliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let list = unsafe offsets
        else { return nil }
        var sum: Int64 = 0
        for index in unsafe 0..<Int(list.pointee.cnt) {
            let place = unsafe list.pointee.elems[index]
            guard let (low, high) = unsafe bounds(of: place.partition) else { return nil }
            let next = unsafe place.offset >= 0 ? max(place.offset, low) : fromStart ? low : high
            sum += max(high - next, 0)
        }
        return Int(sum)
    }

    /// The first offset that a partition has and the next that it will have.
    private func bounds(of partition: Int32) -> (low: Int64, high: Int64)? {
        var (low, high): (Int64, Int64) = (-1, -1)
        let known = unsafe rd_kafka_get_watermark_offsets(client, settings.topic, partition, &low, &high)
        // As of the last answer to a fetch: asking would wait behind the next one, half a second for each partition.
        if known == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 { return (max(low, 0), high) }
        let told = unsafe rd_kafka_query_watermark_offsets(
            client,
            settings.topic,
            partition,
            &low,
            &high,
            Self.lagMilliseconds
        )
        return told == RD_KAFKA_RESP_ERR_NO_ERROR ? (low, high) : nil
    }

    private func list(_ offsets: [Int32: Int64]) -> UnsafeMutablePointer<rd_kafka_topic_partition_list_t>? {
        let list = unsafe rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for (partition, offset) in offsets {
            unsafe rd_kafka_topic_partition_list_add(list, settings.topic, partition).pointee.offset = offset
        }
        return unsafe list
    }

    // MARK: Errors

    private func check(_ status: rd_kafka_resp_err_t) throws(BrokerError) {
        guard status == RD_KAFKA_RESP_ERR_NO_ERROR else { throw BrokerError("\(shown): \(Self.text(status))") }
    }

    private static func text(_ status: rd_kafka_resp_err_t) -> String {
        unsafe rd_kafka_err2str(status).map { unsafe String(cString: $0) } ?? "error \(status.rawValue)"
    }
}
#endif
