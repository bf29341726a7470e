import ControlPlane

/// What S3 would answer where an upload is not taken.
struct UploadError: Error, Equatable {
    var status: Int
    var code: String
    var message: String

    init(_ status: Int, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    static func malformedChunk(_ problem: String) -> UploadError {
        UploadError(400, "IncompleteBody", "The body is no aws-chunked: \(problem).")
    }

    static let badSignature = UploadError(
        403,
        "SignatureDoesNotMatch",
        "A chunk of the body is not what its signature was calculated for."
    )

    static func badDigest(_ name: String) -> UploadError {
        UploadError(400, "BadDigest", "The \(name) you specified did not match the calculated checksum.")
    }

    static func unavailable(_ message: String) -> UploadError { UploadError(500, "InternalError", message) }

    static let noSuchUpload = UploadError(
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    )

    init(_ refusal: PartRefusal) {
        switch refusal {
        case .noSuchUpload: self = .noSuchUpload
        case .tooMany: self.init(503, "SlowDown", "Too many uploads are open: complete or abort some.")
        case .tooLarge: self.init(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        case .unknownPart(let number):
            self.init(400, "InvalidPart", "Part \(number) could not be found, or its entity tag is another.")
        case .outOfOrder:
            self.init(400, "InvalidPartOrder", "The list of parts was not in ascending order, or empty.")
        }
    }

    init(_ error: LambdaError) {
        let code =
            switch error.code {
            case .invalidSignature, .incompleteSignature: "SignatureDoesNotMatch"
            case .unrecognizedClient: "InvalidAccessKeyId"
            case .accessDenied, .missingAuthenticationToken: "AccessDenied"
            case .expiredToken: "ExpiredToken"
            case .resourceNotFound: "NoSuchKey"
            case .requestTooLarge: "EntityTooLarge"
            case .service: "InternalError"
            default: "InvalidRequest"
            }
        self.init(error.status, code, error.message)
    }
}
