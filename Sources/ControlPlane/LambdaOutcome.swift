package import Invoking
import Metering
package import NIOCore

/// What a call's end means to a caller of the Lambda API: a reply, an error of the function's own, or a refusal.
package struct LambdaOutcome: Sendable {
    package var isFunctionError: Bool
    package var contentType: String
    package var body: ByteBuffer

    /// - Parameter isReserved: the function has concurrency of its own, so that it is what was used up.
    /// - Throws: where the call was not run.
    package init(_ completion: Completion, isReserved: Bool) throws(LambdaError) {
        switch completion.result {
        case .success(let reply):
            isFunctionError = false
            contentType = reply.contentType
            body = reply.body
        case .failure(let failure):
            let error = try Self.functionError(failure, id: completion.id.description, isReserved: isReserved)
            isFunctionError = true
            contentType = "application/json"
            body = ByteBuffer(bytes: error.bytes)
        }
    }

    private static func functionError(
        _ failure: Failure,
        id: String,
        isReserved: Bool
    ) throws(LambdaError) -> JSONValue {
        func unhandled(_ type: String, _ message: String) -> JSONValue {
            ["errorType": .text(type), "errorMessage": .text(message)]
        }
        switch failure {
        case .timedOut(let milliseconds):
            let hundredths = (milliseconds + 5) / 10
            let rest = hundredths % 100
            let seconds = "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
            return unhandled("Sandbox.Timedout", "RequestId: \(id) Error: Task timed out after \(seconds) seconds")
        case .died(let reason):
            return unhandled(deathName(reason), "RequestId: \(id) Error: \(reason)")
        case .contractBroken(let complaint):
            return unhandled("Runtime.ExitError", "RequestId: \(id) Error: \(complaint)")
        case .cancelled:
            return unhandled("Runtime.ExitError", "RequestId: \(id) Error: the caller went away")
        case .function(let error):
            // As the runtime posted it.
            return JSONValue(parsing: error.utf8) ?? unhandled("Function.Unknown", error)
        case .model(let message):
            return unhandled("Function.ModelError", message)
        case .badInput(let message, _):
            return unhandled("Function.BadInput", message)
        case .tooLarge(let bytesMax):
            throw LambdaError(
                .requestTooLarge,
                "Request must be smaller than \(bytesMax) bytes for the InvokeFunction operation"
            )
        case .overloaded:
            throw LambdaError(
                .tooManyRequests,
                "Rate Exceeded.",
                throttleReason: isReserved
                    ? "ReservedFunctionConcurrentInvocationLimitExceeded" : "ConcurrentInvocationLimitExceeded"
            )
        case .unknownFunction(let name), .unknownQualifier(let name, _):
            throw LambdaError(.resourceNotFound, "Function not found: \(name)")
        case .draining, .unavailable:
            throw LambdaError(.service, failure.reason)
        }
    }

    private static func deathName(_ reason: String) -> String {
        reason.contains("memory") ? "Runtime.OutOfMemory" : "Runtime.ExitError"
    }
}
