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
    }

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
    private var lastHead: (bytes: [UInt8], contentType: String)?

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
            let contentType = try contentType(try unsafe bytes(header.payloadCount, payload))
            reply = WorkReply(contentType: contentType, body: ByteBuffer())
            (state, invocation, creditUsed) = (.replying, header.invocation, 0)
            return .more
        case (.replying, .chunk) where invocation == header.invocation:
            return try unsafe append(header.payloadCount, payload)
        case (.waiting, .close) where header.code != 0:
            return try unsafe failure(header, payload)
        case (.replying, .close) where invocation == header.invocation && header.code != 0:
            return try unsafe failure(header, payload)
        case (.replying, .close) where invocation == header.invocation && header.payloadCount == 0:
            guard let whole = reply.take() else { preconditionFailure("a reply is put together while replying") }
            state = .waiting
            return .answered(invocation: invocation, .success(whole))
        default:
            throw ReplyError.outOfOrder(header.kind)
        }
    }

    private mutating func contentType(_ bytes: [UInt8]) throws(WireError) -> String {
        if let lastHead, lastHead.bytes == bytes { return lastHead.contentType }
        let contentType = try ReplyHead(parsing: bytes).contentType
        lastHead = (bytes, contentType)
        return contentType
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
        return .answered(invocation: header.invocation, .failure(.answered(code, message: message)))
    }

    private func bytes(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws -> [UInt8] {
        try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            try unsafe fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
            filled = count
        }
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
