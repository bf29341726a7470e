import ControlPlane
import HTTPTypes
import Hummingbird
import NIOCore

/// `PUT /uploads/{key}`, as a bucket of S3 would take it, and `GET /code/{digest}`: archives in, archives out.
struct UploadDoor: Sendable {
    let plane: ControlPlane

    enum Kind: Equatable {
        case upload(key: String)
        case code(archive: String)
    }

    /// Archives past this are models that no such node could serve.
    static let bytesMax = 16 << 30

    static func kind(_ path: LambdaPath) -> Kind? {
        let segments = path.segments
        if segments.first == ControlPlane.uploadsBucket, segments.count >= 2 {
            // A key may have slashes; the decoded segments are what was meant.
            return .upload(key: segments.dropFirst().joined(separator: "/"))
        }
        if segments.count == 2, segments[0] == "code", CodeStore.isName(segments[1]) {
            return .code(archive: segments[1])
        }
        return nil
    }

    func respond(to kind: Kind, _ request: Request, _ context: DoorContext) async throws(LambdaError) -> Response {
        switch (kind, request.method) {
        case (.upload(let key), .put): return try await put(key, request, context)
        case (.upload(let key), .head), (.upload(let key), .get):
            guard let archive = plane.upload(key) else {
                throw LambdaError(.resourceNotFound, "There is no upload \(key).")
            }
            return try send(archive.name, byteCount: archive.byteCount)
        case (.upload(let key), .delete):
            try await plane.deleteUpload(key)
            return LambdaReply.success(nil, .noContent)
        case (.code(let archive), .get), (.code(let archive), .head):
            return try send(archive, byteCount: nil)
        default:
            throw LambdaError(.unknownOperation, "\(request.method.rawValue) is no operation of an archive.")
        }
    }

    private func put(_ key: String, _ request: Request, _ context: DoorContext) async throws(LambdaError) -> Response {
        let announced = request.headers[Self.contentDigest]
        if let announced, announced.hasPrefix("STREAMING-") {
            throw LambdaError(
                .unsupportedMediaType,
                "An archive is sent as it is, not in signed chunks (\(announced))."
            )
        }
        let archive: CodeStore.Archive
        do {
            let body = try AdmittedBody(of: request, context, bytesMax: Self.bytesMax)
            archive = try await plane.putUpload(key, body, bytesMax: Self.bytesMax)
        } catch let error as LambdaError {
            throw error
        } catch let refusal as Refusal {
            throw LambdaError(
                refusal.status == .contentTooLarge ? .requestTooLarge : .invalidRequestContent,
                refusal.message
            )
        } catch {
            throw LambdaError(.service, "the archive could not be stored: \(error)")
        }
        // What was signed is the digest that the client sent: the bytes must be those.
        if let announced, announced != SignatureVerifier.unsignedPayload, announced != archive.name {
            try await plane.deleteUpload(key)
            throw LambdaError(
                .invalidSignature,
                "The provided 'x-amz-content-sha256' header does not match what was computed."
            )
        }
        var fields = HTTPFields()
        fields[.eTag] = "\"\(archive.name)\""
        return Response(status: .ok, headers: fields, body: ResponseBody())
    }

    private func send(_ archive: String, byteCount: Int?) throws(LambdaError) -> Response {
        guard let pieces = plane.code.pieces(of: archive) else {
            throw LambdaError(.resourceNotFound, "There is no archive \(archive).")
        }
        var fields = HTTPFields()
        fields[.contentType] = "application/zip"
        return Response(status: .ok, headers: fields, body: ResponseBody(asyncSequence: pieces))
    }

    private static let contentDigest = LambdaReply.name("x-amz-content-sha256")
}
