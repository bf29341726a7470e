#if canImport(CMosquitto)
import CMosquitto
import Linux

/// One connection to an MQTT broker, with a session that the broker keeps.
///
/// The library makes the acknowledgement of a message before it hands the message over. It would send it at once, but not when it is told
/// that another thread writes (``mosquitto_threaded_set``): then it only appends to what is to be written, which nobody does here but
/// ``flush()``. So a message is acknowledged when its batch is done, and what is not comes again with the next connection.
@safe final class MosquittoConnection {
    @unsafe private let client: OpaquePointer
    private let shown: String
    private let inbox = Inbox()
    private(set) var lastWriteNanoseconds: UInt64 = 0

    /// What the library's callbacks leave; they run within ``read()``.
    fileprivate final class Inbox {
        var messages: [MosquittoMessage] = []
        var connectCode: Int32?
        var grantedQuality: Int32?
        var eventCount = 0
    }

    /// Longer than a function runs: while a batch runs nothing may be written, a sign of life neither.
    static let keepAliveSeconds: Int32 = 1200
    private static let secondsMax: UInt64 = 10

    init(_ address: BrokerAddress, client name: String, filter: String, quality: Int32) throws(BrokerError) {
        shown = address.shown
        _ = mosquitto_lib_init()
        let inbox = unsafe Unmanaged.passUnretained(inbox).toOpaque()
        guard let client = unsafe mosquitto_new(name, false, inbox) else {
            throw BrokerError("\(address.shown): no memory for a connection")
        }
        unsafe self.client = unsafe client
        _ = unsafe mosquitto_threaded_set(client, true)
        if let user = address.user { _ = unsafe mosquitto_username_pw_set(client, user, address.password) }
        unsafe Self.listen(client)
        let port = Int32(address.port ?? 1883)
        try check(unsafe mosquitto_connect(client, address.host, port, Self.keepAliveSeconds))
        Connection.watch(descriptor)
        // Before anything is read: an acknowledgement would go out with it.
        try check(unsafe mosquitto_subscribe(client, nil, filter, quality))
        try flush()
        try wait { $0.connectCode != nil }
        if let code = self.inbox.connectCode, code != 0 {
            throw BrokerError("\(shown): \(unsafe String(cString: mosquitto_connack_string(code)))")
        }
        try wait { $0.grantedQuality != nil }
        guard let granted = self.inbox.grantedQuality, granted < 128 else {
            throw BrokerError("\(shown): the broker does not let this user subscribe to '\(filter)'")
        }
    }

    deinit { unsafe mosquitto_destroy(client) }

    var descriptor: Int32 { unsafe mosquitto_socket(client) }

    /// Messages that are there, in order; it does not wait.
    func messages(_ countMax: Int) throws(BrokerError) -> [MosquittoMessage] {
        while inbox.messages.count < countMax, EventPoll.isReadable(descriptor) { try read() }
        let taken = Array(inbox.messages.prefix(countMax))
        inbox.messages.removeFirst(taken.count)
        return taken
    }

    /// Everything that was read was taken too.
    var isEmpty: Bool { inbox.messages.isEmpty }

    /// Writes what is to be written: acknowledgements of all that was read.
    func flush() throws(BrokerError) {
        let deadline = Clock.monotonicNanoseconds() + Self.secondsMax * 1_000_000_000
        while unsafe mosquitto_want_write(client) {
            try check(unsafe mosquitto_loop_write(client, 1))
            guard unsafe mosquitto_want_write(client) else { break }
            guard Clock.monotonicNanoseconds() < deadline else {
                throw BrokerError("\(shown): the broker does not read what it is sent")
            }
            Clock.sleep(milliseconds: 1)
        }
        lastWriteNanoseconds = Clock.monotonicNanoseconds()
    }

    /// A sign of life, where the broker waits for one; only while nothing waits to be acknowledged.
    func ping() throws(BrokerError) {
        try check(unsafe mosquitto_loop_misc(client))
        try flush()
    }

    private func read() throws(BrokerError) {
        let code = unsafe mosquitto_loop_read(client, 1)
        // Refused: the callback knows why.
        if let refusal = inbox.connectCode, refusal != 0 { return }
        try check(code)
    }

    private func wait(_ isThere: (Inbox) -> Bool) throws(BrokerError) {
        let deadline = Clock.monotonicNanoseconds() + Self.secondsMax * 1_000_000_000
        while !isThere(inbox) {
            guard Clock.monotonicNanoseconds() < deadline else {
                throw BrokerError("\(shown): the broker did not answer within \(Self.secondsMax) s")
            }
            if EventPoll.isReadable(descriptor) { try read() } else { Clock.sleep(milliseconds: 1) }
        }
    }

    private func check(_ code: mosq_err_t) throws(BrokerError) {
        guard code != MOSQ_ERR_SUCCESS else { return }
        throw BrokerError("\(shown): \(unsafe String(cString: mosquitto_strerror(code.rawValue)))")
    }

    private func check(_ code: Int32) throws(BrokerError) { try check(mosq_err_t(code)) }

    private static func listen(_ client: OpaquePointer) {
        unsafe mosquitto_connect_callback_set(client) { _, inbox, code in
            unsafe MosquittoConnection.inbox(inbox)?.connectCode = code
        }
        unsafe mosquitto_subscribe_callback_set(client) { _, inbox, _, count, granted in
            guard count > 0, let granted = unsafe granted else { return }
            unsafe MosquittoConnection.inbox(inbox)?.grantedQuality = unsafe granted.pointee
        }
        unsafe mosquitto_message_callback_set(client) { _, inbox, message in
            guard let message = unsafe message?.pointee else { return }
            unsafe MosquittoConnection.inbox(inbox)?.messages.append(unsafe MosquittoMessage(message))
        }
    }

    private static func inbox(_ pointer: UnsafeMutableRawPointer?) -> Inbox? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe Unmanaged<Inbox>.fromOpaque(pointer).takeUnretainedValue()
    }
}

/// One message as the broker sent it.
struct MosquittoMessage {
    let topic: String
    let payload: [UInt8]
    let quality: Int
    let isRetained: Bool

    @unsafe init(_ message: mosquitto_message) {
        // A topic that is no UTF-8 is against the protocol, and the library refuses it.
        topic = unsafe message.topic.map { unsafe String(cString: $0) } ?? ""
        let count = unsafe max(Int(message.payloadlen), 0)
        payload = unsafe message.payload.map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: count)) } ?? []
        quality = unsafe Int(message.qos)
        isRetained = unsafe message.retain
    }
}
#endif
