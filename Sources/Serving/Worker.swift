import Linux
import Wire

/// A fork that serves calls on its channel, one at a time and in their order, until the channel ends.
struct Worker: ~Copyable {
    private var line: FrameLine
    private var assembly: CallAssembly
    private let payloadBytesMax: UInt64
    private let handler: LoadedFunction.Handler
    private let callingHandler: LoadedFunction.CallingHandler?
    private let batchHandler: LoadedFunction.BatchHandler?
    private let afterCall: (() -> Void)?
    /// Calls of its own that it has made.
    private var nestedCount: UInt64 = 0
    /// Calls that wait for those that are run with them.
    private var batch: [CallAssembly.Call] = []
    /// Steps that came while a reply waited for credit.
    private var backlog: [CallAssembly.Step] = []
    /// Replies of one function mostly say the same of themselves: their head is made once.
    private var lastHead: (contentType: String, bytes: [UInt8])?

    init(
        line: consuming FrameLine,
        payloadBytesMax: UInt64,
        handler: @escaping LoadedFunction.Handler,
        callingHandler: LoadedFunction.CallingHandler? = nil,
        batchHandler: LoadedFunction.BatchHandler? = nil,
        afterCall: (() -> Void)? = nil
    ) {
        self.line = line
        self.payloadBytesMax = payloadBytesMax
        assembly = CallAssembly(payloadBytesMax: payloadBytesMax)
        self.handler = handler
        self.callingHandler = callingHandler
        self.batchHandler = batchHandler
        self.afterCall = afterCall
    }

    /// - Parameter warmUp: done first, unless a call is there already.
    consuming func serve(warmingUp warmUp: (() -> Void)?) -> ExitStatus {
        do throws(ChannelError) {
            if let warmUp, try !line.hasFrame() {
                warmUp()
                line.warmUp()
            }
            guard try send(.ready, 0) else { return .told }
            try line.flush()
            while let step = try nextStep() {
                guard try carryOut(step) else { return .told }
            }
            return .told
        } catch {
            switch error {
            case .contract, .rings: return .brokenContract
            case .system: return .lostConnection
            }
        }
    }

    /// Answers false where the channel ended meanwhile.
    private mutating func carryOut(_ step: CallAssembly.Step) throws(ChannelError) -> Bool {
        switch step {
        case .more, .credit:
            return true
        case .call(let call):
            if call.followers == 0, batch.isEmpty { return try answer(call) }
            batch.append(call)
            return try answerBatch(unlessBehind: call.followers)
        case .tooLarge(let invocation, let bodyCount, let followers):
            let sentence = "a body of \(bodyCount) bytes is too large: the limit is \(payloadBytesMax) bytes"
            guard try fail(invocation, CallFailure(code: .tooLarge, message: sentence)) else { return false }
            return try answerBatch(unlessBehind: followers)
        case .cancelled(let invocation, let followers):
            let failure = CallFailure(code: .badInput, message: "the caller has gone")
            guard try fail(invocation, failure) else { return false }
            return try answerBatch(unlessBehind: followers)
        }
    }

    /// Runs the calls that have gathered and answers each by itself, unless others of their batch are still to come.
    private mutating func answerBatch(unlessBehind followers: Int) throws(ChannelError) -> Bool {
        if followers > 0 { return true }
        let calls = batch
        batch.removeAll(keepingCapacity: true)
        guard calls.count > 1, let batchHandler else {
            for call in calls where try !answer(call) { return false }
            return true
        }
        let results = batchHandler(calls.map(\.request))
        for (call, result) in zip(calls, results) {
            let isOpen =
                switch result {
                case .success(let reply): try send(reply, to: call.invocation)
                case .failure(let failure): try fail(call.invocation, failure)
                }
            guard isOpen else { return false }
        }
        return true
    }

    private mutating func nextStep() throws(ChannelError) -> CallAssembly.Step? {
        if !backlog.isEmpty { return backlog.removeFirst() }
        guard let frame = try line.next() else { return nil }
        return try take(frame)
    }

    private mutating func take(_ frame: FrameLine.Frame) throws(ChannelError) -> CallAssembly.Step {
        do throws(WireError) {
            return try assembly.take(frame.header, frame.payload)
        } catch {
            throw .contract(error)
        }
    }

    private mutating func answer(_ call: CallAssembly.Call) throws(ChannelError) -> Bool {
        defer { afterCall?() }
        let reply: CallReply
        do throws(CallFailure) {
            if let callingHandler {
                reply = try callingHandler(call.request) { self.make($0, in: call.invocation) }
            } else {
                reply = try handler(call.request)
            }
        } catch {
            return try fail(call.invocation, error)
        }
        return try send(reply, to: call.invocation)
    }

    /// Makes a call of the worker's own, and waits for its reply.
    private mutating func make(_ call: OutgoingCall, in parent: UInt64) -> OutgoingReply {
        do throws(ChannelError) {
            return try made(call, in: parent) ?? .ended
        } catch {
            return .ended
        }
    }

    /// nil where the channel ended.
    private mutating func made(_ call: OutgoingCall, in parent: UInt64) throws(ChannelError) -> OutgoingReply? {
        guard call.body.count <= NestedCall.bodyBytesMax else {
            return .failure(.refused, message: "the body has more than \(NestedCall.bodyBytesMax) bytes")
        }
        nestedCount += 1
        let number = NestedCall.number(nestedCount)
        let head = NestedHead(
            parent: parent,
            function: call.function,
            contentType: call.contentType,
            bodyCount: UInt32(call.body.count)
        )
        guard try send(.open, number, head.encoded()) else { return nil }
        var done = 0
        while done < call.body.count {
            let count = min(WireLimits.framePayloadBytesMax, call.body.count - done)
            let chunk = call.body.span.extracting(done..<done + count)
            let header = FrameHeader(.chunk, invocation: number, payloadCount: count)
            guard try unsafe line.send(header, chunk.bytes) else { return nil }
            done += count
        }
        guard try send(.close, number) else { return nil }
        try line.flush()
        return try reply(to: number)
    }

    private mutating func reply(to number: UInt64) throws(ChannelError) -> OutgoingReply? {
        var contentType = ""
        var body: [UInt8] = []
        while true {
            guard let frame = try line.next() else { return nil }
            guard frame.header.invocation == number else {
                let step = try take(frame)
                if step != .more { backlog.append(step) }
                continue
            }
            do throws(WireError) {
                switch frame.header.kind {
                case .open: contentType = try ReplyHead(parsing: frame.payload).contentType
                case .chunk: body += frame.payload
                case .close where frame.header.code == 0:
                    return .reply(contentType: contentType, body: body)
                case .close:
                    let code = NestedFailure(rawValue: frame.header.code) ?? .refused
                    return .failure(code, message: String(decoding: frame.payload, as: UTF8.self))
                default: throw WireError.unknownKind(frame.header.kind.rawValue)
                }
            } catch {
                throw .contract(error)
            }
        }
    }

    private mutating func send(_ reply: CallReply, to invocation: UInt64) throws(ChannelError) -> Bool {
        let isStreamed = reply.stream != nil
        guard try send(.open, invocation, head(reply.contentType, isStreamed: isStreamed)) else { return false }
        var credit = WireLimits.replyCreditBytes
        guard try send(reply.body, to: invocation, &credit) else { return false }
        while let stream = reply.stream {
            let piece: [UInt8]?
            do throws(CallFailure) {
                piece = try stream()
            } catch {
                return try fail(invocation, error)
            }
            guard let piece else { break }
            guard try send(piece, to: invocation, &credit) else { return false }
            // Its reader waits for it.
            try line.flush()
        }
        guard try send(.close, invocation) else { return false }
        try line.flush()
        return true
    }

    /// Sends bytes of a body as credit allows.
    private mutating func send(
        _ bytes: [UInt8],
        to invocation: UInt64,
        _ credit: inout Int
    ) throws(ChannelError) -> Bool {
        var done = 0
        while done < bytes.count {
            guard credit > 0 else {
                switch try waitForCredit(invocation) {
                case .bytes(let more): credit = more
                case .cancelled: done = bytes.count
                case .end: return false
                }
                continue
            }
            let count = min(credit, WireLimits.framePayloadBytesMax, bytes.count - done)
            let header = FrameHeader(.chunk, invocation: invocation, payloadCount: count)
            let chunk = bytes.span.extracting(done..<done + count)
            guard try unsafe line.send(header, chunk.bytes) else { return false }
            done += count
            credit -= count
        }
        return true
    }

    private mutating func head(_ contentType: String, isStreamed: Bool) -> [UInt8] {
        if !isStreamed, let lastHead, lastHead.contentType == contentType { return lastHead.bytes }
        let bytes = ReplyHead(contentType: contentType, isStreamed: isStreamed).encoded()
        if !isStreamed { lastHead = (contentType, bytes) }
        return bytes
    }

    private enum CreditAnswer {
        case bytes(Int)
        case cancelled
        case end
    }

    private mutating func waitForCredit(_ invocation: UInt64) throws(ChannelError) -> CreditAnswer {
        try line.flush()
        while true {
            guard let frame = try line.next() else { return .end }
            let step = try take(frame)
            if case .credit(invocation, let bytes) = step, bytes > 0 { return .bytes(bytes) }
            if frame.header.kind == .cancel, frame.header.invocation == invocation { return .cancelled }
            // Of the calls that wait behind this one; the scheduler bounds their number.
            if step != .more { backlog.append(step) }
        }
    }

    private mutating func fail(_ invocation: UInt64, _ failure: CallFailure) throws(ChannelError) -> Bool {
        let message = Array(ReplyText.cut(failure.message).utf8)
        guard try send(.close, invocation, message, code: failure.code.rawValue) else { return false }
        try line.flush()
        return true
    }

    private mutating func send(
        _ kind: FrameHeader.Kind,
        _ invocation: UInt64,
        _ payload: [UInt8] = [],
        code: UInt16 = 0
    ) throws(ChannelError) -> Bool {
        let header = FrameHeader(kind, code: code, invocation: invocation, payloadCount: payload.count)
        return try unsafe line.send(header, payload.span.bytes)
    }
}
