import HTTPTypes
package import Hummingbird
import NIOCore
import NIOHTTPTypes

/// The body of a request whose size and pace are within bounds: a sequence of pieces, read once.
///
/// A body that says it is too large is refused before a byte is read, and before a client that asked with
/// `Expect: 100-continue` sends one; a body that does not say is counted.
package struct AdmittedBody: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    private let body: RequestBody
    private let allowance: BodyAllowance
    private let channel: any Channel
    private let progress: BodyProgress
    private let isContinueAwaited: Bool

    /// - Throws: 413 where the announced size is over `bytesMax`, 400 where it is not a size.
    init(of request: Request, _ context: DoorContext, bytesMax: Int) throws(Refusal) {
        allowance = try BodyAllowance(bytesAnnounced: try request.announcedBodyBytes(), bytesMax: bytesMax)
        body = request.body
        channel = context.channel
        progress = context.progress
        isContinueAwaited = request.isContinueAwaited
    }

    /// The whole body in one piece.
    @concurrent
    func collect() async throws -> ByteBuffer {
        var iterator = makeAsyncIterator()
        guard var whole = try await iterator.next() else { return ByteBuffer() }
        while var piece = try await iterator.next() {
            if whole.writableBytes < piece.readableBytes, let bytesAnnounced = allowance.bytesAnnounced {
                whole.reserveCapacity(bytesAnnounced)
            }
            whole.writeBuffer(&piece)
        }
        return whole
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(of: self)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        private let source: AdmittedBody
        private var pieces: RequestBody.AsyncIterator
        private var allowance: BodyAllowance
        private var isContinueAwaited: Bool

        fileprivate init(of source: AdmittedBody) {
            self.source = source
            pieces = source.body.makeAsyncIterator()
            allowance = source.allowance
            isContinueAwaited = source.isContinueAwaited
        }

        @concurrent
        package mutating func next() async throws -> ByteBuffer? {
            if isContinueAwaited {
                isContinueAwaited = false
                try await source.channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)))
            }
            let piece = try await pieces.next()
            do throws(Refusal) {
                if let piece { try allowance.take(bytes: piece.readableBytes) } else { try allowance.end() }
            } catch {
                throw refuse(error)
            }
            if piece == nil { source.progress.finish() }
            return piece
        }

        private func refuse(_ refusal: Refusal) -> Refusal {
            source.progress.refuse(refusal)
            return refusal
        }
    }
}

extension Request {
    /// Nil without a `Content-Length`; 400 where it is not a number, which NIO's parser refuses before us.
    func announcedBodyBytes() throws(Refusal) -> Int? {
        try BodyAllowance.announced(headers[.contentLength])
    }

    /// The client waits for a word before it sends the body.
    var isContinueAwaited: Bool {
        headers[.expect]?.lowercased() == "100-continue"
    }

    /// Whether bytes follow the header at all.
    var hasBody: Bool {
        if headers[.transferEncoding] != nil { return true }
        guard let text = headers[.contentLength] else { return false }
        return text != "0"
    }
}
