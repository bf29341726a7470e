// A cluster of Kafka for tests: librdkafka's own, which speaks the protocol on a port of this machine and keeps records in memory.
//
// Prints its address, then does what it reads, a line at a time, and answers each with a line: `topic NAME PARTITIONS`,
// `put TOPIC PARTITION KEY VALUE`, `flush`, `down`, `up`. It ends with its input.
import CRdkafka
import Linux

@safe struct Mock: ~Copyable {
    @unsafe private let producer: OpaquePointer
    @unsafe private let cluster: OpaquePointer

    init?() {
        let configuration = unsafe rd_kafka_conf_new()
        var text = [CChar](repeating: 0, count: 512)
        // Lines are put to their partitions by hand, and seen at once.
        for (name, value) in [("test.mock.num.brokers", "1"), ("linger.ms", "0"), ("message.timeout.ms", "10000")] {
            unsafe rd_kafka_conf_set(configuration, name, value, &text, text.count)
        }
        unsafe rd_kafka_conf_set_log_cb(configuration, nil)
        guard let producer = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count),
            let cluster = unsafe rd_kafka_handle_mock_cluster(producer)
        else { return nil }
        unsafe self.producer = unsafe producer
        unsafe self.cluster = unsafe cluster
    }

    var address: String { unsafe String(cString: rd_kafka_mock_cluster_bootstraps(cluster)) }

    /// - Returns: the answer.
    func obey(_ line: String) -> String {
        let words = line.split(separator: " ", maxSplits: 4).map(String.init)
        switch (words.first, words.count) {
        case ("topic", 3):
            return said(unsafe rd_kafka_mock_topic_create(cluster, words[1], Int32(words[2]) ?? 1, 1))
        case ("put", 5):
            return put(words[1], Int32(words[2]) ?? 0, key: words[3], value: words[4])
        case ("flush", 1):
            return said(unsafe rd_kafka_flush(producer, 10_000))
        case ("down", 1):
            return said(unsafe rd_kafka_mock_broker_set_down(cluster, 1))
        case ("up", 1):
            return said(unsafe rd_kafka_mock_broker_set_up(cluster, 1))
        default:
            return "unknown: \(line)"
        }
    }

    /// With a header, as programs that trace their records have it.
    private func put(_ topic: String, _ partition: Int32, key: String, value: String) -> String {
        let handle = unsafe rd_kafka_topic_new(producer, topic, nil)
        defer { unsafe rd_kafka_topic_destroy(handle) }
        var parts = unsafe [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 6)
        unsafe parts[0].vtype = RD_KAFKA_VTYPE_RKT
        unsafe parts[0].u.rkt = unsafe handle
        unsafe parts[1].vtype = RD_KAFKA_VTYPE_PARTITION
        unsafe parts[1].u.i32 = partition
        unsafe parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS
        unsafe parts[2].u.i = RD_KAFKA_MSG_F_COPY
        return unsafe key.withCString { key in
            unsafe value.withCString { value in
                unsafe "origin".withCString { name in
                    unsafe parts[3].vtype = RD_KAFKA_VTYPE_KEY
                    unsafe parts[3].u.mem.ptr = UnsafeMutableRawPointer(mutating: key)
                    unsafe parts[3].u.mem.size = Self.length(key)
                    unsafe parts[4].vtype = RD_KAFKA_VTYPE_VALUE
                    unsafe parts[4].u.mem.ptr = UnsafeMutableRawPointer(mutating: value)
                    unsafe parts[4].u.mem.size = Self.length(value)
                    unsafe parts[5].vtype = RD_KAFKA_VTYPE_HEADER
                    unsafe parts[5].u.header.name = unsafe name
                    unsafe parts[5].u.header.val = UnsafeRawPointer(name)
                    unsafe parts[5].u.header.size = Self.length(name)
                    let error = unsafe rd_kafka_produceva(producer, parts, parts.count)
                    defer { if unsafe error != nil { unsafe rd_kafka_error_destroy(error) } }
                    return unsafe error == nil ? "ok" : String(cString: rd_kafka_error_string(error))
                }
            }
        }
    }

    private static func length(_ text: UnsafePointer<CChar>) -> Int { unsafe String(cString: text).utf8.count }

    private func said(_ status: rd_kafka_resp_err_t) -> String {
        status == RD_KAFKA_RESP_ERR_NO_ERROR ? "ok" : unsafe String(cString: rd_kafka_err2str(status))
    }
}

guard let mock = Mock() else { CurrentProcess.exit(1) }
let output = FileDescriptor(owning: 1)
try output.writeAll(Array("\(mock.address)\n".utf8))
while let line = readLine() { try output.writeAll(Array("\(mock.obey(line))\n".utf8)) }
// Its clients are cut off with it.
CurrentProcess.exit(0)
