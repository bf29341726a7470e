import AWSLambdaRuntime

struct Question: Decodable {
    var name: String
}

struct Answer: Encodable {
    var greeting: String
    var requestID: String
}

@main
struct Greeter {
    static func main() async throws {
        let runtime = LambdaRuntime { (question: Question, context: LambdaContext) in
            Answer(greeting: "Hello, \(question.name)!", requestID: context.requestID)
        }
        try await runtime.run()
    }
}
