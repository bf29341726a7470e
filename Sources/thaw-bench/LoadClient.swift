import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A closed loop of HTTP/1.1 calls: each connection sends its next request when it has the reply to the last.
///
/// One event loop, so that one core of two is left to the server.
struct LoadClient: Sendable {
    let host = "127.0.0.1"
    let port: Int
    let path: String
    let body: String

    /// What one run of it saw.
    struct Outcome: Sendable {
        /// Nanoseconds from the first byte of a request to the end of its reply.
        var latencies: [UInt64] = []
        var seconds: Double = 0

        var callsPerSecond: Double { seconds == 0 ? 0 : Double(latencies.count) / seconds }
        var medianMicroseconds: Double { Sample(latencies.map { Double($0) / 1000 }).median }
    }

    func run(connections: Int, seconds: Double, on group: any EventLoopGroup) async throws -> Outcome {
        let loop = group.next()
        let deadline = NIODeadline.now() + .nanoseconds(Int64(seconds * 1e9))
        let begin = NIODeadline.now()
        let latencies = try await withThrowingTaskGroup(of: [UInt64].self) { tasks in
            for _ in 0..<connections {
                tasks.addTask { try await connection(until: deadline, on: loop) }
            }
            return try await tasks.reduce(into: []) { $0 += $1 }
        }
        let elapsed = NIODeadline.now() - begin
        return Outcome(latencies: latencies, seconds: Double(elapsed.nanoseconds) / 1e9)
    }

    private func connection(until deadline: NIODeadline, on loop: any EventLoop) async throws -> [UInt64] {
        let done = loop.makePromise(of: [UInt64].self)
        let (path, body, host, port) = (path, body, host, port)
        let channel = try await ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        ClosedLoopHandler(
                            path: path,
                            host: "\(host):\(port)",
                            body: ByteBuffer(string: body),
                            deadline: deadline,
                            done: done
                        )
                    )
                }
            }
            .connect(host: host, port: port)
            .get()
        let latencies = try await done.futureResult.get()
        try await channel.close()
        return latencies
    }
}

/// Why a load run is worth nothing.
enum LoadError: Error, CustomStringConvertible {
    case status(UInt, body: String)
    case closed

    var description: String {
        switch self {
        case .status(let status, let body): "a call was answered with \(status): \(body)"
        case .closed: "the server closed a connection in the middle of the run"
        }
    }
}

private final class ClosedLoopHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let head: HTTPRequestHead
    private let body: ByteBuffer
    private let deadline: NIODeadline
    private let done: EventLoopPromise<[UInt64]>
    private var latencies: [UInt64] = []
    private var sentAt = NIODeadline.now()
    private var status: UInt = 200
    private var reply = ByteBuffer()

    init(path: String, host: String, body: ByteBuffer, deadline: NIODeadline, done: EventLoopPromise<[UInt64]>) {
        let headers: HTTPHeaders = [
            "host": host, "content-type": "application/json", "content-length": "\(body.readableBytes)",
        ]
        head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: headers)
        self.body = body
        self.deadline = deadline
        self.done = done
    }

    func channelActive(context: ChannelHandlerContext) {
        send(context)
    }

    private func send(_ context: ChannelHandlerContext) {
        sentAt = .now()
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = head.status.code
            reply.clear()
        case .body(var piece):
            if status != 200 { reply.writeBuffer(&piece) }
        case .end:
            guard status == 200 else { return done.fail(LoadError.status(status, body: String(buffer: reply))) }
            let now = NIODeadline.now()
            latencies.append(UInt64((now - sentAt).nanoseconds))
            if now < deadline { send(context) } else { done.succeed(latencies) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // After success the promise has been kept, and this changes nothing.
        done.fail(LoadError.closed)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }
}
