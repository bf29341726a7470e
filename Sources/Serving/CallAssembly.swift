import Wire

/// Puts calls together from frames, one call at a time; every order that the contract does not have is refused.
///
/// ```
///            open              close
///  waiting ───────► collecting ─────► (a call) ─► waiting
///     ▲                  │ cancel
///     └──────────────────┘  and a body beyond the limit is passed over until its close
/// ```
struct CallAssembly {
    struct Call: Equatable {
        var invocation: UInt64
        /// Calls that come next and are run with this one.
        var followers: Int
        var request: CallRequest
    }

    /// What a frame led to.
    enum Step: Equatable {
        case more
        case call(Call)
        /// The body will be longer than the function takes: to be answered at once, what follows is passed over.
        case tooLarge(invocation: UInt64, bodyCount: Int, followers: Int)
        /// The caller has gone before its call was complete.
        case cancelled(invocation: UInt64, followers: Int)
        case credit(invocation: UInt64, bytes: Int)
    }

    private enum State {
        case waiting
        case collecting(Call, bodyCount: Int)
        case passingOver(invocation: UInt64)
    }

    private let payloadBytesMax: UInt64
    private var state = State.waiting
    /// Invocations are numbered upwards; what concerns an earlier one comes too late to matter.
    private var latest: UInt64 = 0
    /// Calls of one function mostly look the same: their head is read once.
    private var lastHead: (bytes: [UInt8], head: CallHead)?

    init(payloadBytesMax: UInt64) {
        self.payloadBytesMax = payloadBytesMax
    }

    mutating func take(_ header: FrameHeader, _ payload: [UInt8]) throws(WireError) -> Step {
        guard !NestedCall.owns(header) else { throw .unknownKind(header.kind.rawValue) }
        switch header.kind {
        case .ready: throw .unknownKind(header.kind.rawValue)
        case .open: return try open(header, payload)
        case .chunk: return try append(payload, header)
        case .close: return try close(header, payload)
        case .cancel: return try cancel(header)
        case .credit:
            var reader = ByteReader(payload)
            let bytes = try reader.read(UInt32.self)
            try reader.finish()
            guard header.invocation <= latest else { throw .unknownKind(header.kind.rawValue) }
            return .credit(invocation: header.invocation, bytes: Int(bytes))
        }
    }

    private mutating func open(_ header: FrameHeader, _ payload: [UInt8]) throws(WireError) -> Step {
        guard case .waiting = state, header.invocation > latest else { throw .unknownKind(header.kind.rawValue) }
        let head = try head(payload)
        let followers = Int(header.code)
        guard followers < WireLimits.batchMax else { throw .tooLong(followers) }
        latest = header.invocation
        guard UInt64(head.bodyCount) <= payloadBytesMax else {
            state = .passingOver(invocation: latest)
            return .tooLarge(invocation: latest, bodyCount: Int(head.bodyCount), followers: followers)
        }
        let request = CallRequest(form: head.form, contentType: head.contentType, body: [])
        var call = Call(invocation: latest, followers: followers, request: request)
        call.request.body.reserveCapacity(Int(head.bodyCount))
        state = .collecting(call, bodyCount: Int(head.bodyCount))
        return .more
    }

    private mutating func head(_ bytes: [UInt8]) throws(WireError) -> CallHead {
        if let lastHead, lastHead.bytes == bytes { return lastHead.head }
        let head = try CallHead(parsing: bytes)
        lastHead = (bytes, head)
        return head
    }

    private mutating func append(_ payload: [UInt8], _ header: FrameHeader) throws(WireError) -> Step {
        switch state {
        case .collecting(var call, let bodyCount) where call.invocation == header.invocation:
            guard call.request.body.count + payload.count <= bodyCount else {
                throw .tooLong(call.request.body.count + payload.count)
            }
            // The state lets go of the body first, so that it grows in place.
            state = .waiting
            call.request.body.append(contentsOf: payload)
            state = .collecting(call, bodyCount: bodyCount)
            return .more
        case .passingOver(header.invocation):
            return .more
        default:
            throw .unknownKind(header.kind.rawValue)
        }
    }

    private mutating func close(_ header: FrameHeader, _ payload: [UInt8]) throws(WireError) -> Step {
        guard payload.isEmpty else { throw .trailingBytes(payload.count) }
        switch state {
        case .collecting(let call, let bodyCount) where call.invocation == header.invocation:
            guard call.request.body.count == bodyCount else { throw .truncated }
            state = .waiting
            return .call(call)
        case .passingOver(header.invocation):
            state = .waiting
            return .more
        default:
            throw .unknownKind(header.kind.rawValue)
        }
    }

    private mutating func cancel(_ header: FrameHeader) throws(WireError) -> Step {
        switch state {
        case .collecting(let call, _) where call.invocation == header.invocation:
            state = .waiting
            return .cancelled(invocation: header.invocation, followers: call.followers)
        case .passingOver(header.invocation):
            state = .waiting
            return .more
        default:
            guard header.invocation <= latest else { throw .unknownKind(header.kind.rawValue) }
            return .more
        }
    }
}
