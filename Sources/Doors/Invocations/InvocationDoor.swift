import Invoking
import NIOCore
import Registry

/// `POST /functions/{name}/invocations[?qualifier=]`, and the paths that functions have chosen: body in, body out.
///
/// What one connection's ``InvocationLane`` asks for; it keeps the order, this knows what a call is.
final class InvocationDoor: Sendable {
    private let policy: AccessPolicy
    private let services: DoorServices
    let date: ReplyDate

    init(policy: AccessPolicy, services: DoorServices, date: ReplyDate) {
        self.policy = policy
        self.services = services
        self.date = date
    }

    /// The function that has chosen this path.
    func route(_ path: String) -> String? {
        services.registry.route(path: path)
    }

    /// Refuses, before its body is read, what must not or cannot become a call.
    func admit(_ head: InvocationHead) throws(Refusal) -> PendingCall {
        if let refusal = policy.refusal(of: head.presented) { throw refusal }
        let bytesMax: Int
        do throws(Failure) {
            bytesMax = try services.payloadBytesMax(head.function, head.qualifier)
        } catch {
            throw Replies.refusal(for: error)
        }
        return try PendingCall(head, bytesMax: bytesMax)
    }

    /// What is still to come of a request that is refused at its head.
    func leftover(of head: InvocationHead) -> Leftover {
        // A client that waits for our word may send the body after a refusal, or not: nobody can tell where the next
        // request begins.
        if head.isChunked { return .long }
        guard let announced = try? BodyAllowance.announced(head.contentLength) else {
            return head.contentLength == nil ? .short : .long
        }
        if announced > 0, head.isContinueAwaited { return .long }
        return announced > DoorLimits.leftoverBytesMax ? .long : .short
    }

    enum Leftover {
        /// Less to read than to open the connection again.
        case short
        case long
    }

    func invoke(_ call: Call, _ loop: any EventLoop, completion: @escaping @Sendable (Completion) -> Void) {
        services.invoke(call, loop, completion)
    }
}

/// A call whose body is being read.
final class PendingCall {
    private(set) var call: Call
    let isLast: Bool
    private var allowance: BodyAllowance

    init(_ head: InvocationHead, bytesMax: Int) throws(Refusal) {
        allowance = try BodyAllowance(
            bytesAnnounced: try BodyAllowance.announced(head.contentLength),
            bytesMax: bytesMax
        )
        isLast = head.isLast
        call = Call(
            function: head.function,
            qualifier: head.qualifier,
            contentType: head.contentType ?? "application/octet-stream",
            body: ByteBuffer()
        )
    }

    func take(_ piece: ByteBuffer) throws(Refusal) {
        try allowance.take(bytes: piece.readableBytes)
        // A body in one piece stays where the socket put it.
        guard call.body.readableBytes > 0 else {
            call.body = piece
            return
        }
        if call.body.writableBytes < piece.readableBytes, let announced = allowance.bytesAnnounced {
            call.body.reserveCapacity(announced)
        }
        call.body.writeImmutableBuffer(piece)
    }

    func end() throws(Refusal) {
        try allowance.end()
    }
}
