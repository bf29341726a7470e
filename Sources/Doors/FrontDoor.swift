import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Every request but calls of functions passes here: access, routing, the reply, and the end of the connection where that is due.
struct FrontDoor: Sendable {
    let policy: AccessPolicy
    let router: RouterResponder<DoorContext>
    /// nil where the node has no Lambda API.
    let lambda: LambdaDoor?
    let date: ReplyDate
    let logger: Logger

    /// Thrown after a reply to end its connection.
    private struct ConnectionEnd: Error {}

    @concurrent
    func answer(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let context = DoorContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        var response = await response(to: request, context)
        response.headers[.date] = date.text()
        let isClosing = isLeftoverTooLarge(request, context)
        if isClosing {
            response.headers[.connection] = "close"
        }
        if request.method == .head, response.body.contentLength != 0 {
            response = response.createHeadResponse()
        }
        try await writer.write(response: response.head, body: response.body)
        if isClosing {
            await linger(request, on: context.channel.eventLoop)
            throw ConnectionEnd()
        }
    }

    private func response(to request: Request, _ context: DoorContext) async -> Response {
        // Asked first: its requests are signed, and its paths have percent signs that the router would undo.
        if let response = await lambda?.respond(to: request, context) { return response }
        let presented = AccessPolicy.Presented(
            authorization: request.headers[.authorization],
            host: request.head.authority,
            origin: request.headers[.origin]
        )
        let dialect = ErrorDialect(path: request.uri.path)
        if let refusal = policy.refusal(of: presented) {
            return dialect.response(refusal)
        }
        do {
            return try await router.respond(to: request, context: context)
        } catch let refusal as Refusal {
            return dialect.response(refusal)
        } catch {
            // The body could not be read to its end: most likely the client is gone and reads nothing.
            logger.debug("a request ended early", metadata: ["error": "\(error)"])
            return dialect.response(.endedEarly)
        }
    }

    /// Whether more of the body is still to come than we care to read before the next request.
    private func isLeftoverTooLarge(_ request: Request, _ context: DoorContext) -> Bool {
        guard request.hasBody, !context.progress.isFinished else { return false }
        // Given up while it was read.
        if context.progress.refusal != nil { return true }
        // A client that waits for our word may send the body after a refusal, or not: nobody can tell where the
        // next request begins.
        if request.isContinueAwaited { return true }
        guard let announced = try? request.announcedBodyBytes() else { return true }
        return announced > DoorLimits.leftoverBytesMax
    }

    /// Reads and drops what a refused client still sends, so that it sees the reply and not a reset.
    @concurrent
    private func linger(_ request: Request, on loop: any EventLoop) async {
        if request.isContinueAwaited { return }
        // Takes up the body wherever its reader left it, which a second iterator could not.
        try? await request.body.consumeWithInboundCloseHandler { rest in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await Self.drop(rest) }
                group.addTask { await loop.wait(for: DoorLimits.lingerTimeout) }
                await group.next()
                group.cancelAll()
            }
        } onInboundClosed: {
        }
    }

    private static func drop(_ body: RequestBody) async {
        var byteCount = 0
        do {
            for try await piece in body {
                byteCount += piece.readableBytes
                if byteCount > DoorLimits.lingerBytesMax { return }
            }
        } catch {
            // The client is gone, which is what we wait for.
        }
    }
}
