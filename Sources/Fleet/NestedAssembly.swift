package import NIOCore
package import Wire

/// A call that a worker asks for.
package struct NestedRequest: Sendable {
    package var function: String
    package var contentType: String
    package var body: ByteBuffer
}

/// What it is told.
package enum NestedReply: Sendable {
    case reply(WorkReply)
    case failure(NestedFailure, message: String)
}

/// Runs a call that a worker asks for in the middle of its own; the reply is given once, on any thread.
package typealias NestedRunner =
    @Sendable (_ request: NestedRequest, _ reply: @escaping @Sendable (NestedReply) -> Void) -> Void

/// Puts the calls that a worker asks for together from its frames; what the contract does not have is refused.
struct NestedAssembly {
    struct Order {
        var number: UInt64
        var parent: UInt64
        var request: NestedRequest
    }

    private struct Partial {
        var head: NestedHead
        var body: ByteBuffer
    }

    /// Begun, and not whole.
    private var partial: [UInt64: Partial] = [:]
    /// Whole, and not answered.
    private var open: Set<UInt64> = []
    private var byteCount = 0

    /// - Returns: a call that this frame completes.
    mutating func take(_ header: FrameHeader, _ payload: ByteBuffer) throws -> Order? {
        let number = header.invocation
        switch header.kind {
        case .open:
            guard partial[number] == nil, !open.contains(number) else { throw NestedError.outOfOrder(header.kind) }
            guard partial.count + open.count < NestedCall.openMax else { throw NestedError.tooMany }
            let head = try NestedHead(parsing: Array(payload.readableBytesView))
            partial[number] = Partial(head: head, body: ByteBuffer())
            return nil
        case .chunk:
            guard let index = partial.index(forKey: number), payload.readableBytes > 0 else {
                throw NestedError.outOfOrder(header.kind)
            }
            byteCount += payload.readableBytes
            // Of all that it has begun together: a worker cannot fill the scheduler with halves.
            guard byteCount <= NestedCall.bodyBytesMax,
                partial.values[index].body.readableBytes + payload.readableBytes
                    <= Int(partial.values[index].head.bodyCount)
            else { throw NestedError.tooLong }
            partial.values[index].body.writeImmutableBuffer(payload)
            return nil
        case .close where header.code == 0 && header.payloadCount == 0:
            guard let whole = partial.removeValue(forKey: number),
                whole.body.readableBytes == Int(whole.head.bodyCount)
            else { throw NestedError.outOfOrder(header.kind) }
            byteCount -= whole.body.readableBytes
            open.insert(number)
            let request = NestedRequest(
                function: whole.head.function,
                contentType: whole.head.contentType,
                body: whole.body
            )
            return Order(number: number, parent: whole.head.parent, request: request)
        default:
            throw NestedError.outOfOrder(header.kind)
        }
    }

    mutating func noteAnswered(_ number: UInt64) {
        open.remove(number)
    }
}

/// What a worker did with a call of its own that the contract does not have; stands after "it sent".
enum NestedError: Error, Equatable, CustomStringConvertible {
    case outOfOrder(FrameHeader.Kind)
    case tooMany
    case tooLong

    var description: String {
        switch self {
        case .outOfOrder(let kind): "a \(kind) frame of a call of its own that nothing led up to"
        case .tooMany: "more than \(NestedCall.openMax) calls of its own at a time"
        case .tooLong: "calls of its own of more than \(NestedCall.bodyBytesMax) bytes, or longer than they said"
        }
    }
}
