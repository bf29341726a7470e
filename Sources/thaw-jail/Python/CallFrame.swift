import Serving
import Wire

/// One frame on the socket of a Python worker: `u32le payload length | u8 kind | payload`.
struct CallFrame: Equatable {
    enum Kind: UInt8 {
        case invoke = 0x49
        case hello = 0x48
        /// The content type of a reply that comes as a whole.
        case contentType = 0x54
        /// The content type of a reply that comes over time.
        case stream = 0x53
        case chunk = 0x43
        case done = 0x44
        case error = 0x58
        /// A call of another function: `u8 length | function | u16le length | content type | body`.
        case nested = 0x4E
        /// What came of it: `u8 outcome | u16le length | content type | body or message`.
        case answer = 0x41
    }

    static let prefixByteCount = 5
    static let payloadBytesMax = 1024 * 1024
    /// Of a call of another function.
    static let callBytesMax = 16 * 1024 * 1024
    /// Its names included.
    static let nestedBytesMax = callBytesMax + 1024

    let kind: Kind
    let payload: [UInt8]

    /// The frame of a call, ready to be sent.
    static func invocation(_ head: [UInt8], _ body: [UInt8]) -> [UInt8] {
        let count = 2 + head.count + body.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefixByteCount + count)
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
        bytes.append(Kind.invoke.rawValue)
        bytes.append(UInt8(truncatingIfNeeded: head.count))
        bytes.append(UInt8(truncatingIfNeeded: head.count >> 8))
        bytes.append(contentsOf: head)
        bytes.append(contentsOf: body)
        return bytes
    }
}

extension CallFrame {
    /// The call of another function that a frame carries.
    static func outgoing(_ payload: [UInt8]) throws(CallFrameError) -> OutgoingCall {
        let problem = CallFrameError(problem: "a call of another function that ends too early")
        guard let nameCount = payload.first.map(Int.init), payload.count >= 3 + nameCount else { throw problem }
        let typeStart = 3 + nameCount
        let typeCount = Int(payload[nameCount + 1]) | Int(payload[nameCount + 2]) << 8
        guard typeCount <= WireLimits.contentTypeBytesMax, payload.count >= typeStart + typeCount,
            let function = String(validating: payload[1...nameCount], as: UTF8.self),
            let type = String(validating: payload[typeStart..<typeStart + typeCount], as: UTF8.self)
        else { throw problem }
        return OutgoingCall(function: function, contentType: type, body: Array(payload[(typeStart + typeCount)...]))
    }

    /// The frame that answers it, ready to be sent; nil where nobody waits any more.
    static func answer(_ reply: OutgoingReply) -> [UInt8]? {
        let (outcome, type, body): (UInt8, String, [UInt8])
        switch reply {
        case .reply(let contentType, let content): (outcome, type, body) = (0, contentType, content)
        case .failure(let code, let message): (outcome, type, body) = (UInt8(code.rawValue), "", Array(message.utf8))
        case .ended: return nil
        }
        let count = 3 + type.utf8.count + body.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefixByteCount + count)
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
        bytes.append(Kind.answer.rawValue)
        bytes.append(outcome)
        bytes.append(UInt8(truncatingIfNeeded: type.utf8.count))
        bytes.append(UInt8(truncatingIfNeeded: type.utf8.count >> 8))
        bytes.append(contentsOf: type.utf8)
        bytes.append(contentsOf: body)
        return bytes
    }
}

/// A frame that the contract does not have.
struct CallFrameError: Error, Equatable {
    let problem: String
}

/// Takes the bytes of a worker's socket apart, however they are cut.
struct CallFrameReader {
    private var bytes: [UInt8] = []
    private var position = 0

    mutating func append(_ piece: [UInt8]) {
        if position == bytes.count {
            bytes = piece
        } else {
            bytes.removeFirst(position)
            bytes.append(contentsOf: piece)
        }
        position = 0
    }

    /// The next frame, nil until all of it is there.
    mutating func next() throws(CallFrameError) -> CallFrame? {
        guard bytes.count - position >= CallFrame.prefixByteCount else { return nil }
        let count = (0..<4).reversed().reduce(0) { $0 << 8 | Int(bytes[position + $1]) }
        let isNested = bytes[position + 4] == CallFrame.Kind.nested.rawValue
        guard count <= (isNested ? CallFrame.nestedBytesMax : CallFrame.payloadBytesMax) else {
            throw CallFrameError(problem: "a frame of \(count) bytes, more than the contract allows")
        }
        guard let kind = CallFrame.Kind(rawValue: bytes[position + 4]), kind != .invoke, kind != .answer else {
            throw CallFrameError(problem: "a frame of an unknown kind, \(bytes[position + 4])")
        }
        let start = position + CallFrame.prefixByteCount
        guard bytes.count - start >= count else { return nil }
        position = start + count
        return CallFrame(kind: kind, payload: Array(bytes[start..<position]))
    }
}
