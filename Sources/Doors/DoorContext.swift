import Hummingbird
import NIOCore
import Synchronization

/// What travels with a request through the doors.
struct DoorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection, for the interim reply `100 Continue`.
    let channel: any Channel
    let progress: BodyProgress

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        progress = BodyProgress()
    }
}

/// How far the body of one request was read.
final class BodyProgress: Sendable {
    private struct State {
        var isFinished = false
        var refusal: Refusal?
    }

    private let state = Mutex(State())

    /// The end of the body was seen: the connection can carry another request.
    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// Why the body was given up; stands above what the reader of the body made of it.
    var refusal: Refusal? { state.withLock { $0.refusal } }

    func finish() {
        state.withLock { $0.isFinished = true }
    }

    func refuse(_ refusal: Refusal) {
        state.withLock { $0.refusal = refusal }
    }
}
