import NIOCore
import NIOPosix

/// A connection that sends exactly the bytes it is told to.
enum RawConnection {
    /// Connects, and closes when `body` is done.
    static func open<Value: Sendable>(
        port: Int,
        _ body: @escaping @Sendable (Inbound, NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws -> Value
    ) async throws -> Value {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: NIOAsyncChannel.Configuration(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(Inbound(stream: inbound), outbound)
        }
    }

    struct Inbound: Sendable {
        let stream: NIOAsyncChannelInboundStream<ByteBuffer>

        /// Everything until the other side closes, or until `isEnough` says so.
        func text(until isEnough: (String) -> Bool = { _ in false }) async throws -> String {
            var bytes = ByteBuffer()
            for try await var piece in stream {
                bytes.writeBuffer(&piece)
                if isEnough(String(buffer: bytes)) { break }
            }
            return String(buffer: bytes)
        }
    }

    /// Sends and reads all that comes back until the other side closes.
    static func exchange(port: Int, _ request: String) async throws -> RawReply {
        try await exchange(port: port, ByteBuffer(string: request))
    }

    static func exchange(port: Int, _ request: ByteBuffer) async throws -> RawReply {
        try await open(port: port) { inbound, outbound in
            try? await outbound.write(request)
            return RawReply(try await inbound.text())
        }
    }
}

/// A reply taken apart just enough for a test.
struct RawReply: Sendable, CustomStringConvertible {
    let description: String
    let status: Int
    let headers: [String: String]
    let body: String

    init(_ text: String) {
        description = text
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        var lines = (parts.first ?? "").split(separator: "\r\n")
        status = lines.isEmpty ? 0 : Int(lines.removeFirst().split(separator: " ").dropFirst().first ?? "") ?? 0
        headers = Dictionary(
            lines.compactMap { line in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                return (line[..<colon].lowercased(), String(value))
            },
            uniquingKeysWith: { first, _ in first }
        )
        body = parts.count > 1 ? String(parts[1]) : ""
    }
}

extension DoorHarness {
    /// One request on a connection of its own.
    func ask(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> RawReply {
        var request = "\(method) \(path) HTTP/1.1\r\nConnection: close\r\n"
        if headers["Host"] == nil { request += "Host: 127.0.0.1:\(port)\r\n" }
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        if let body, headers["Content-Length"] == nil { request += "Content-Length: \(body.utf8.count)\r\n" }
        return try await RawConnection.exchange(port: port, request + "\r\n" + (body ?? ""))
    }
}
