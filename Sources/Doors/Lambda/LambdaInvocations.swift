import ControlPlane
import Events
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Invoking
import Metering
import NIOCore
import Scheduling
import Wire

/// Calls of functions as the Lambda API has them.
struct LambdaInvocations: Sendable {
    let services: DoorServices
    let plane: ControlPlane
    let events: EventRunner

    private static let invocationType = LambdaReply.name("X-Amz-Invocation-Type")
    private static let logType = LambdaReply.name("X-Amz-Log-Type")
    private static let traceID = LambdaReply.name("X-Amzn-Trace-Id")
    private static let clientContext = LambdaReply.name("X-Amz-Client-Context")

    private struct Target: Sendable {
        var called: LambdaTarget
        var bounds: CallBounds
    }

    /// - Parameter verify: holds the signature against the body.
    func respond(
        to path: LambdaCallPath,
        _ request: Request,
        _ context: DoorContext,
        verify: (ByteBuffer) throws(LambdaError) -> Void
    ) async throws(LambdaError) -> Response {
        let target = try target(of: try plane.reference(path.function, qualifier: path.qualifier))
        let body = try await LambdaDoor.body(of: request, context, bytesMax: target.bounds.payloadBytesMax)
        try verify(body)
        let call = try call(target, body, request)
        switch (path.kind, request.headers[Self.invocationType] ?? "RequestResponse") {
        case (.invokeAsync, _), (.invoke, "Event"):
            return try await event(
                call,
                target,
                FunctionReference(path.function, qualifier: path.qualifier, in: plane.account),
                request
            )
        case (_, "DryRun"):
            return LambdaReply.success(nil, .noContent)
        case (.invoke, "RequestResponse"):
            let isTailed = request.headers[Self.logType] == "Tail"
            return try await buffered(call, target, isTailed: isTailed, context.channel.eventLoop)
        case (.stream, "RequestResponse"):
            let isTailed = request.headers[Self.logType] == "Tail"
            return try await streamed(call, target, isTailed: isTailed, context.channel.eventLoop)
        case (_, let type):
            throw .constraint(
                type,
                at: "invocationType",
                "Member must satisfy enum value set: [RequestResponse, Event, DryRun]"
            )
        }
    }

    private func target(of reference: FunctionReference) throws(LambdaError) -> Target {
        let called = try plane.target(of: reference, chance: Double.random(in: 0..<1))
        do throws(Failure) {
            let bounds = try services.bounds(called.registryName, called.registryVersion.map(String.init))
            return Target(called: called, bounds: bounds)
        } catch {
            throw .functionNotFound(plane.account.functionARN(reference.name, reference.qualifier))
        }
    }

    private func call(_ target: Target, _ body: ByteBuffer, _ request: Request) throws(LambdaError) -> Call {
        var body = body
        var told = LambdaCall(functionARN: target.called.arn)
        told.traceID = String((request.headers[Self.traceID] ?? "").prefix(LambdaCall.traceIDBytesMax))
        if let context = request.headers[Self.clientContext] {
            guard context.utf8.count <= LambdaLimits.clientContextBytesMax, let data = Data(base64Encoded: context),
                JSONCheck.passes(ByteBuffer(bytes: data))
            else {
                throw LambdaError(.invalidRequestContent, "Client context must be a valid Base64-encoded JSON object.")
            }
            told.clientContext = String(decoding: data, as: UTF8.self)
        }
        // A program of the author's is given JSON, always; a model takes what its task takes.
        if target.bounds.mayStream {
            if body.readableBytes == 0 { body = ByteBuffer(string: "{}") }
            guard JSONCheck.passes(body) else {
                throw LambdaError(
                    .invalidRequestContent,
                    "Could not parse request body into json: Could not parse payload into json: the body is not one JSON "
                        + "document"
                )
            }
        }
        return Call(
            function: target.called.registryName,
            qualifier: target.called.registryVersion.map(String.init),
            contentType: request.headers[.contentType] ?? "application/json",
            form: target.bounds.mayStream && told.isWithinLimits ? .lambda(told) : .own,
            body: body
        )
    }

    /// Answers when the event is on the disk.
    private func event(
        _ call: Call,
        _ target: Target,
        _ reference: FunctionReference,
        _ request: Request
    ) async throws(LambdaError) -> Response {
        guard call.body.readableBytes <= EventRunner.bodyBytesMax else {
            throw LambdaError(
                .requestTooLarge,
                "\(call.body.readableBytes) byte payload is too large for the Event invocation type (limit "
                    + "\(EventRunner.bodyBytesMax) bytes)"
            )
        }
        do throws(EventRefusal) {
            let id = try await events.accept(
                reference,
                contentType: call.contentType,
                body: Array(call.body.readableBytesView),
                clientContext: Self.clientContextJSON(request)
            )
            return LambdaReply.accepted(id)
        } catch {
            switch error {
            case .full: throw LambdaError(.tooManyRequests, error.description)
            case .storage: throw LambdaError(.service, error.description)
            }
        }
    }

    private static func clientContextJSON(_ request: Request) -> String {
        request.headers[clientContext].flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
            ?? ""
    }

    func run(_ call: Call, _ loop: any EventLoop) async -> Completion {
        await withCheckedContinuation { continuation in
            services.invoke(call, loop) { continuation.resume(returning: $0) }
        }
    }

    // MARK: The whole reply

    private func buffered(
        _ call: Call,
        _ target: Target,
        isTailed: Bool,
        _ loop: any EventLoop
    ) async throws(LambdaError) -> Response {
        let start = CalendarTime(unixNanoseconds: UInt64(Date.now.timeIntervalSince1970 * 1e9)).description
        let completion = await run(call, loop)
        let outcome = try LambdaOutcome(completion, isReserved: target.called.isReserved)
        var fields = HTTPFields()
        fields[LambdaReply.requestID] = completion.id.description
        fields[LambdaReply.executedVersion] = target.called.label
        fields[.contentType] = outcome.contentType
        if outcome.isFunctionError { fields[LambdaReply.functionError] = "Unhandled" }
        if isTailed { fields[LambdaReply.logResult] = await tail(completion, target, since: start, loop) }
        return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: outcome.body))
    }

    /// Base64 of the last of what the function wrote, between the lines that the platform writes of a call.
    private func tail(
        _ completion: Completion,
        _ target: Target,
        since start: String,
        _ loop: any EventLoop
    ) async -> String {
        // What the function wrote comes by a pipe of its own, and may be a moment behind its reply.
        await loop.wait(for: Self.logDelay)
        let lines = services.logLines(target.called.registryName, Self.logLinesMax).filter { $0.time >= start }
        let log = LambdaLog(
            requestID: completion.id.description,
            version: target.called.label,
            memoryMebibytes: target.called.memoryMebibytes,
            runNanoseconds: completion.runNanoseconds,
            initNanoseconds: completion.start == .cold ? completion.bindNanoseconds : nil,
            memoryBytesPeak: completion.memoryBytesPeak
        )
        return log.tail(lines.map(\.message))
    }

    private static let logDelay = TimeAmount.milliseconds(5)
    private static let logLinesMax = 200

    // MARK: The reply as it comes

    private func streamed(
        _ call: Call,
        _ target: Target,
        isTailed: Bool,
        _ loop: any EventLoop
    ) async throws(LambdaError) -> Response {
        let start = CalendarTime(unixNanoseconds: UInt64(Date.now.timeIntervalSince1970 * 1e9)).description
        let feed = CallFeed(call, services, loop)
        // Until something comes the status is open: a call that is throttled is answered as one.
        guard let first = await feed.next() else {
            throw LambdaError(.service, "the call ended without a reply")
        }
        var fields = HTTPFields()
        fields[.contentType] = EventStream.contentType
        fields[LambdaReply.executedVersion] = target.called.label
        let isReserved = target.called.isReserved
        switch first {
        case .begin(let id, _): fields[LambdaReply.requestID] = id.description
        case .piece: break
        case .end(let completion):
            fields[LambdaReply.requestID] = completion.id.description
            _ = try LambdaOutcome(completion, isReserved: isReserved)
        }
        let body = ResponseBody { writer in
            var part: CallFeed.Part? = first
            defer { feed.cancel() }
            while let now = part {
                switch now {
                case .begin: break
                case .piece(let piece, let taken):
                    for frame in Self.frames(piece) { try await writer.write(frame) }
                    taken()
                case .end(let completion):
                    let log = isTailed ? await tail(completion, target, since: start, loop) : nil
                    for frame in Self.lastFrames(completion, log, isReserved: isReserved) {
                        try await writer.write(frame)
                    }
                }
                part = await feed.next()
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: fields, body: body)
    }

    private static func frames(_ piece: ByteBuffer) -> [ByteBuffer] {
        var rest = piece
        var frames: [ByteBuffer] = []
        while rest.readableBytes > 0 {
            let part = rest.readSlice(length: min(rest.readableBytes, EventStream.payloadBytesMax)) ?? ByteBuffer()
            frames.append(EventStream.chunk(part))
        }
        return frames
    }

    /// What is left to say when the call has ended.
    private static func lastFrames(_ completion: Completion, _ log: String?, isReserved: Bool) -> [ByteBuffer] {
        var frames: [ByteBuffer] = []
        var members: [String: JSONValue] = [:]
        members["LogResult"] = log.map { .text($0) }
        switch Result(catching: { () throws(LambdaError) in try LambdaOutcome(completion, isReserved: isReserved) }) {
        case .success(let outcome) where outcome.isFunctionError:
            let document = JSONValue(parsing: outcome.body.readableBytesView)
            members["ErrorCode"] = document?["errorType"] ?? "Unhandled"
            members["ErrorDetails"] = .text(String(buffer: outcome.body))
        case .success(let outcome):
            frames = self.frames(outcome.body)
        case .failure(let error):
            members["ErrorCode"] = .text(error.code.rawValue)
            members["ErrorDetails"] = .text(error.message)
        }
        return frames + [EventStream.complete(JSONValue.object(members).bytes)]
    }
}
