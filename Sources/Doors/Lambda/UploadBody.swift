import Digests
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The bytes that a client of S3 uploads: out of their coding, counted, and held against what was said of them.
struct UploadBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    private let source: AdmittedBody
    private let announcement: Announcement
    private let signer: ChunkSigner?

    /// What the headers say of the body.
    struct Announcement: Sendable {
        /// `x-amz-content-sha256`: a digest, or a word for why there is none.
        var digest: String?
        /// Of the upload, where the body is in a coding.
        var byteCount: Int?
        var checksum: Checksum?

        enum Checksum: Sendable, Equatable {
            /// nil for a value that comes in a trailer.
            case cyclic(CyclicChecksum.Kind, String?)
            case sha256(String?)
        }

        private static let streaming = "STREAMING-"
        private static let prefix = "x-amz-checksum-"

        init(_ headers: HTTPFields) throws(UploadError) {
            func value(_ name: String) -> String? { headers[LambdaReply.name(name)] }
            digest = value("x-amz-content-sha256")
            if isChunked {
                guard let text = value("x-amz-decoded-content-length"), let count = Int(text), count >= 0 else {
                    throw UploadError(411, "MissingContentLength", "X-Amz-Decoded-Content-Length is missing.")
                }
                byteCount = count
            }
            let trailer = value("x-amz-trailer")?.lowercased()
            for field in headers where field.name.canonicalName.hasPrefix(Self.prefix) {
                try take(field.name.canonicalName, field.value)
            }
            if checksum == nil, let trailer, trailer.hasPrefix(Self.prefix) { try take(trailer, nil) }
        }

        private mutating func take(_ header: String, _ value: String?) throws(UploadError) {
            let name = String(header.dropFirst(Self.prefix.count))
            if let kind = CyclicChecksum.Kind(rawValue: name) {
                checksum = .cyclic(kind, value)
            } else if name == "sha256" {
                checksum = .sha256(value)
            } else if name == "sha1" || name == "md5" {
                throw UploadError(
                    501,
                    "NotImplemented",
                    "Uploads have no \(name) here; crc32, crc64nvme or sha256 will do."
                )
            }
        }

        var isChunked: Bool { digest?.hasPrefix(Self.streaming) == true }
        var hasSignedChunks: Bool { digest?.hasPrefix("STREAMING-AWS4-HMAC-SHA256-PAYLOAD") == true }

        /// The digest of the body that was signed; nil where nobody named one.
        var bodyDigest: String? {
            guard let digest, !isChunked, digest != SignatureVerifier.unsignedPayload else { return nil }
            return digest
        }
    }

    /// - Parameter signer: checks signed chunks; nil where nobody has to sign.
    init(
        _ request: Request,
        _ context: DoorContext,
        bytesMax: Int,
        signer: ChunkSigner?
    ) throws {
        announcement = try Announcement(request.headers)
        guard announcement.byteCount ?? 0 <= bytesMax else {
            throw UploadError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        }
        // A chunk of a client has 64 KiB or more, and a line of a hundred bytes; and there are trailers.
        let coded = announcement.isChunked ? bytesMax / 64 + ChunkedUpload.lineBytesMax * 32 : 0
        source = try AdmittedBody(of: request, context, bytesMax: bytesMax + coded)
        self.signer = announcement.hasSignedChunks ? signer : nil
    }

    /// Refuses bytes that are not those that were signed.
    ///
    /// - Parameter digest: SHA-256 of what came, in hexadecimal.
    func check(_ digest: String) throws(UploadError) {
        guard announcement.bodyDigest ?? digest == digest else {
            throw UploadError(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed."
            )
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

    struct AsyncIterator: AsyncIteratorProtocol {
        private var pieces: AdmittedBody.AsyncIterator
        private let announcement: Announcement
        private var chunks: ChunkedUpload?
        private var cyclic: CyclicChecksum?
        private var digest: SHA256?

        fileprivate init(_ body: UploadBody) {
            pieces = body.source.makeAsyncIterator()
            announcement = body.announcement
            chunks = announcement.isChunked ? ChunkedUpload(signer: body.signer) : nil
            switch announcement.checksum {
            case .cyclic(let kind, _): cyclic = CyclicChecksum(kind)
            case .sha256: digest = SHA256()
            case nil: break
            }
        }

        @concurrent
        mutating func next() async throws -> ByteBuffer? {
            while let piece = try await pieces.next() {
                var uploaded = piece
                if chunks != nil {
                    guard let bytes = try chunks?.take(piece.readableBytesView), !bytes.isEmpty else { continue }
                    uploaded = ByteBuffer(bytes: bytes)
                }
                if cyclic != nil {
                    unsafe uploaded.withUnsafeReadableBytes { cyclic?.update(unsafe RawSpan(_unsafeBytes: $0)) }
                }
                digest?.update(Array(uploaded.readableBytesView))
                return uploaded
            }
            try checkEnd()
            return nil
        }

        private mutating func checkEnd() throws {
            if let chunks {
                guard chunks.isOver, chunks.byteCount == announcement.byteCount else {
                    throw UploadError.malformedChunk("it ends early, or is longer than X-Amz-Decoded-Content-Length")
                }
            }
            switch announcement.checksum {
            case .cyclic(let kind, let header):
                let name = "x-amz-checksum-\(kind.rawValue)"
                guard (header ?? chunks?.trailer(name)) == cyclic?.text else { throw UploadError.badDigest(name) }
            case .sha256(let header):
                let name = "x-amz-checksum-sha256"
                guard let taken = digest.take() else { return }
                let text = Data(try taken.finalize()).base64EncodedString()
                guard (header ?? chunks?.trailer(name)) == text else { throw UploadError.badDigest(name) }
            case nil: break
            }
        }
    }
}
