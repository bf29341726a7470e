/// What the queue API answers where it does not do what it was asked, in the service's own words.
package struct ClientQueueError: Error, Equatable, Sendable {
    /// The shape's name in the service's model.
    package let code: String
    /// The name that older clients know, and that stock ones make exceptions of.
    package let queryCode: String
    package let message: String

    init(_ code: String, query: String? = nil, _ message: String) {
        self.code = code
        queryCode = query ?? code
        self.message = message
    }

    private static func service(_ code: String, _ message: String) -> ClientQueueError {
        ClientQueueError(code, query: "AWS.SimpleQueueService." + code, message)
    }

    static let noSuchQueue = ClientQueueError(
        "QueueDoesNotExist",
        query: "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist."
    )
    static let emptyBatch = service("EmptyBatchRequest", "There should be at least one entry in the request.")
    static func tooManyEntries(_ count: Int) -> ClientQueueError {
        service("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent \(count).")
    }
    static func idNotDistinct(_ id: String) -> ClientQueueError {
        service("BatchEntryIdsNotDistinct", "Id \(id) repeated.")
    }
    static let badBatchID = service(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )
    static func batchTooLong(_ count: Int, _ bytesMax: Int) -> ClientQueueError {
        service(
            "BatchRequestTooLong",
            "Batch requests cannot be longer than \(bytesMax) bytes. You have sent \(count) bytes."
        )
    }
    static func exists(_ attribute: String) -> ClientQueueError {
        ClientQueueError(
            "QueueNameExists",
            query: "QueueAlreadyExists",
            "A queue already exists with the same name and a different value for attribute \(attribute)"
        )
    }
    static func badHandle(_ handle: String) -> ClientQueueError {
        ClientQueueError(
            "ReceiptHandleIsInvalid",
            "The input receipt handle \"\(handle.prefix(80))\" is not a valid receipt handle."
        )
    }
    static func notInFlight(_ handle: String) -> ClientQueueError {
        service(
            "MessageNotInflight",
            "Value \(handle.prefix(80)) for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
                + "available for visibility timeout change."
        )
    }
    static func badAttribute(_ name: String) -> ClientQueueError {
        ClientQueueError("InvalidAttributeName", "Unknown Attribute \(name).")
    }
    static func badAttributeValue(_ name: String) -> ClientQueueError {
        ClientQueueError("InvalidAttributeValue", "Invalid value for the parameter \(name).")
    }
    static func badParameter(_ message: String) -> ClientQueueError {
        ClientQueueError("InvalidParameterValueException", query: "InvalidParameterValue", message)
    }
    static func missing(_ name: String) -> ClientQueueError {
        ClientQueueError(
            "MissingRequiredParameterException",
            query: "MissingParameter",
            "The request must contain the parameter \(name)."
        )
    }
    static func noSuchTask(_ message: String) -> ClientQueueError {
        ClientQueueError("ResourceNotFoundException", message)
    }
    static func unsupported(_ message: String) -> ClientQueueError { service("UnsupportedOperation", message) }
    static func full(_ depthMax: Int) -> ClientQueueError {
        ClientQueueError("RequestThrottled", "The queue holds \(depthMax) messages, which is all that it may hold.")
    }
    static func unknownOperation(_ name: String) -> ClientQueueError {
        ClientQueueError(
            "UnknownOperationException",
            query: "InvalidAction",
            "This node has no operation \(name.prefix(80))"
        )
    }
    static func storage(_ reason: String) -> ClientQueueError {
        ClientQueueError("InternalError", query: "InternalFailure", reason)
    }

    package var status: Int {
        switch code {
        case "InternalError": 500
        case "RequestThrottled": 429
        default: 400
        }
    }
}
