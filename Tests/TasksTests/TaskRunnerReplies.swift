import Testing

@testable import Tasks

extension TaskRunner {
    /// The reply's text.
    func reply(to body: String) throws -> String {
        let reply = try run(TaskRequest(contentType: "application/json", body: Array(body.utf8)))
        #expect(reply.contentType == "application/json")
        return String(decoding: reply.body, as: UTF8.self)
    }

    /// The sentence of the refusal.
    func refusal(of body: String) -> String? {
        let failure = #expect(throws: TaskFailure.self) {
            _ = try run(TaskRequest(contentType: "application/json", body: Array(body.utf8)))
        }
        guard case .badInput(let sentence) = failure else { return failure.map { "\($0)" } }
        return sentence
    }
}
