#if canImport(CHiredis)
import CHiredis
import Linux

/// What Redis answered.
enum RedisReply: Equatable {
    case bytes([UInt8])
    case integer(Int64)
    case list([RedisReply])
    case none
    case failure(String)
}

/// One connection to Redis.
@safe final class RedisConnection {
    @unsafe private let context: UnsafeMutablePointer<redisContext>
    private let shown: String

    private static let secondsMax: Int32 = 10

    init(_ address: BrokerAddress) throws(BrokerError) {
        shown = address.shown
        guard let context = unsafe thaw_redis_connect(address.host, Int32(address.port ?? 6379), Self.secondsMax) else {
            throw BrokerError("\(address.shown): no memory for a connection")
        }
        unsafe self.context = unsafe context
        if unsafe context.pointee.err != 0 { throw failure() }
        if let password = address.password {
            let user = address.user.map { $0.isEmpty ? [] : [$0] } ?? []
            try order(["AUTH"] + user + [password])
        }
        if !address.path.isEmpty { try order(["SELECT", address.path]) }
    }

    deinit { unsafe redisFree(context) }

    var descriptor: Int32 { unsafe context.pointee.fd }

    /// Sends a command and waits for its answer.
    func ask(_ words: [String]) throws(BrokerError) -> RedisReply {
        try send(words)
        return try reply()
    }

    private func order(_ words: [String]) throws(BrokerError) {
        if case .failure(let message) = try ask(words) {
            throw BrokerError("\(shown): \(words[0]) was refused: \(message)")
        }
    }

    /// Sends a command whose answer comes later.
    func send(_ words: [String]) throws(BrokerError) {
        var command = Array("*\(words.count)\r\n".utf8)
        for word in words { command += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        let status = unsafe command.withUnsafeBytes { bytes in
            unsafe redisAppendFormattedCommand(
                context,
                bytes.assumingMemoryBound(to: CChar.self).baseAddress,
                bytes.count
            )
        }
        guard status == REDIS_OK else { throw failure() }
        var isDone: Int32 = 0
        while isDone == 0 {
            guard unsafe redisBufferWrite(context, &isDone) == REDIS_OK else { throw failure() }
        }
    }

    private func reply() throws(BrokerError) -> RedisReply {
        var answer: UnsafeMutableRawPointer?
        guard unsafe redisGetReply(context, &answer) == REDIS_OK, let answer = unsafe answer else { throw failure() }
        defer { unsafe freeReplyObject(answer) }
        return unsafe Self.read(answer.assumingMemoryBound(to: redisReply.self))
    }

    /// The answer that was waited for; nil where it is not there yet.
    ///
    /// It reads what the socket has, and never waits for more.
    func replyIfThere() throws(BrokerError) -> RedisReply? {
        var answer: UnsafeMutableRawPointer?
        guard unsafe redisGetReplyFromReader(context, &answer) == REDIS_OK else { throw failure() }
        if unsafe answer == nil {
            guard EventPoll.isReadable(descriptor) else { return nil }
            guard unsafe redisBufferRead(context) == REDIS_OK,
                unsafe redisGetReplyFromReader(context, &answer) == REDIS_OK
            else { throw failure() }
        }
        guard let answer = unsafe answer else { return nil }
        defer { unsafe freeReplyObject(answer) }
        return unsafe Self.read(answer.assumingMemoryBound(to: redisReply.self))
    }

    private func failure() -> BrokerError {
        let message = unsafe withUnsafeBytes(of: &context.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return BrokerError("\(shown): \(message.isEmpty ? "the connection is lost" : message)")
    }

    private static func read(_ reply: UnsafeMutablePointer<redisReply>) -> RedisReply {
        let count = unsafe reply.pointee.len
        var bytes: [UInt8] {
            guard let text = unsafe reply.pointee.str else { return [] }
            return unsafe Array(UnsafeRawBufferPointer(start: text, count: count))
        }
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: return .bytes(bytes)
        case REDIS_REPLY_ERROR: return .failure(String(decoding: bytes, as: UTF8.self))
        case REDIS_REPLY_INTEGER: return unsafe .integer(reply.pointee.integer)
        case REDIS_REPLY_ARRAY:
            var elements: [RedisReply] = []
            for index in unsafe 0..<reply.pointee.elements {
                guard let element = unsafe reply.pointee.element[index] else { continue }
                unsafe elements.append(read(element))
            }
            return .list(elements)
        default: return .none
        }
    }
}
#endif
