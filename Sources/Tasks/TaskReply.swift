package import Wire

/// What a task answers.
package struct TaskReply: Equatable, Sendable {
    package var contentType: String
    package var body: [UInt8]

    package init(contentType: String, body: [UInt8]) {
        self.contentType = contentType
        self.body = body
    }

    static func json(_ body: [UInt8]) -> TaskReply {
        TaskReply(contentType: "application/json", body: body)
    }
}

/// Why a task has no answer to a call.
package enum TaskFailure: Error, Equatable, Sendable {
    /// The caller's input; the sentence says what was expected and what came.
    case badInput(String)
    /// As `badInput`, and which part of the input it is.
    case badPart(InputFault, String)
    /// The model could not be run on well-formed input, or answered what is no number.
    case model(String)
}

extension TaskFailure {
    static func malformed(_ sentence: String) -> TaskFailure {
        .badPart(InputFault(.malformed, path: ""), sentence)
    }

    static func missing(_ path: String, _ sentence: String) -> TaskFailure {
        .badPart(InputFault(.missing, path: path), sentence)
    }

    static func invalid(_ path: String, _ sentence: String) -> TaskFailure {
        .badPart(InputFault(.invalid, path: path), sentence)
    }
}
