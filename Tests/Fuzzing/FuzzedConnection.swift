import Dispatch
import Foundation
import Invoking
import Manifests
import Metering
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Registry
import Scheduling
import Secrets
import Synchronization

@testable import Doors

/// A client's bytes on a connection, in virtual time: the parser, the lane of calls, and a stand-in for what is behind.
///
/// Bytes that no request has a use for are events: 0xFF answers the call that runs, 0xFE lets the router answer, 0xFD ends a
/// piece, 0xFC says that the client sends no more, 0xFB that the node drains, 0xFA lets a minute pass.
enum FuzzedConnection {
    static func run(_ bytes: [UInt8]) {
        let channel = EmbeddedChannel()
        let router = Router()
        calls.withLock { $0.removeAll() }
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(Socket())
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false,
                withErrorHandling: false,
                withOutboundHeaderValidation: false
            )
            try pipeline.addHandlers([InvocationLane(door: door), router])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        } catch {
            preconditionFailure("the pipeline is as the doors make it: \(error)")
        }
        var piece = ByteBuffer()
        for byte in bytes {
            guard byte >= 0xFA else {
                piece.writeInteger(byte)
                continue
            }
            // What is wrong with a request goes to the end of the pipeline, and is the router's in life.
            _ = try? channel.writeInbound(piece)
            piece.clear()
            take(event: byte, channel, router)
        }
        _ = try? channel.writeInbound(piece)
        while answer(with: 0) {}
        channel.embeddedEventLoop.run()
        router.answer()
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    private static func take(event: UInt8, _ channel: EmbeddedChannel, _ router: Router) {
        switch event {
        case 0xFF: _ = answer(with: channel.isActive ? 1 : 0)
        case 0xFE: router.answer()
        case 0xFC: channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case 0xFB: channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        case 0xFA: channel.embeddedEventLoop.advanceTime(by: .minutes(1))
        default: break
        }
        channel.embeddedEventLoop.run()
    }

    private typealias Held = (call: Call, answer: @Sendable (Completion) -> Void)
    private static let calls = Mutex<[Held]>([])

    /// Answers the call that was begun first, over time where it can be; false where there is none.
    private static func answer(with pieces: Int) -> Bool {
        guard let first = calls.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return false }
        let id = InvocationID.generated()
        if let stream = first.call.stream, pieces > 0 {
            stream.begin(id, "text/plain")
            stream.take(first.call.body) {}
        }
        let isRefused = first.call.body.readableBytes % 7 == 3
        let reply = Reply(contentType: first.call.contentType, body: first.call.body)
        first.answer(
            Completion(
                id: id,
                start: .hot,
                queueNanoseconds: 1000,
                bindNanoseconds: 0,
                runNanoseconds: 5000,
                result: isRefused ? .failure(.unknownFunction(first.call.function)) : .success(reply)
            )
        )
        return true
    }

    // MARK: What is behind

    /// The doors of a node with one function, `echo`, which has also chosen the path `/custom/echo`.
    private static let door: InvocationDoor = {
        let opened = Mutex<Result<InvocationDoor, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            let result: Result<InvocationDoor, any Error>
            do { result = .success(try await open()) } catch { result = .failure(error) }
            opened.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard case .success(let door)? = opened.withLock({ $0 }) else { preconditionFailure("the doors open") }
        return door
    }()

    private static func open() async throws -> InvocationDoor {
        let directory = FileManager.default.temporaryDirectory.path + "/thaw-fuzz-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        // The files stay open for as long as the fuzzer runs, and nobody looks for them by name.
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let registry = try Registry(path: directory + "/registry.sqlite")
        let snapshot = SnapshotRecord(
            digest: String(repeating: "ab", count: 32),
            byteCount: 1000,
            arenaByteCount: 4096,
            task: .echo
        )
        _ = try await registry.deploy(manifest: Manifest(name: "echo", route: "/custom/echo"), snapshot: snapshot)
        let ledger = try Ledger(directory: directory, node: "fuzz")
        guard let address = ListenAddress("127.0.0.1:1") else { preconditionFailure("it is an address") }
        return InvocationDoor(
            policy: try AccessPolicy(listen: address, token: nil),
            services: services(registry, try SecretStore(directory: directory), ledger),
            date: ReplyDate()
        )
    }

    private static func services(_ registry: Registry, _ secrets: SecretStore, _ ledger: Ledger) -> DoorServices {
        DoorServices(
            bounds: { name, qualifier throws(Failure) in
                guard name == "echo" else { throw .unknownFunction(name) }
                guard qualifier == nil || qualifier == "1" else {
                    throw .unknownQualifier(function: name, qualifier: qualifier ?? "")
                }
                return CallBounds(version: 1, payloadBytesMax: 1024, mayStream: true)
            },
            invoke: { call, _, answer in calls.withLock { $0.append((call, answer)) } },
            load: { _ in },
            unload: { _ in },
            statistics: { _, _ in CallStatistics() },
            readiness: { .ready },
            pools: { PoolsReport(names: ["echo"]) },
            deploy: { _, _ async throws(DeployFailure) in throw .storage("there is no deployer here") },
            deployProgress: { _ in nil },
            delete: { _ in },
            rollback: { name async throws(RegistryError) in throw .unknownFunction(name) },
            collectGarbage: { GarbageReport(snapshots: 0, bytes: 0) },
            logLines: { _, _ in [] },
            followLogs: { _ in AsyncStream { $0.finish() } },
            secrets: secrets,
            refresh: { _ in },
            registry: registry,
            ledger: ledger
        )
    }
}

/// In the place of the router: answers with nothing when it is told to.
private final class Router: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var context: ChannelHandlerContext?
    private var unanswered = 0

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) { unanswered += 1 }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    func answer() {
        guard let context, unanswered > 0 else { return }
        unanswered -= 1
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// The embedded channel cannot close in one direction only.
private final class Socket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        promise?.succeed()
    }
}
