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
    private let bytesMax: Int
    /// What the client announced; nil where the body comes in chunks.
    private let bytesAnnounced: Int?
    private let channel: any Channel
    private let progress: BodyProgress
    private let isContinueAwaited: Bool

    /// - Throws: 413 where the announced size is over `bytesMax`, 400 where it is not a size.
    init(of request: Request, _ context: DoorContext, bytesMax: Int) throws(Refusal) {
        bytesAnnounced = try request.announcedBodyBytes()
        guard bytesAnnounced ?? 0 <= bytesMax else { throw .tooLarge(bytesMax: bytesMax) }
        body = request.body
        self.bytesMax = bytesMax
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
            if whole.writableBytes < piece.readableBytes, let bytesAnnounced {
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
        private var byteCount = 0
        /// When the first piece came.
        private var begin: ContinuousClock.Instant?
        private var isContinueAwaited: Bool

        fileprivate init(of source: AdmittedBody) {
            self.source = source
            pieces = source.body.makeAsyncIterator()
            isContinueAwaited = source.isContinueAwaited
        }

        @concurrent
        package mutating func next() async throws -> ByteBuffer? {
            if isContinueAwaited {
                isContinueAwaited = false
                try await source.channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)))
            }
            guard let piece = try await pieces.next() else {
                // Half a bundle that looks whole would be deployed.
                guard byteCount == source.bytesAnnounced ?? byteCount else { throw refuse(.endedEarly) }
                source.progress.finish()
                return nil
            }
            // Not over bytesMax before, and a piece is at most the socket's buffer: no overflow.
            byteCount += piece.readableBytes
            if byteCount > source.bytesMax {
                throw refuse(.tooLarge(bytesMax: source.bytesMax))
            }
            try checkPace()
            return piece
        }

        private mutating func checkPace() throws(Refusal) {
            // A body in one piece, as nearly all are, does not read the clock.
            if byteCount == source.bytesAnnounced { return }
            let now = ContinuousClock.now
            guard let begin else {
                self.begin = now
                return
            }
            let secondsMax = DoorLimits.bodyGraceSeconds + byteCount / DoorLimits.bodyBytesPerSecondMin
            if now - begin > .seconds(secondsMax) {
                throw refuse(.tooSlow)
            }
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
        guard let text = headers[.contentLength] else { return nil }
        guard let count = Int(text), count >= 0 else { throw .badInput("Content-Length is not a size: \(text)") }
        return count
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
