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
    }

    static let prefixByteCount = 5
    static let payloadBytesMax = 1024 * 1024

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
        guard count <= CallFrame.payloadBytesMax else {
            throw CallFrameError(problem: "a frame of \(count) bytes, more than the contract allows")
        }
        guard let kind = CallFrame.Kind(rawValue: bytes[position + 4]), kind != .invoke else {
            throw CallFrameError(problem: "a frame of an unknown kind, \(bytes[position + 4])")
        }
        let start = position + CallFrame.prefixByteCount
        guard bytes.count - start >= count else { return nil }
        position = start + count
        return CallFrame(kind: kind, payload: Array(bytes[start..<position]))
    }
}
