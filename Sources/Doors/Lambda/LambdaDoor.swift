import ControlPlane
import Digests
import HTTPTypes
import Hummingbird
import Invoking
import NIOCore

/// The Lambda API on the node's own port: its paths begin with dates, so that nothing else has them.
struct LambdaDoor: Sendable {
    let services: DoorServices
    let lambda: LambdaServices
    let policy: AccessPolicy
    let verifier: SignatureVerifier?
    let invocations: LambdaInvocations

    init(services: DoorServices, lambda: LambdaServices, policy: AccessPolicy) {
        self.services = services
        self.lambda = lambda
        self.policy = policy
        verifier = lambda.keys.map { SignatureVerifier(keys: $0, now: lambda.unixSeconds) }
        invocations = LambdaInvocations(services: services, plane: lambda.plane, events: lambda.events)
    }

    /// Nil where the request is none of the API's, nor of what belongs to it.
    @concurrent
    func respond(to request: Request, _ context: DoorContext) async -> Response? {
        let uri = request.head.path ?? "/"
        let path = LambdaPath(uri)
        do throws(LambdaError) {
            if let address = FunctionURLDoor.Address(host: request.head.authority, path) {
                let door = FunctionURLDoor(
                    services: services,
                    plane: lambda.plane,
                    isOpen: policy.isOpen && verifier == nil
                )
                let signed = SignedRequest(request, path)
                return try await door.respond(to: address, request, path, context) { (body) throws(LambdaError) in
                    // Without keys there are no signatures: then it is for those who may ask this node anything.
                    guard verifier != nil else {
                        _ = try admit(request, path)
                        return
                    }
                    try verify(signed, body)
                }
            }
            if let kind = UploadDoor.kind(path) { return await upload(kind, request, path, context) }
            if let operation = QueueDoor.operation(request) {
                let signed = try admit(request, path, for: ["sqs"])
                let body = try await Self.body(of: request, context, bytesMax: QueueDoor.bodyBytesMax)
                try verify(signed, body)
                return await QueueDoor(queues: lambda.queues).respond(
                    to: operation,
                    body,
                    origin: "http://\(request.head.authority ?? "localhost")"
                )
            }
            if NeighbourDoor.takes(request, path) {
                let signed = try admit(request, path, for: ["sts", "iam"])
                let body = try await Self.body(of: request, context, bytesMax: NeighbourDoor.bodyBytesMax)
                try verify(signed, body)
                return NeighbourDoor(account: lambda.plane.account).respond(to: body)
            }
            if LambdaRoute.isOfSchedules(path) {
                let signed = try admit(request, path, for: ["scheduler"])
                return try await operate(LambdaRoute.schedules, request, path, context, signed)
            }
            guard LambdaPath.beginsWithDate(uri) else { return nil }
            let signed = try admit(request, path)
            if let call = LambdaCallPath(request.method, path) {
                return try await invocations.respond(to: call, request, context) { (body) throws(LambdaError) in
                    try verify(signed, body)
                }
            }
            return try await operate(LambdaRoute.all, request, path, context, signed)
        } catch {
            return LambdaReply.failure(error)
        }
    }

    private func upload(
        _ kind: UploadDoor.Kind,
        _ request: Request,
        _ path: LambdaPath,
        _ context: DoorContext
    ) async -> Response {
        do throws(LambdaError) {
            let signed = try admit(request, path, for: ["s3", "lambda"])
            var door = UploadDoor(plane: lambda.plane)
            if let verifier, !isToken(signed) {
                // The body's digest is in the signature; the door compares it when it has read the body.
                try verifier.verify(signed)
                door.signer = try verifier.chunkSigner(of: signed)
            }
            return await door.respond(to: kind, request, signed.queryPairs, context)
        } catch {
            return UploadReply.failure(UploadError(error))
        }
    }

    private func operate(
        _ routes: [LambdaRoute],
        _ request: Request,
        _ path: LambdaPath,
        _ context: DoorContext,
        _ signed: SignedRequest
    ) async throws(LambdaError) -> Response {
        let found = routes.lazy.compactMap { route -> (LambdaRoute, [String])? in
            guard route.method == request.method, let parameters = route.parameters(of: path.segments) else {
                return nil
            }
            return (route, parameters)
        }.first
        guard let (route, parameters) = found else {
            throw LambdaError(.unknownOperation, "\(request.method.rawValue) \(path.path) is no operation of this API.")
        }
        let body = try await Self.body(of: request, context, bytesMax: LambdaLimits.requestBytesMax)
        try verify(signed, body)
        let host = request.head.authority ?? "localhost"
        let origin = "http://\(host)"
        let (verifier, region) = (verifier, lambda.plane.account.region)
        let lambdaRequest = LambdaRequest(
            plane: lambda.plane,
            schedules: lambda.schedules,
            parameters: parameters,
            query: signed.queryPairs,
            body: try Self.fields(body),
            origin: origin,
            locator: CodeLocator(origin: origin) { (path) throws(LambdaError) in
                try verifier?.presigned(path, host: host, region: region) ?? ""
            }
        )
        return LambdaReply.success(try await route.act(lambdaRequest), route.status)
    }

    private static func fields(_ body: ByteBuffer) throws(LambdaError) -> RequestFields {
        guard body.readableBytes > 0 else { return RequestFields(.object([:])) }
        guard let document = JSONValue(parsing: body.readableBytesView), document.members != nil else {
            throw LambdaError(.serialization, "The request's body is not a JSON object.")
        }
        return RequestFields(document)
    }

    /// The whole body, at most so large.
    static func body(of request: Request, _ context: DoorContext, bytesMax: Int) async throws(LambdaError) -> ByteBuffer
    {
        do {
            return try await AdmittedBody(of: request, context, bytesMax: bytesMax).collect()
        } catch let refusal as Refusal where refusal.status == .contentTooLarge {
            throw LambdaError(.requestTooLarge, "Request must be smaller than \(bytesMax) bytes")
        } catch {
            throw LambdaError(.invalidRequestContent, "The request's body ended early.")
        }
    }

    // MARK: Access

    /// Refuses, before the body is read, who may not ask at all.
    private func admit(
        _ request: Request,
        _ path: LambdaPath,
        for services: Set<String> = ["lambda"]
    ) throws(LambdaError) -> SignedRequest {
        let signed = SignedRequest(request, path)
        let presented = AccessPolicy.Presented(
            authorization: request.headers[.authorization],
            host: request.head.authority,
            origin: request.headers[.origin]
        )
        guard let verifier, !policy.isToken(presented) else {
            if let refusal = policy.refusal(of: presented) { throw LambdaError(.accessDenied, refusal.message) }
            return signed
        }
        try verifier.admit(signed, for: services)
        return signed
    }

    private func isToken(_ signed: SignedRequest) -> Bool {
        policy.isToken(AccessPolicy.Presented(authorization: signed.header("authorization")))
    }

    /// Holds the signature against the whole request.
    private func verify(_ signed: SignedRequest, _ body: ByteBuffer) throws(LambdaError) {
        guard let verifier, !isToken(signed) else { return }
        var request = signed
        do throws(DigestError) {
            request.bodyDigest = Hexadecimal.text(try SHA256.digest(of: Array(body.readableBytesView)))
        } catch {
            throw LambdaError(.service, "the signature could not be checked: \(error)")
        }
        try verifier.verify(request)
    }
}

extension SignedRequest {
    init(_ request: Request, _ path: LambdaPath) {
        self.init(
            method: request.method.rawValue,
            path: path.path,
            query: path.query,
            // As the client wrote it: its port is part of what was signed.
            headers: [("host", request.head.authority ?? "")]
                + request.headers.map { ($0.name.rawName, $0.value) },
            bodyDigest: nil
        )
    }
}
