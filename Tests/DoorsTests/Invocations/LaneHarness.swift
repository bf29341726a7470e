import Foundation
import Invoking
import Logging
import Metering
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Registry
import Scheduling
import Secrets
import Synchronization
import Testing

@testable import Doors

/// One connection without a socket, in virtual time: the parser, the lane, and a stand-in for the router behind it.
final class LaneHarness {
    let channel: EmbeddedChannel
    let router = StandInRouter()
    let socket = StandInSocket()
    private let held: HeldCalls

    /// Calls that were begun and not answered, in order.
    final class HeldCalls: Sendable {
        typealias Held = (call: Call, answer: @Sendable (Completion) -> Void)

        let state = Mutex<[Held]>([])
    }

    /// Runs `body` on one thread, as the embedded loop wants it.
    static func run(
        _ options: DoorHarness.Options = DoorHarness.Options(),
        _ body: (LaneHarness) throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/lane-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let registry = try Registry(path: directory + "/registry.sqlite")
        let manifest = DoorHarness.manifest("echo", route: "/custom/echo")
        _ = try await registry.deploy(manifest: manifest, snapshot: DoorHarness.snapshot)
        let ledger = try Ledger(directory: directory, node: "test")
        var services = DoorHarness.services(
            options,
            registry,
            try SecretStore(directory: directory),
            ledger,
            FunctionLogs(),
            DoorHarness.Seen()
        )
        let held = HeldCalls()
        services.invoke = { call, _, answer in
            held.state.withLock { $0.append((call, answer)) }
        }
        let door = InvocationDoor(
            policy: try AccessPolicy(listen: #require(ListenAddress("127.0.0.1:1")), token: nil),
            services: services,
            date: ReplyDate()
        )
        let harness = try LaneHarness(door, held)
        try body(harness)
        _ = try? harness.channel.finish(acceptAlreadyClosed: true)
        try await ledger.close()
    }

    private init(_ door: InvocationDoor, _ held: HeldCalls) throws {
        self.held = held
        channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(socket)
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false,
            withErrorHandling: false,
            withOutboundHeaderValidation: false
        )
        try pipeline.addHandlers([InvocationLane(door: door), router])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    // MARK: The client

    func send(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    func call(_ body: String = "x", headers: String = "") throws {
        try send(Self.request(body, headers: headers))
    }

    static func request(_ body: String = "x", function: String = "echo", headers: String = "") -> String {
        "POST /functions/\(function)/invocations HTTP/1.1\r\nHost: localhost\r\n\(headers)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    static let routed = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Everything that was sent since the last time.
    func received() throws -> String {
        var text = ""
        while let piece = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: piece) }
        return text
    }

    func statuses() throws -> [Int] {
        try received().components(separatedBy: "HTTP/1.1 ").dropFirst().compactMap { Int($0.prefix(3)) }
    }

    func halfClose() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    func drain() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }

    // MARK: The function

    var running: [Call] { held.state.withLock { $0.map(\.call) } }

    /// Answers the call that was begun first.
    func answer(_ result: Result<Reply, Failure>? = nil) {
        let first = held.state.withLock { $0.removeFirst() }
        let reply = Reply(contentType: first.call.contentType, body: first.call.body)
        let completion = Completion(
            id: .generated(),
            start: .hot,
            queueNanoseconds: 1000,
            bindNanoseconds: 0,
            runNanoseconds: 5000,
            result: result ?? .success(reply)
        )
        first.answer(completion)
        channel.embeddedEventLoop.run()
    }
}

/// Notes what came through to the router, and answers when it is told to.
final class StandInRouter: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private(set) var paths: [String] = []
    private(set) var ends = 0
    private(set) var errors = 0
    private(set) var hasInputClosed = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): paths.append(head.uri)
        case .body: break
        case .end: ends += 1
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        errors += 1
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { hasInputClosed = true }
    }

    func answer(_ status: HTTPResponseStatus = .ok, headers: HTTPHeaders = ["content-length": "0"]) {
        guard let context else { return }
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// What the embedded channel does not have of a socket: it counts reads, and can close in one direction only.
final class StandInSocket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private(set) var readCount = 0
    private(set) var isOutputClosed = false
    /// The client reads nothing: what is written stays in the channel.
    var isClogged = false

    func read(context: ChannelHandlerContext) {
        readCount += 1
        context.read()
    }

    func flush(context: ChannelHandlerContext) {
        if !isClogged { context.flush() }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        isOutputClosed = true
        promise?.succeed()
    }
}
