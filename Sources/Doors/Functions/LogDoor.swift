import HTTPTypes
import Hummingbird
import Invoking
import NIOCore
import Registry
import ServiceLifecycle

/// `GET /functions/{name}/logs[?last=&follow=]`: what the workers of a function wrote.
struct LogDoor: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        router.path(
            "/functions/:name/logs",
            [.get: { request, context in try logs(request, context) }]
        )
    }

    private func logs(_ request: Request, _ context: DoorContext) throws -> Response {
        let function = try context.functionName()
        do {
            _ = try services.registry.resolve(function, qualifier: nil)
        } catch {
            throw Replies.refusal(for: error)
        }
        let last = try request.count("last", in: 0...DoorLimits.rowsMax) ?? DoorLimits.logLinesDefault
        guard try request.flag("follow"), request.method == .get else {
            return Response(Lines(lines: services.logLines(function, last)))
        }
        return follow(function, last: last, request)
    }

    /// One JSON document a line, until the client goes or the node drains.
    private func follow(_ function: String, last: Int, _ request: Request) -> Response {
        // Subscribed before the past is read: a line may come twice, none is lost.
        let stream = services.followLogs(function)
        let past = services.logLines(function, last)
        let body = ResponseBody { writer in
            var output = writer
            for line in past { try await output.write(Self.encode(line)) }
            // Lines that came before the reader did must not wait for the next one.
            let following = output
            do {
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    var output = following
                    for await line in stream.cancelOnGracefulShutdown() {
                        try await output.write(Self.encode(line))
                    }
                }
            } catch is CancellationError {
                return
            }
            try await output.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    private static func encode(_ line: LogLine) throws -> ByteBuffer {
        var buffer = ByteBuffer(bytes: try JSONDocument.encode(line))
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }

    private struct Lines: Encodable {
        var lines: [LogLine]
    }
}
