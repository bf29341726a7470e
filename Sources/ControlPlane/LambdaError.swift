/// What the Lambda API answers where it does not do what it was asked, in the service's own words.
package struct LambdaError: Error, Equatable, Sendable {
    package var code: Code
    package var message: String
    /// Why a call was throttled; only with ``Code/tooManyRequests``.
    package var throttleReason: String?

    package init(_ code: Code, _ message: String, throttleReason: String? = nil) {
        self.code = code
        self.message = message
        self.throttleReason = throttleReason
    }

    /// The error's name, as clients make exceptions of.
    package enum Code: String, Sendable, CaseIterable {
        case accessDenied = "AccessDeniedException"
        case codeStorageExceeded = "CodeStorageExceededException"
        case codeSigningConfigNotFound = "CodeSigningConfigNotFoundException"
        case conflict = "ConflictException"
        case expiredToken = "ExpiredTokenException"
        case incompleteSignature = "IncompleteSignatureException"
        case invalidParameterValue = "InvalidParameterValueException"
        case invalidRequestContent = "InvalidRequestContentException"
        case invalidSignature = "InvalidSignatureException"
        case missingAuthenticationToken = "MissingAuthenticationTokenException"
        case preconditionFailed = "PreconditionFailedException"
        case provisionedNotFound = "ProvisionedConcurrencyConfigNotFoundException"
        case requestTooLarge = "RequestTooLargeException"
        case resourceConflict = "ResourceConflictException"
        case resourceNotFound = "ResourceNotFoundException"
        case resourceNotReady = "ResourceNotReadyException"
        case serialization = "SerializationException"
        case service = "ServiceException"
        case tooManyRequests = "TooManyRequestsException"
        case unknownOperation = "UnknownOperationException"
        case unrecognizedClient = "UnrecognizedClientException"
        case unsupportedMediaType = "UnsupportedMediaTypeException"
        case validation = "ValidationException"
    }

    package var status: Int {
        switch code {
        case .invalidParameterValue, .invalidRequestContent, .validation, .codeStorageExceeded, .serialization: 400
        case .accessDenied, .incompleteSignature, .invalidSignature, .missingAuthenticationToken, .expiredToken,
            .unrecognizedClient:
            403
        case .resourceNotFound, .provisionedNotFound, .codeSigningConfigNotFound, .unknownOperation: 404
        case .resourceConflict, .conflict: 409
        case .preconditionFailed: 412
        case .requestTooLarge: 413
        case .unsupportedMediaType: 415
        case .tooManyRequests: 429
        case .service: 500
        case .resourceNotReady: 502
        }
    }

    /// The reply's body: the message's key is written with one letter or the other, by the error, as the service does.
    package var document: JSONValue {
        var members: [String: JSONValue] = [:]
        switch code {
        case .resourceNotFound, .service, .codeSigningConfigNotFound, .accessDenied:
            members["Message"] = .text(message)
        default:
            members["message"] = .text(message)
        }
        switch code {
        case .validation, .accessDenied, .incompleteSignature, .invalidSignature, .missingAuthenticationToken,
            .expiredToken, .unrecognizedClient, .unknownOperation, .serialization:
            break
        case .service: members["Type"] = "Service"
        default: members["Type"] = "User"
        }
        if let throttleReason { members["Reason"] = .text(throttleReason) }
        return .object(members)
    }
}

/// Refusals that more than one operation gives, in recorded words.
extension LambdaError {
    package static func functionNotFound(_ arn: String) -> LambdaError {
        LambdaError(.resourceNotFound, "Function not found: \(arn)")
    }

    static let noSuchResource = LambdaError(.resourceNotFound, "The resource you requested does not exist.")

    static let staleRevision = LambdaError(
        .preconditionFailed,
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
            + "the latest Revision Id"
    )

    package static let reservedConcurrencyReached = LambdaError(
        .tooManyRequests,
        "Rate Exceeded.",
        throttleReason: "ReservedFunctionConcurrentInvocationLimitExceeded"
    )

    static func invalid(_ message: String) -> LambdaError { LambdaError(.invalidParameterValue, message) }

    /// One value that a constraint of the API's model refuses.
    package static func constraint(_ value: String, at place: String, _ constraint: String) -> LambdaError {
        LambdaError(
            .validation,
            "1 validation error detected: Value '\(value)' at '\(place)' failed to satisfy constraint: \(constraint)"
        )
    }

    static func storage(_ error: any Error) -> LambdaError {
        LambdaError(.service, "the control plane's records cannot be written: \(error)")
    }
}
