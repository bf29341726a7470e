import ThawFunction

struct Question: Decodable {
    var name: String?
}

struct Answer: Encodable {
    var greeting: String
}

/// Says hello.
@main struct Greeter: Function {
    func handle(_ event: Question, context: Context) async throws -> Answer {
        Answer(greeting: "Hello, \(event.name ?? "world")!")
    }
}
