import ControlPlane
import Digests
import HTTPTypes
import Hummingbird
import NIOCore

/// Archives in and out, as a bucket of S3 named `uploads` takes them: as a whole or in parts; and `GET /code/{digest}`.
struct UploadDoor: Sendable {
    let plane: ControlPlane
    /// Checks the chunks of a body that is signed in chunks; nil where nobody has to sign.
    var signer: ChunkSigner?

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

    func respond(
        to kind: Kind,
        _ request: Request,
        _ query: [(name: String, value: String)],
        _ context: DoorContext
    ) async -> Response {
        do {
            return try await answer(kind, request, query, context)
        } catch {
            return UploadReply.failure(Self.translated(error))
        }
    }

    private func answer(
        _ kind: Kind,
        _ request: Request,
        _ query: [(name: String, value: String)],
        _ context: DoorContext
    ) async throws -> Response {
        func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
        let upload = value("uploadId")
        switch (kind, request.method) {
        case (.upload(let key), .put) where upload != nil:
            let number = value("partNumber").flatMap { Int($0) }
            return try await putPart(key, upload ?? "", number, request, context)
        case (.upload(let key), .put): return try await put(key, request, context)
        case (.upload(let key), .post) where value("uploads") != nil:
            let members = [
                ("Bucket", ControlPlane.uploadsBucket), ("Key", key), ("UploadId", try plane.beginUpload(key)),
            ]
            return UploadReply.document("InitiateMultipartUploadResult", members)
        case (.upload(let key), .post) where upload != nil:
            return try await complete(key, upload ?? "", request, context)
        case (.upload(let key), .delete) where upload != nil:
            try plane.abortUpload(upload ?? "", key)
            return UploadReply.empty(.noContent)
        case (.upload(let key), .head), (.upload(let key), .get):
            guard let archive = plane.upload(key) else {
                throw UploadError(404, "NoSuchKey", "There is no upload \(key).")
            }
            return try send(archive.name, request)
        case (.upload(let key), .delete):
            try await plane.deleteUpload(key)
            return UploadReply.empty(.noContent)
        case (.code(let archive), .get), (.code(let archive), .head): return try send(archive, request)
        default:
            throw UploadError(
                405,
                "MethodNotAllowed",
                "\(request.method.rawValue) is no operation of an archive."
            )
        }
    }

    private func put(_ key: String, _ request: Request, _ context: DoorContext) async throws -> Response {
        let body = try UploadBody(request, context, bytesMax: Self.bytesMax, signer: signer)
        let archive = try await plane.putUpload(key, body, bytesMax: Self.bytesMax) { try body.check($0.name) }
        return UploadReply.empty(tag: archive.name)
    }

    private func putPart(
        _ key: String,
        _ upload: String,
        _ number: Int?,
        _ request: Request,
        _ context: DoorContext
    ) async throws -> Response {
        guard let number, ControlPlane.partNumbers.contains(number) else {
            throw UploadError(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        }
        let body = try UploadBody(request, context, bytesMax: Self.bytesMax, signer: signer)
        let part = try await plane.putPart(upload, key, number: number, body, bytesMax: Self.bytesMax) {
            try body.check($0.name)
        }
        return UploadReply.empty(tag: part.name)
    }

    private func complete(
        _ key: String,
        _ upload: String,
        _ request: Request,
        _ context: DoorContext
    ) async throws -> Response {
        let body = try UploadBody(request, context, bytesMax: PartList.bytesMax, signer: signer)
        var bytes: [UInt8] = []
        for try await piece in body { bytes += piece.readableBytesView }
        try body.check(Hexadecimal.text(try SHA256.digest(of: bytes)))
        let parts = try PartList.parts(bytes)
        let archive = try await plane.completeUpload(upload, key, parts: parts, bytesMax: Self.bytesMax)
        let bucket = ControlPlane.uploadsBucket
        return UploadReply.document(
            "CompleteMultipartUploadResult",
            [("Location", "/\(bucket)/\(key)"), ("Bucket", bucket), ("Key", key), ("ETag", "\"\(archive.name)\"")]
        )
    }

    private func send(_ archive: String, _ request: Request) throws(UploadError) -> Response {
        guard let byteCount = plane.code.byteCount(of: archive) else {
            throw UploadError(404, "NoSuchKey", "There is no archive \(archive).")
        }
        var fields = HTTPFields()
        fields[.contentType] = "application/zip"
        fields[.eTag] = "\"\(archive)\""
        fields[.acceptRanges] = "bytes"
        let range = try request.headers[.range].map { text throws(UploadError) in
            try Self.range(text, of: byteCount)
        }
        if let range { fields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(byteCount)" }
        let shown = range ?? 0..<byteCount
        let pieces = plane.code.pieces(of: archive, shown)
        let body = ResponseBody(contentLength: shown.count) { writer in
            for try await piece in pieces { try await writer.write(piece) }
            try await writer.finish(nil)
        }
        return Response(status: range == nil ? .ok : .partialContent, headers: fields, body: body)
    }

    /// `bytes=0-99` and `bytes=100-`, as clients ask that fetch an archive in parts.
    static func range(_ text: String, of byteCount: Int) throws(UploadError) -> Range<Int> {
        let unit = "bytes="
        let parts = text.dropFirst(unit.count).split(separator: "-", omittingEmptySubsequences: false)
        let last = parts.last == "" ? byteCount - 1 : parts.last.flatMap { Int($0) }
        guard text.hasPrefix(unit), parts.count == 2, let first = Int(parts[0]), let last, first >= 0, first <= last,
            first < byteCount
        else { throw UploadError(416, "InvalidRange", "The requested range is not satisfiable") }
        return first..<min(last, byteCount - 1) + 1
    }

    private static func translated(_ error: any Error) -> UploadError {
        switch error {
        case let error as UploadError: error
        case let error as PartRefusal: UploadError(error)
        case let error as LambdaError: UploadError(error)
        case let refusal as Refusal where refusal.status == .contentTooLarge:
            UploadError(400, "EntityTooLarge", refusal.message)
        case let refusal as Refusal: UploadError(refusal.status.code, "IncompleteBody", refusal.message)
        default: .unavailable("the archive could not be stored: \(error)")
        }
    }
}
