import ArgumentParser
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// The floor of dispatch: SwiftNIO's HTTP/1.1 server that returns each body, one event loop, nothing else.
///
/// It runs in a process of its own, as the node does.
struct BareEcho: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bare-echo",
        abstract: "Serve a bare SwiftNIO echo until standard input ends (the floor of `dispatch`).",
        shouldDisplay: false
    )

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        print("bare echo on port \(channel.localAddress?.port ?? 0)")
        fflush(nil)
        _ = FileHandle.standardInput.readDataToEndOfFile()
        try await channel.close()
        try await group.shutdownGracefully()
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var body = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            body.clear()
        case .body(var piece):
            body.writeBuffer(&piece)
        case .end:
            let headers: HTTPHeaders = [
                "content-type": "application/json", "content-length": "\(body.readableBytes)",
            ]
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
