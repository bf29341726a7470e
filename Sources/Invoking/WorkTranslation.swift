import Fleet
import Metering
import Scheduling
import Wire

extension Failure {
    /// What the fleet's failure means to a caller.
    init(_ failure: WorkFailure, timeoutMilliseconds: Int, payloadBytesMax: Int) {
        switch failure {
        case .refused(let refusal):
            self = Failure(refusal)
        case .answered(.badInput, let message):
            self = .badInput(message)
        case .answered(.badPart, let message):
            // A worker that sends no fault there has still sent a sentence.
            let part = InputFault.parse(message)
            self = .badInput(part?.sentence ?? message, part?.fault)
        case .answered(.tooLarge, _):
            self = .tooLarge(bytesMax: payloadBytesMax)
        case .answered(.model, let message):
            self = .model(message)
        case .answered(.function, let message):
            self = .function(message)
        case .died(let reason):
            self = .died(reason: reason)
        case .timedOut:
            self = .timedOut(milliseconds: timeoutMilliseconds)
        case .cancelled:
            self = .cancelled
        case .contractBroken(let complaint):
            self = .contractBroken("the worker sent \(complaint)")
        case .interrupted:
            self = .unavailable("the scheduler ended while the call was in progress")
        }
    }

    private init(_ refusal: Refusal) {
        switch refusal {
        case .draining:
            self = .draining
        case .unknownPool:
            self = .unavailable("the function was deleted while the call was on its way")
        case .queueFull(let seconds), .deadlineUnreachable(let seconds), .queueTimedOut(let seconds):
            self = .overloaded(retryAfterSeconds: seconds)
        }
    }
}

extension Failure {
    /// The receipt's short word for how the call ended.
    var outcome: Receipt.Outcome {
        switch self {
        case .timedOut: .timedOut
        case .cancelled: .cancelled
        case .died, .contractBroken: .died
        case .overloaded, .draining, .unavailable: .rejected
        case .unknownFunction, .unknownQualifier, .tooLarge, .badInput, .model, .function: .failed
        }
    }

    /// The receipt's sentence, and the log's.
    package var reason: String {
        switch self {
        case .unknownFunction(let name): "there is no function \"\(name)\""
        case .unknownQualifier(let function, let qualifier):
            "function \"\(function)\" has no version or alias \"\(qualifier)\""
        case .tooLarge(let bytesMax): "the body is larger than \(bytesMax) bytes"
        case .badInput(let message, _): message
        case .overloaded: "too many calls wait for a worker"
        case .draining: "the scheduler is draining"
        case .timedOut(let milliseconds): "the call ran for longer than \(milliseconds) ms"
        case .cancelled: "the caller went away, and the call was ended"
        case .died(let reason): reason
        case .model(let message), .function(let message): message
        case .contractBroken(let complaint): complaint
        case .unavailable(let reason): reason
        }
    }
}
