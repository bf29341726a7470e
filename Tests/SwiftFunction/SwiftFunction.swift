import FoundationEssentials
import ThawFunction

/// A program with a function for each thing that tests ask of `ThawFunction`; `_HANDLER` chooses one.
@main enum SwiftFunction {
    @MainActor static func main() async {
        switch ProcessInfo.processInfo.environment["_HANDLER"] {
        case "sum": await Sum.main()
        case "reverse": await Reverse.main()
        case "count": await Count.main()
        case "ask": await Ask.main()
        default: await Unwilling.main()
        }
    }
}

struct Refusal: Error, CustomStringConvertible {
    var description: String
}

/// JSON to JSON, with what the context says.
struct Sum: Function {
    struct Terms: Decodable {
        var terms: [Int]
    }

    struct Result: Encodable {
        var sum: Int
        var id: String
        var trace: String
        var hasTime: Bool
    }

    func handle(_ event: Terms, context: Context) async throws -> Result {
        guard !event.terms.isEmpty else { throw Refusal(description: "there are no terms") }
        // Another thread, and back.
        let sum = await Task.detached { event.terms.reduce(0, +) }.value
        print("summed")
        return Result(sum: sum, id: context.requestID, trace: context.traceID, hasTime: context.remaining > .zero)
    }
}

/// Bytes to bytes.
struct Reverse: Function {
    func handle(_ event: Bytes, context: Context) async throws -> Bytes {
        Bytes(event.bytes.reversed())
    }
}

/// Numbers, one a piece; an error behind them where the limit is negative.
struct Count: StreamingFunction {
    func handle(_ event: Int, reply: ReplyWriter, context: Context) async throws {
        reply.setContentType("text/event-stream")
        for number in 0..<abs(event) {
            try reply.write("data: \(number)\n\n")
        }
        if event < 0 { throw Refusal(description: "no further") }
    }
}

/// Asks another function, and says what came of it.
struct Ask: Function {
    struct Wish: Codable {
        var function: String
        var terms: [Int]
    }

    struct Answer: Codable {
        var terms: [Int]?
        var bytes: Int?
        var failed: String?
        var refused: String?
    }

    func handle(_ event: Wish, context: Context) async throws -> Answer {
        var answer = Answer()
        do {
            let reply: Wish = try await context.invoke(event.function, event)
            answer.terms = reply.terms
            let raw = try await context.invoke(event.function, Bytes("[1, 2]"), as: Bytes.self)
            answer.bytes = raw.bytes.count
        } catch let error as FunctionError {
            answer.failed = "\(error)"
        } catch let error as InvokeError {
            answer.refused = "\(error)"
        }
        return answer
    }
}

/// Cannot be made.
struct Unwilling: Function {
    init() async throws {
        throw Refusal(description: "not today")
    }

    func handle(_ event: Int, context: Context) async throws -> Int { event }
}
