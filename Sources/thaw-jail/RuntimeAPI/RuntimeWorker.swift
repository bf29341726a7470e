import Linux
import Sandboxing
import Serving
import Wire

/// A worker whose program speaks Lambda's Runtime API.
enum RuntimeWorker {
    private static let port: UInt16 = 9001

    /// Starts the program in a network of its own, where it finds the API before it looks for it.
    static func begin(_ order: ProgramOrder, _ place: WorkerPlace) throws(LoadFailure) -> BegunWorker {
        let server: RuntimeServer
        let life: ProgramLife
        do throws(SystemError) {
            // The network with the way out is one for all workers of the function, and each has a port of its own in it.
            let isShared = order.settings.egress != nil
            if !isShared { try Namespaces.enterEmptyNetwork() }
            let listener = try FileDescriptor.listeningOnLoopback(port: isShared ? 0 : port)
            let port = isShared ? try listener.listeningPort() : port
            let program = order.program(
                "\(Jail.taskFolder)/\(order.image.handler)",
                adding: ["AWS_LAMBDA_RUNTIME_API=127.0.0.1:\(port)"]
            )
            let child = try program.start([0, 2, 2], under: order.filter)
            server = RuntimeServer(listener: listener, program: try ProcessHandle(pid: child))
            let handle = SharedDescriptor(try ProcessHandle(pid: child).takeDescriptor())
            life = ProgramLife(handle: handle, words: place.lastWords) { ExitSentence.text(of: child, during: $0) }
        } catch {
            throw LoadFailure(message: "Runtime.Unknown: the program could not be started: \(error)")
        }
        let log = CallLog(order)
        return BegunWorker(
            awaitProgram: { () throws(LoadFailure) in try awaitProgram(order, server, life) },
            afterCall: {
                server.acknowledge()
                log.end()
                life.endCall()
            },
            handler: { (request, caller) throws(CallFailure) in
                life.beginCall()
                let call = LambdaCall(of: request)
                log.begin(call.id)
                let event = Self.event(call, contentType: request.contentType, request.body)
                let outcome: RuntimeServer.Outcome
                do throws(RuntimeServer.ProgramEnded) {
                    outcome = try server.run(id: call.id, event, calling: caller)
                } catch {
                    life.end(during: call.id)
                }
                return try reply(outcome, server, life, call)
            }
        )
    }

    private static func awaitProgram(
        _ order: ProgramOrder,
        _ server: RuntimeServer,
        _ life: ProgramLife
    ) throws(LoadFailure) {
        let milliseconds = Int(order.settings.initMilliseconds)
        let isThere: Bool
        do throws(RuntimeServer.ProgramEnded) {
            isThere = try server.awaitFirstRequest(milliseconds: milliseconds)
        } catch {
            life.end(during: nil)
        }
        if let error = server.initError { throw LoadFailure(message: error.sentence) }
        guard isThere else {
            let sentence = "the program did not ask for a call within \(milliseconds) ms (limits.init)"
            throw LoadFailure(message: "Sandbox.Timedout: \(sentence)")
        }
        do throws(SystemError) {
            try life.watchBetweenCalls()
        } catch {
            throw LoadFailure(message: "Runtime.Unknown: its program cannot be watched: \(error)")
        }
    }

    private static func reply(
        _ outcome: RuntimeServer.Outcome,
        _ server: RuntimeServer,
        _ life: ProgramLife,
        _ call: LambdaCall
    ) throws(CallFailure) -> CallReply {
        switch outcome {
        case .reply(let contentType, let body):
            return CallReply(contentType: contentType, body: body)
        case .failed(let document):
            throw document.failure
        case .stream(let contentType):
            return CallReply(contentType: contentType, body: []) { () throws(CallFailure) in
                let piece: Result<[UInt8]?, RuntimeFailure>
                do throws(RuntimeServer.ProgramEnded) {
                    piece = try server.nextPiece()
                } catch {
                    life.end(during: call.id)
                }
                return try piece.mapError { $0.document.failure }.get()
            }
        }
    }

    /// The answer to `next`: the call as Lambda's runtimes expect it.
    static func event(_ call: LambdaCall, contentType: String, _ body: [UInt8]) -> [UInt8] {
        var head = """
            HTTP/1.1 200 OK\r
            Content-Type: \(HeaderText.line(contentType.isEmpty ? "application/json" : contentType))\r
            Content-Length: \(body.count)\r
            Lambda-Runtime-Aws-Request-Id: \(HeaderText.line(call.id))\r
            Lambda-Runtime-Deadline-Ms: \(call.deadlineMilliseconds)\r
            Lambda-Runtime-Invoked-Function-Arn: \(HeaderText.line(call.functionARN))\r

            """
        if !call.traceID.isEmpty { head += "Lambda-Runtime-Trace-Id: \(HeaderText.line(call.traceID))\r\n" }
        if !call.clientContext.isEmpty {
            head += "Lambda-Runtime-Client-Context: \(HeaderText.line(call.clientContext))\r\n"
        }
        return Array(head.utf8) + [UInt8(ascii: "\r"), UInt8(ascii: "\n")] + body
    }
}

extension LambdaCall {
    /// What the scheduler said of a call; a call of another form has a number of its own all the same.
    init(of request: CallRequest) {
        if case .lambda(let call) = request.form { self = call } else { self.init() }
        if id.isEmpty { id = "00000000-0000-0000-0000-000000000000" }
    }
}
