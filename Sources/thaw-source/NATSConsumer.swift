#if canImport(CNats)
import CNats
import Linux
import Synchronization

/// One message as JetStream gave it out, to be acknowledged.
@safe final class NATSMessage: @unchecked Sendable {  // Safe: one thread has it at a time.
    @unsafe private let message: OpaquePointer

    init(owning message: OpaquePointer) {
        unsafe self.message = unsafe message
    }

    deinit { unsafe natsMsg_Destroy(message) }

    struct Delivery {
        var stream = ""
        /// Of the message in its stream.
        var sequence: UInt64 = 0
        /// How often it was given out, this time included.
        var count = 1
        var unixNanoseconds: Int64 = 0
    }

    /// Nil where it is none of JetStream's.
    var delivery: Delivery? {
        var data: UnsafeMutablePointer<jsMsgMetaData>?
        guard unsafe natsMsg_GetMetaData(&data, message) == NATS_OK, let data = unsafe data else { return nil }
        defer { unsafe jsMsgMetaData_Destroy(data) }
        return unsafe Delivery(
            stream: data.pointee.Stream.map { unsafe String(cString: $0) } ?? "",
            sequence: data.pointee.Sequence.Stream,
            count: Int(clamping: data.pointee.NumDelivered),
            unixNanoseconds: data.pointee.Timestamp
        )
    }

    var subject: String { unsafe natsMsg_GetSubject(message).map { unsafe String(cString: $0) } ?? "" }

    var bytes: [UInt8] {
        guard let start = unsafe natsMsg_GetData(message) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: Int(natsMsg_GetDataLength(message))))
    }

    /// A name may have several values.
    var headers: [(name: String, values: [String])] {
        var keys: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        var count: Int32 = 0
        guard unsafe natsMsgHeader_Keys(message, &keys, &count) == NATS_OK, let keys = unsafe keys else { return [] }
        defer { unsafe thaw_nats_free(keys) }
        return (0..<Int(count)).compactMap { index in
            guard let key = unsafe keys[index] else { return nil }
            var values: UnsafeMutablePointer<UnsafePointer<CChar>?>?
            var valueCount: Int32 = 0
            guard unsafe natsMsgHeader_Values(message, key, &values, &valueCount) == NATS_OK,
                let values = unsafe values
            else { return nil }
            defer { unsafe thaw_nats_free(values) }
            let texts = (0..<Int(valueCount)).compactMap { unsafe values[$0].map { unsafe String(cString: $0) } }
            return unsafe (String(cString: key), texts)
        }
    }

    // What these send is on its way when the connection is flushed.

    func acknowledge() -> natsStatus { unsafe natsMsg_Ack(message, nil) }
    func putBack(afterMilliseconds: Int) -> natsStatus {
        unsafe afterMilliseconds > 0
            ? natsMsg_NakWithDelay(message, Int64(afterMilliseconds), nil) : natsMsg_Nak(message, nil)
    }
    /// Its time begins anew.
    func extend() -> natsStatus { unsafe natsMsg_InProgress(message, nil) }
}

/// A durable pull consumer of a stream: the face of libnats.
///
/// Fetching waits, so a thread does it, for one request at a time; it rings when something is there.
@safe final class NATSConsumer: @unchecked Sendable {  // Safe: its pointers lead to what the library locks.
    @unsafe private let connection: OpaquePointer
    @unsafe private let context: OpaquePointer
    @unsafe private let subscription: OpaquePointer
    private let stream: String
    private let durable: String
    private let shown: String
    /// How long the server waits for an acknowledgement before it gives a message out again.
    let patienceNanoseconds: UInt64
    let bell: FileDescriptor
    private let orders: FileDescriptor
    private let state = Mutex(State())

    private struct State {
        var isFetching = false
        var fetched: [NATSMessage] = []
        var failure: String?
    }

    private static let answerMilliseconds: Int64 = 10_000
    /// A request for messages is made anew after this long, so that a server that forgot it is asked again.
    private static let expiryNanoseconds: Int64 = 60_000_000_000
    /// Of a consumer that is made here: what a node held that died comes again after it, and what a living one holds is extended in time.
    private static let patienceNanosecondsDefault: Int64 = 10_000_000_000

    init(_ settings: NATSSettings, shown: String) throws(BrokerError) {
        self.shown = shown
        stream = settings.stream
        durable = settings.durable
        let orders: DescriptorPair
        do throws(SystemError) {
            bell = try FileDescriptor.doorbell()
            orders = try DescriptorPair.pipe()
        } catch {
            throw BrokerError("\(shown): no doorbell: \(error)")
        }
        let ordersTheirs = orders.first
        self.orders = orders.second
        let opened = try NATSOpening(settings, shown: shown, patienceNanoseconds: Self.patienceNanosecondsDefault)
        unsafe connection = opened.connection
        unsafe context = opened.context
        unsafe subscription = opened.subscription
        patienceNanoseconds = opened.patienceNanoseconds
        try start(ordersTheirs)
    }

    /// The thread holds this object: it lives until the program ends.
    private func start(_ orders: consuming FileDescriptor) throws(BrokerError) {
        let number = orders.take()
        do throws(SystemError) {
            try Thread.start(named: "fetch") { [self] in
                let orders = FileDescriptor(owning: number)
                while let order = try? orders.read(countMax: 4), order.count == 4 {
                    let countMax = order.reduce(0) { $0 << 8 | Int($1) }
                    let failure = fetch(countMax)
                    state.withLock { state in
                        state.isFetching = false
                        state.failure = state.failure ?? failure
                    }
                    try? bell.ring()
                }
            }
        } catch {
            throw BrokerError("\(shown): no thread to fetch with: \(error)")
        }
    }

    // MARK: Fetching

    /// What was fetched; none where nothing was, and then the bell rings when there is something.
    func messages(_ countMax: Int) throws(BrokerError) -> [NATSMessage] {
        let (messages, failure, isIdle) = state.withLock { state in
            let messages = Array(state.fetched.prefix(countMax))
            state.fetched.removeFirst(messages.count)
            let isIdle = messages.isEmpty && !state.isFetching
            if isIdle { state.isFetching = true }
            return (messages, state.failure, isIdle)
        }
        if messages.isEmpty, let failure { throw BrokerError("\(shown): \(failure)") }
        if isIdle {
            let count = UInt32(clamping: countMax)
            do throws(SystemError) {
                try orders.writeAll([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) })
            } catch {
                throw BrokerError("\(shown): \(error)")
            }
        }
        return messages
    }

    /// Fetched and not taken yet: they need their time extended too.
    var waiting: [NATSMessage] { state.withLock { $0.fetched } }

    /// Waits for the first message and takes what is there with it.
    ///
    /// - Returns: what went wrong.
    private func fetch(_ countMax: Int) -> String? {
        let here = request(countMax, waits: false)
        if here.count > 0 || here.failure != nil { return here.failure }
        while true {
            let first = request(1, waits: true)
            if let failure = first.failure { return failure }
            guard first.count > 0 else { continue }
            return countMax > 1 ? request(countMax - 1, waits: false).failure : nil
        }
    }

    private func request(_ countMax: Int, waits: Bool) -> (count: Int, failure: String?) {
        var request = jsFetchRequest()
        unsafe jsFetchRequest_Init(&request)
        request.Batch = Int32(clamping: countMax)
        request.NoWait = !waits
        request.Expires = waits ? Self.expiryNanoseconds : Self.answerMilliseconds * 1_000_000
        var list = unsafe natsMsgList()
        let status = unsafe natsSubscription_FetchRequest(&list, subscription, &request)
        guard status == NATS_OK else {
            let isEmpty = status == NATS_TIMEOUT || status == NATS_NOT_FOUND
            return (0, isEmpty ? nil : NATSOpening.text(status))
        }
        defer { unsafe natsMsgList_Destroy(&list) }
        var messages: [NATSMessage] = []
        for index in unsafe 0..<Int(list.Count) {
            guard let message = unsafe list.Msgs[index] else { continue }
            // It is ours now: the list does not destroy it.
            unsafe list.Msgs[index] = nil
            unsafe messages.append(NATSMessage(owning: message))
        }
        state.withLock { $0.fetched += messages }
        try? bell.ring()
        return (messages.count, nil)
    }

    // MARK: Answers

    /// Sends what was acknowledged and put back, and waits until the server has read it.
    func flush() throws(BrokerError) {
        let status = unsafe natsConnection_FlushTimeout(connection, Self.answerMilliseconds)
        guard status == NATS_OK else { throw BrokerError("\(shown): \(NATSOpening.text(status))") }
    }

    /// Messages that no consumer has yet and those that are given out.
    func backlog() -> Int? {
        var info: UnsafeMutablePointer<jsConsumerInfo>?
        var code = jsErrCode(rawValue: 0)
        guard unsafe js_GetConsumerInfo(&info, context, stream, durable, nil, &code) == NATS_OK,
            let info = unsafe info
        else { return nil }
        defer { unsafe jsConsumerInfo_Destroy(info) }
        return unsafe Int(clamping: info.pointee.NumPending) + Int(clamping: info.pointee.NumAckPending)
    }
}
#endif
