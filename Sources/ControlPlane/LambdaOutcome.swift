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
            let (type, words) = death(reason)
            return unhandled(type, words.hasPrefix("RequestId: ") ? words : "RequestId: \(id) Error: \(words)")
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

    /// A death in the service's words, where it has some.
    private static func death(_ reason: String) -> (type: String, words: String) {
        // The jail says it in these words already: `Runtime.ExitError: RequestId: … Error: …`.
        for type in ["Runtime.ExitError", "Sandbox.Timedout", "Runtime.OutOfMemory"] where reason.hasPrefix(type + ": ")
        {
            return (type, String(reason.dropFirst(type.count + 2)))
        }
        if reason.hasPrefix("memory:") { return ("Runtime.OutOfMemory", reason) }
        let exit = "exit: ended with status "
        if reason.hasPrefix(exit) {
            let status = reason.dropFirst(exit.count).prefix { $0.isNumber }
            return ("Runtime.ExitError", "Runtime exited with error: exit status \(status)")
        }
        if reason.contains("SIGKILL") { return ("Runtime.ExitError", "Runtime exited with error: signal: killed") }
        return ("Runtime.ExitError", reason)
    }
}
