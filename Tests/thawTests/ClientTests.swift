import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import thaw

@Suite struct ClientTests {
    /// A server that answers every connection with these bytes.
    private func answering(_ text: String, _ body: @Sendable (Client) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answer(text: text))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        try await body(try Client(environment: ["THAW_URL": "http://127.0.0.1:\(port)/", "THAW_TOKEN": " secret\n"]))
        try await server.close()
    }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let text: String

        init(text: String) { self.text = text }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let shown = String(buffer: unwrapInboundIn(data))
            let reply = shown.contains("Authorization: Bearer secret\r\n") ? text : "HTTP/1.1 599 No Token\r\n\r\n"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: reply)), promise: nil)
            context.close(promise: nil)
        }
    }

    @Test(arguments: ["ftp://x", "127.0.0.1:8080", "http://", "::"])
    func `a URL that is none is refused`(url: String) {
        #expect(throws: CommandFailure.badURL(url)) { try Client(environment: ["THAW_URL": url]) }
    }

    @Test func `without THAW_URL the node of this machine is asked`() throws {
        #expect(try Client(environment: [:]).url == "http://127.0.0.1:8080")
        #expect(try Client(environment: ["THAW_URL": "http://node:1/"]).url == "http://node:1")
    }

    @Test func `where nothing listens the user is told to start a node`() async throws {
        // Port 1 is reserved, and nothing of ours runs there.
        let client = try Client(environment: ["THAW_URL": "http://127.0.0.1:1"])
        do {
            _ = try await client.document(.get, "/pools")
            Issue.record("something listens on port 1")
        } catch {
            #expect(error.description.contains("no node answers at http://127.0.0.1:1 (connection refused)"))
            #expect(error.description.contains("thaw serve"))
        }
    }

    @Test func `what the node refuses is passed on in its words`() async throws {
        let document = #"{"error":{"code":"unknownFunction","message":"there is no function \"x\""}}"#
        let reply = "HTTP/1.1 404 Not Found\r\nContent-Length: \(document.utf8.count)\r\n\r\n\(document)"
        try await answering(reply) { client in
            await #expect(throws: CommandFailure.refused(status: 404, message: "there is no function \"x\"")) {
                try await client.document(.get, "/functions/x")
            }
        }
    }

    @Test func `what is not a node is told so`() async throws {
        for reply in [
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nnginx", "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
        ] {
            try await answering(reply) { client in
                do {
                    _ = try await client.document(.get, "/pools")
                    Issue.record("a stranger's answer was taken for a node's")
                } catch CommandFailure.notANode {
                    // As it should be.
                }
            }
        }
    }

    @Test func `names are escaped in paths`() {
        #expect("a-b_c.1".asPathSegment == "a-b_c.1")
        #expect("a/../b?c#d e".asPathSegment == "a%2F..%2Fb%3Fc%23d%20e")
    }
}
