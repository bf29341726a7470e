import ControlPlane
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Invoking
import Metering
import NIOCore
import Wire

/// Addresses of functions' own: `/url/{id}/…`, or the host `{id}.lambda-url.…`.
struct FunctionURLDoor: Sendable {
    let services: DoorServices
    let plane: ControlPlane
    /// Whether anybody who reaches this node may ask it anything.
    let isOpen: Bool

    /// Which URL is meant, and what stands behind its prefix.
    struct Address: Equatable {
        var id: String
        var rawPath: String

        init?(host: String?, _ path: LambdaPath) {
            if let host, let label = host.split(separator: ".").first,
                host.dropFirst(label.count).hasPrefix(".lambda-url.")
            {
                id = label.lowercased()
                rawPath = path.path
            } else if path.segments.count >= 2, path.segments[0] == "url", path.path.hasPrefix("/url/") {
                id = path.segments[1]
                rawPath = String(path.path.dropFirst("/url/".count).drop { $0 != "/" })
            } else {
                return nil
            }
            if rawPath.isEmpty { rawPath = "/" }
        }
    }

    /// - Parameter verify: holds the signature against the body, for URLs that ask for one.
    func respond(
        to address: Address,
        _ request: Request,
        _ path: LambdaPath,
        _ context: DoorContext,
        verify: (ByteBuffer) throws(LambdaError) -> Void
    ) async throws(LambdaError) -> Response {
        guard let found = plane.url(id: address.id), let function = plane.find(found.function) else {
            return Self.forbidden
        }
        if request.method == .options, let reply = Self.preflight(found.url.cors, request) { return reply }
        if !found.url.isSigned, !isOpen, !function.allowsPublicURL(found.qualifier) { return Self.forbidden }
        let reference = FunctionReference(name: found.function, qualifier: found.qualifier)
        let target = try plane.target(of: reference, chance: Double.random(in: 0..<1))
        let bytesMax = Self.bodyBytesMax
        let body = try await LambdaDoor.body(of: request, context, bytesMax: bytesMax)
        if found.url.isSigned { try verify(body) }
        let id = InvocationID.generated()
        let event = FunctionURLEvent(
            id: address.id,
            domain: request.head.authority ?? "",
            rawPath: address.rawPath,
            query: path.query,
            method: request.method.rawValue,
            headers: [("host", request.head.authority ?? "")] + request.headers.map { ($0.name.rawName, $0.value) },
            sourceIP: context.channel.remoteAddress?.ipAddress ?? "",
            body: body,
            requestID: id.description,
            unixMilliseconds: Int64(Date.now.timeIntervalSince1970 * 1000),
            account: plane.account,
            isSigned: found.url.isSigned
        )
        var call = Call(
            function: target.registryName,
            qualifier: target.registryVersion.map(String.init),
            contentType: "application/json",
            form: target.isCode ? .lambda(LambdaCall(functionARN: target.arn)) : .own,
            body: ByteBuffer(bytes: event.document.bytes)
        )
        call.identity = CallIdentity(id: id, attempt: 1)
        let loop = context.channel.eventLoop
        var response =
            found.url.isStreamed
            ? await streamed(call, target, loop) : await buffered(call, target, loop)
        Self.addCors(found.url.cors, request, to: &response)
        response.headers[LambdaReply.requestID] = id.description
        return response
    }

    /// What AWS takes in one request.
    private static let bodyBytesMax = 6 << 20

    private static let forbidden = LambdaReply.raw(
        .forbidden,
        ["Message": .null],
        error: LambdaError.Code.accessDenied.rawValue
    )

    private func buffered(_ call: Call, _ target: LambdaTarget, _ loop: any EventLoop) async -> Response {
        let completion = await withCheckedContinuation { continuation in
            services.invoke(call, loop) { continuation.resume(returning: $0) }
        }
        return Self.whole(completion, target)
    }

    private static func whole(_ completion: Completion, _ target: LambdaTarget) -> Response {
        do throws(LambdaError) {
            let outcome = try LambdaOutcome(completion, isReserved: target.isReserved)
            guard !outcome.isFunctionError else {
                return LambdaReply.raw(.badGateway, "Internal Server Error", error: nil)
            }
            let reply = FunctionURLReply(parsing: outcome.body, contentType: outcome.contentType)
            return Response(
                status: HTTPResponse.Status(code: reply.status),
                headers: reply.fields,
                body: ResponseBody(byteBuffer: reply.body)
            )
        } catch {
            return LambdaReply.failure(error, id: completion.id)
        }
    }

    // MARK: Replies as they come

    private func streamed(_ call: Call, _ target: LambdaTarget, _ loop: any EventLoop) async -> Response {
        let feed = CallFeed(call, services, loop)
        var head = FunctionURLReply(prelude: ["headers": ["content-type": "application/octet-stream"]])
        var rest = ByteBuffer()
        var isPreluded = false
        while let part = await feed.next() {
            switch part {
            case .begin(_, let contentType):
                isPreluded = contentType == FunctionURLReply.preludeType
                if !isPreluded { head = FunctionURLReply(prelude: ["headers": ["content-type": .text(contentType)]]) }
                if isPreluded { continue }
            case .piece(let piece, let taken):
                rest.writeImmutableBuffer(piece)
                taken()
                guard let end = rest.readableBytesView.firstRange(of: FunctionURLReply.preludeEnd) else {
                    // A prelude is status and headers: one that does not end is none.
                    guard rest.readableBytes > Self.preludeBytesMax else { continue }
                    feed.cancel()
                    return LambdaReply.raw(.badGateway, "Internal Server Error", error: nil)
                }
                let prelude = rest.readSlice(length: end.lowerBound - rest.readerIndex) ?? ByteBuffer()
                rest.moveReaderIndex(forwardBy: FunctionURLReply.preludeEnd.count)
                head = FunctionURLReply(prelude: JSONValue(parsing: prelude.readableBytesView) ?? .null)
            case .end(let completion):
                return Self.whole(completion, target)
            }
            break
        }
        let begun = rest
        let body = ResponseBody { writer in
            defer { feed.cancel() }
            if begun.readableBytes > 0 { try await writer.write(begun) }
            while let part = await feed.next() {
                switch part {
                case .begin: break
                case .piece(let piece, let taken):
                    try await writer.write(piece)
                    taken()
                case .end(let completion):
                    // What has no end that a client could take for one ends its connection.
                    if case .failure(let failure) = completion.result { throw failure }
                }
            }
            try await writer.finish(nil)
        }
        return Response(status: HTTPResponse.Status(code: head.status), headers: head.fields, body: body)
    }

    private static let preludeBytesMax = 64 << 10

    // MARK: Other origins

    private static func preflight(_ cors: JSONValue?, _ request: Request) -> Response? {
        guard let cors, request.headers[.origin] != nil else { return nil }
        var response = Response(status: .ok, headers: [:], body: ResponseBody())
        addCors(cors, request, to: &response)
        func list(_ key: String) -> String? {
            cors[key]?.elements.map { $0.compactMap(\.text).joined(separator: ",") }
        }
        response.headers[.accessControlAllowMethods] = list("AllowMethods")
        response.headers[.accessControlAllowHeaders] = list("AllowHeaders")
        response.headers[.accessControlMaxAge] = cors["MaxAge"]?.integer.map(String.init)
        return response
    }

    private static func addCors(_ cors: JSONValue?, _ request: Request, to response: inout Response) {
        guard let cors, let origin = request.headers[.origin] else { return }
        let allowed = cors["AllowOrigins"]?.elements?.compactMap(\.text) ?? []
        guard allowed.contains("*") || allowed.contains(origin) else { return }
        response.headers[.accessControlAllowOrigin] = allowed.contains("*") ? "*" : origin
        if cors["AllowCredentials"]?.bool == true {
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.accessControlAllowCredentials] = "true"
        }
        if let exposed = cors["ExposeHeaders"]?.elements?.compactMap(\.text), !exposed.isEmpty {
            response.headers[.accessControlExposeHeaders] = exposed.joined(separator: ",")
        }
        response.headers[.vary] = "Origin"
    }
}
