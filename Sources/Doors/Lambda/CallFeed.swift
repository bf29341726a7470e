import Invoking
import Metering
import NIOCore

/// A call whose reply is read as it comes.
struct CallFeed: Sendable {
    enum Part: Sendable {
        case begin(InvocationID, contentType: String)
        /// - Parameter taken: to be called when the piece has gone on.
        case piece(ByteBuffer, taken: @Sendable () -> Void)
        /// The last; a reply that was no stream is whole in it.
        case end(Completion)
    }

    let parts: AsyncStream<Part>
    private let cancellation: CallCancellation

    init(_ call: Call, _ services: DoorServices, _ loop: any EventLoop) {
        let (parts, output) = AsyncStream<Part>.makeStream()
        cancellation = CallCancellation()
        self.parts = parts
        var call = call
        call.cancellation = cancellation
        call.stream = CallStream(
            begin: { id, contentType in output.yield(.begin(id, contentType: contentType)) },
            take: { piece, taken in output.yield(.piece(piece, taken: taken)) }
        )
        services.invoke(call, loop) { completion in
            output.yield(.end(completion))
            output.finish()
        }
    }

    /// Ends the call where it still runs: nobody reads on.
    func cancel() { cancellation.cancel() }

    func next() async -> Part? {
        var iterator = parts.makeAsyncIterator()
        return await iterator.next()
    }
}
