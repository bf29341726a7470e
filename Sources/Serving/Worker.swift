import Linux
import Wire

/// A fork that serves calls on its channel, one at a time, until the channel ends.
struct Worker: ~Copyable {
    private let channel: FileDescriptor
    private var reader: FrameReader
    private var assembly: CallAssembly
    private let payloadBytesMax: UInt64
    private let handler: LoadedFunction.Handler

    init(
        channel: consuming FileDescriptor,
        reader: consuming FrameReader,
        payloadBytesMax: UInt64,
        handler: @escaping LoadedFunction.Handler
    ) {
        self.channel = channel
        self.reader = reader
        self.payloadBytesMax = payloadBytesMax
        assembly = CallAssembly(payloadBytesMax: payloadBytesMax)
        self.handler = handler
    }

    consuming func serve() -> ExitStatus {
        do throws(ChannelError) {
            try send(ReplyFrames.ready())
            while let step = try nextStep() {
                switch step {
                case .more, .credit:
                    continue
                case .call(let call):
                    guard try answer(call) else { return .told }
                case .tooLarge(let invocation, let bodyCount):
                    let sentence = "a body of \(bodyCount) bytes is too large: the limit is \(payloadBytesMax) bytes"
                    let failure = CallFailure(code: .tooLarge, message: sentence)
                    try send(ReplyFrames.failure(failure, invocation: invocation))
                case .cancelled(let invocation):
                    let failure = CallFailure(code: .badInput, message: "the caller has gone")
                    try send(ReplyFrames.failure(failure, invocation: invocation))
                }
            }
            return .told
        } catch {
            switch error {
            case .contract, .cut: return .brokenContract
            // The scheduler has closed its end while we were writing: its way to say that nobody wants the answer.
            case .system(let cause) where cause.isEndOfConnection: return .told
            case .system: return .lostConnection
            }
        }
    }

    private mutating func nextStep() throws(ChannelError) -> CallAssembly.Step? {
        guard let frame = try reader.next(from: channel) else { return nil }
        do throws(WireError) {
            return try assembly.take(frame.header, frame.payload)
        } catch {
            throw .contract(error)
        }
    }

    /// Answers false where the channel ended meanwhile.
    private mutating func answer(_ call: CallAssembly.Call) throws(ChannelError) -> Bool {
        let reply: CallReply
        do throws(CallFailure) {
            reply = try handler(call.body, call.contentType)
        } catch {
            try send(ReplyFrames.failure(error, invocation: call.invocation))
            return true
        }
        var bytes = ReplyFrames.head(reply.contentType, invocation: call.invocation)
        var rest = reply.body[...]
        var credit = WireLimits.replyCreditBytes
        while !rest.isEmpty {
            guard credit > 0 else {
                switch try waitForCredit(call.invocation) {
                case .bytes(let more): credit = more
                case .cancelled: rest = []
                case .end: return false
                }
                continue
            }
            let chunk = rest.prefix(min(credit, WireLimits.framePayloadBytesMax))
            ReplyFrames.append(chunk, invocation: call.invocation, to: &bytes)
            rest = rest.dropFirst(chunk.count)
            credit -= chunk.count
            if !rest.isEmpty {
                try send(bytes)
                bytes.removeAll(keepingCapacity: true)
            }
        }
        bytes += ReplyFrames.end(invocation: call.invocation)
        try send(bytes)
        return true
    }

    private enum CreditAnswer {
        case bytes(Int)
        case cancelled
        case end
    }

    private mutating func waitForCredit(_ invocation: UInt64) throws(ChannelError) -> CreditAnswer {
        while true {
            guard let frame = try reader.next(from: channel) else { return .end }
            guard frame.header.invocation <= invocation else {
                throw .contract(.unknownKind(frame.header.kind.rawValue))
            }
            let step: CallAssembly.Step
            do throws(WireError) {
                step = try assembly.take(frame.header, frame.payload)
            } catch {
                throw .contract(error)
            }
            if case .credit(invocation, let bytes) = step, bytes > 0 { return .bytes(bytes) }
            if frame.header.kind == .cancel, frame.header.invocation == invocation { return .cancelled }
        }
    }

    private func send(_ bytes: [UInt8]) throws(ChannelError) {
        do throws(SystemError) {
            try channel.writeAll(bytes)
        } catch {
            throw .system(error)
        }
    }
}

extension SystemError {
    fileprivate var isEndOfConnection: Bool {
        code == SystemError.brokenPipe || code == SystemError.connectionReset
    }
}
