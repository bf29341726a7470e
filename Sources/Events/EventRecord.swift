import ControlPlane
import Metering

/// What a destination is told of an event that is over.
struct EventRecord: Sendable {
    let event: QueuedEvent
    let condition: EventPolicy.Condition
    let outcome: EventOutcome
    private let executed: String?
    private let unixMilliseconds: Int64

    init(
        _ event: QueuedEvent,
        _ outcome: EventOutcome,
        _ condition: EventPolicy.Condition,
        executed: String?,
        nowUnixMilliseconds: Int64
    ) {
        self.event = event
        self.outcome = outcome
        self.condition = condition
        self.executed = executed
        unixMilliseconds = nowUnixMilliseconds
    }

    /// What an older dead letter says beside the event.
    var deadLetterAttributes: JSONValue {
        func text(_ value: String) -> JSONValue { ["DataType": "String", "StringValue": .text(value)] }
        var message = condition.rawValue
        if case .failed(let body) = outcome, let said = JSONValue(parsing: body)?["errorMessage"]?.text {
            message = said
        }
        return [
            "RequestID": text(event.id.description),
            "ErrorCode": ["DataType": "Number", "StringValue": "200"],
            "ErrorMessage": text(String(message.prefix(1024))),
        ]
    }

    /// - Parameter isWhole: with what was asked and what came of it, which a long chain would double with each record.
    func document(functionARN: String, isWhole: Bool = true) -> JSONValue {
        let time = CalendarTime(unixNanoseconds: UInt64(unixMilliseconds) * 1_000_000).description
        var response: JSONValue?
        var payload: JSONValue?
        switch outcome {
        case .succeeded(let body):
            response = ["statusCode": 200, "executedVersion": .text(executed ?? "$LATEST")]
            payload = isWhole ? JSONValue(parsing: body) : nil
        case .failed(let body):
            response = [
                "statusCode": 200, "executedVersion": .text(executed ?? "$LATEST"), "functionError": "Unhandled",
            ]
            payload = isWhole ? JSONValue(parsing: body) : nil
        case .throttled, .stopped, .gone:
            break
        }
        return .present([
            "version": "1.0",
            // Three digits after the second.
            "timestamp": .text(String(time.prefix(23)) + "Z"),
            "requestContext": [
                "requestId": .text(event.id.description),
                "functionArn": .text(functionARN),
                "condition": .text(condition.rawValue),
                "approximateInvokeCount": .integer(condition == .zeroConcurrency ? 0 : event.attempts),
            ],
            "requestPayload": isWhole ? JSONValue(parsing: event.body) ?? .null : .null,
            "responseContext": response,
            "responsePayload": payload,
        ])
    }
}
