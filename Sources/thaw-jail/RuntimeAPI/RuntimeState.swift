import Wire

/// Where a program stands in Lambda's Runtime API, as a value: requests and calls go in, decisions come out.
///
/// ```
/// started ──next──► ready ──(call)──► running ──response──► answering ──(its end)──► answered ──next──► ready
///    └─init/error─► failed               └─────error──────────┘
/// ```
struct RuntimeState: Equatable {
    enum Phase: Equatable {
        case started
        /// A connection waits for a call.
        case ready
        case running(id: String)
        /// The head of a response has come, its body not all.
        case answering(id: String)
        case answered
        case failed
    }

    /// What a request's path and method mean.
    enum Request: Equatable {
        case next
        case response(id: String)
        case error(id: String)
        /// A call of another function, in the middle of the one of that id. Ours; Lambda has no such request.
        case call(id: String, function: String)
        case initError
        case ping
        case unknown
    }

    /// What becomes of a request once its head is there.
    enum Decision: Equatable {
        /// It waits until there is a call.
        case hold
        /// Its body is the call's reply.
        case takeReply
        case takeStream
        /// Its body says why the call failed.
        case takeError
        /// Its body is what another function is called with.
        case takeCall(id: String, function: String)
        /// Its body says why the program cannot begin.
        case takeInitError
        case answer(status: Int, body: String)
    }

    private(set) var phase = Phase.started
    /// Calls that have ended: a late answer to one is told so.
    private var lastID = ""

    private static let prefix = "/2018-06-01/"

    /// Reads a path; the query, which nobody sends, is passed over.
    static func request(_ method: String, _ target: String) -> Request {
        let path = target.prefix { $0 != "?" }
        if path == "/ping" || path == "/2018-06-01/ping" { return method == "GET" ? .ping : .unknown }
        guard path.hasPrefix(prefix) else { return .unknown }
        let parts = path.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        switch (method, parts.count) {
        case ("GET", 3) where parts.elementsEqual(["runtime", "invocation", "next"]):
            return .next
        case ("POST", 3) where parts.elementsEqual(["runtime", "init", "error"]):
            return .initError
        case ("POST", 4) where parts[0] == "runtime" && parts[1] == "invocation" && parts[3] == "response":
            return .response(id: String(parts[2]))
        case ("POST", 4) where parts[0] == "runtime" && parts[1] == "invocation" && parts[3] == "error":
            return .error(id: String(parts[2]))
        case ("POST", 5) where parts[0] == "runtime" && parts[1] == "invocation" && parts[3] == "calls":
            return .call(id: String(parts[2]), function: String(parts[4]))
        default:
            return .unknown
        }
    }

    /// - Parameter mode: the header that says how the response comes, where there is one.
    mutating func decide(_ request: Request, mode: String?) -> Decision {
        switch request {
        case .ping: return .answer(status: 200, body: "pong")
        case .unknown: return .answer(status: 404, body: Self.error("404 page not found", "NotFound"))
        case .next: return next()
        case .initError:
            guard phase == .started else { return refuse("InitError") }
            phase = .failed
            return .takeInitError
        case .response(let id):
            if let refusal = check(id, "InvocationResponse") { return refusal }
            guard mode == nil || mode?.lowercased() == "streaming" else {
                let words = "Invalid function response mode: \(mode ?? "")"
                return .answer(status: 400, body: Self.error(words, "InvalidFunctionResponseMode"))
            }
            phase = .answering(id: id)
            return mode == nil ? .takeReply : .takeStream
        case .error(let id):
            if let refusal = check(id, "InvocationErrorResponse") { return refusal }
            phase = .answering(id: id)
            return .takeError
        case .call(let id, let function):
            if let refusal = check(id, "Call") { return refusal }
            guard (1...WireLimits.modelNameBytesMax).contains(function.utf8.count) else {
                return .answer(status: 404, body: Self.error("No function can have this name", "NotFound"))
            }
            return .takeCall(id: id, function: function)
        }
    }

    /// A call goes to the program, which has asked for one.
    mutating func begin(id: String) {
        phase = .running(id: id)
        lastID = id
    }

    /// The body of a response or an error is all there.
    mutating func endAnswer() {
        if case .answering = phase { phase = .answered }
    }

    /// What is told to a program whose call of another function is whole when its own call is over; nil while it is not.
    func refusalOfCall(in id: String) -> Decision? { check(id, "Call") }

    /// A response that was too large is none: the program may still say that it failed.
    mutating func refuseAnswer() {
        if case .answering = phase { phase = .answered }
    }

    private mutating func next() -> Decision {
        switch phase {
        // A program that asks again, as after a lost connection, waits in the earlier one's place.
        case .started, .ready, .answered:
            phase = .ready
            return .hold
        case .running, .answering: return .hold
        case .failed: return refuse("Ready")
        }
    }

    private func check(_ id: String, _ state: String) -> Decision? {
        switch phase {
        case .running(id): return nil
        case .answered where id == lastID, .answering(id): return refuse(state)
        default: return .answer(status: 400, body: Self.error("Invalid request ID", "InvalidRequestID"))
        }
    }

    private func refuse(_ state: String) -> Decision {
        let words =
            "State transition from \(phase.name) to \(state) failed for runtime. Error: State transition is not allowed"
        return .answer(status: 403, body: Self.error(words, "InvalidStateTransition"))
    }

    /// The document of an error; the words are ours and need no escapes.
    static func error(_ message: String, _ type: String) -> String {
        "{\"errorMessage\":\"\(message)\",\"errorType\":\"\(type)\"}\n"
    }
}

extension RuntimeState.Phase {
    /// As Lambda's own emulator calls it.
    fileprivate var name: String {
        switch self {
        case .started: "Started"
        case .ready: "Ready"
        case .running: "Running"
        case .answering: "InvocationResponse"
        case .answered: "RuntimeResponseSent"
        case .failed: "InitError"
        }
    }
}
