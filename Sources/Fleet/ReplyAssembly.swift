import NIOCore
import Wire

/// Puts replies together from a worker's frames.
///
/// ```
///            ready            open                  close
///  booting ───────► waiting ───────► replying ─────────────► (an answer) ─► waiting
///                      │ close, code ≠ 0    │ chunk: the body grows, credit is granted
///                      └► (a failure)       └► replying
/// ```
/// What a worker sends is untrusted: every order of frames that the contract does not have is refused, and whoever
/// sent it is given up.
struct ReplyAssembly {
    /// What a frame led to.
    enum Step {
        case more
        case ready
        case answered(invocation: UInt64, Result<WorkReply, WorkFailure>)
        /// So many bytes of the reply have been taken: the worker may send as many more.
        case grant(invocation: UInt64, bytes: Int)
        /// The reply is a stream; its pieces follow.
        case began(invocation: UInt64, contentType: String)
        /// A piece of it, for which credit is granted when it has been taken.
        case piece(invocation: UInt64, ByteBuffer)
    }

    /// Calls whose callers take a stream.
    private var streams: Set<UInt64> = []
    private var isStreaming = false

    private enum State {
        case booting
        case waiting
        case replying
    }

    private var state = State.booting
    /// Of the reply that is being put together; it lies beside the state, so that it grows in place.
    private var invocation: UInt64 = 0
    private var reply: WorkReply?
    private var creditUsed = 0
    /// Replies of one function mostly say the same: the text is made once.
    private var lastHead: (bytes: [UInt8], head: ReplyHead)?

    /// Call before the worker can have answered it.
    mutating func expectStream(_ invocation: UInt64) {
        streams.insert(invocation)
    }

    /// - Parameter payload: fills the memory that it is given with the frame's payload, copied once.
    mutating func take(
        _ header: FrameHeader,
        payload: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> Step {
        switch (state, header.kind) {
        case (.booting, .ready) where header.payloadCount == 0:
            state = .waiting
            return .ready
        case (.waiting, .open):
            let head = try head(try unsafe bytes(header.payloadCount, payload))
            reply = WorkReply(contentType: head.contentType, body: ByteBuffer())
            (state, invocation, creditUsed) = (.replying, header.invocation, 0)
            isStreaming = head.isStreamed && streams.contains(invocation)
            guard isStreaming else { return .more }
            reply?.streamedByteCount = 0
            return .began(invocation: invocation, contentType: head.contentType)
        case (.replying, .chunk) where invocation == header.invocation && isStreaming:
            return try unsafe piece(header.payloadCount, payload)
        case (.replying, .chunk) where invocation == header.invocation:
            return try unsafe append(header.payloadCount, payload)
        case (.waiting, .close) where header.code != 0:
            return try unsafe failure(header, payload)
        case (.replying, .close) where invocation == header.invocation && header.code != 0:
            return try unsafe failure(header, payload)
        case (.replying, .close) where invocation == header.invocation && header.payloadCount == 0:
            guard let whole = reply.take() else { preconditionFailure("a reply is put together while replying") }
            state = .waiting
            forget(invocation)
            return .answered(invocation: invocation, .success(whole))
        default:
            throw ReplyError.outOfOrder(header.kind)
        }
    }

    private mutating func head(_ bytes: [UInt8]) throws(WireError) -> ReplyHead {
        if let lastHead, lastHead.bytes == bytes { return lastHead.head }
        let head = try ReplyHead(parsing: bytes)
        lastHead = (bytes, head)
        return head
    }

    private mutating func forget(_ invocation: UInt64) {
        if !streams.isEmpty { streams.remove(invocation) }
    }

    private mutating func failure(
        _ header: FrameHeader,
        _ payload: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws -> Step {
        guard let code = WorkerFailureCode(rawValue: header.code) else {
            throw WireError.unknownKind(UInt8(truncatingIfNeeded: header.code))
        }
        guard header.payloadCount <= WireLimits.failureMessageBytesMax else {
            throw WireError.tooLong(header.payloadCount)
        }
        let words = try unsafe bytes(header.payloadCount, payload)
        guard let message = String(validating: words, as: UTF8.self) else { throw WireError.notText }
        state = .waiting
        reply = nil
        forget(header.invocation)
        return .answered(invocation: header.invocation, .failure(.answered(code, message: message)))
    }

    private func bytes(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws -> [UInt8] {
        try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            try unsafe fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
            filled = count
        }
    }

    private mutating func piece(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws -> Step {
        guard count > 0 else { throw ReplyError.emptyChunk }
        var piece = ByteBuffer()
        try unsafe piece.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            try unsafe fill(UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
            return count
        }
        reply?.streamedByteCount? += count
        return .piece(invocation: invocation, piece)
    }

    private mutating func append(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws -> Step {
        // Frames that bring nothing would never reach the limit of a reply: an event loop could be kept busy by them.
        guard count > 0 else { throw ReplyError.emptyChunk }
        guard (reply?.body.readableBytes ?? 0) + count <= FleetLimits.replyBytesMax else { throw ReplyError.tooLong }
        try unsafe reply?.body.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            try unsafe fill(UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
            return count
        }
        creditUsed += count
        guard creditUsed >= FleetLimits.creditStepBytes else { return .more }
        defer { creditUsed = 0 }
        return .grant(invocation: invocation, bytes: creditUsed)
    }
}

/// A frame or a reply that the contract does not have; stands after "it sent".
enum ReplyError: Error, Equatable, CustomStringConvertible {
    case tooLong
    case emptyChunk
    case outOfOrder(FrameHeader.Kind)

    var description: String {
        switch self {
        case .tooLong: "a reply of more than \(FleetLimits.replyBytesMax) bytes"
        case .emptyChunk: "a chunk frame with nothing in it"
        case .outOfOrder(let kind): "a \(kind) frame that nothing led up to"
        }
    }
}
