import Linux
import Serving
import Synchronization
import Testing
import Wire

@testable import thaw_jail

/// The Runtime API byte for byte, on one connection, against a program that knows every byte that it should read.
struct RuntimeServerTests {
    /// The program's side: it reads exactly what is expected, or says what came instead.
    private final class Program: Sendable {
        private let socket: FileDescriptor
        /// Open for as long as this.
        private let other: SharedDescriptor
        private let problem = Mutex<String?>(nil)
        private let isDone = Atomic<Bool>(false)

        init(_ socket: consuming FileDescriptor, beside other: SharedDescriptor) {
            self.socket = socket
            self.other = other
        }

        var outcome: (isDone: Bool, problem: String?) {
            (isDone.load(ordering: .acquiring), problem.withLock { $0 })
        }

        func start(_ life: @escaping @Sendable (Program) throws -> Void) throws {
            try Thread.start(named: "program") { [self] in
                do { try life(self) } catch { problem.withLock { $0 = $0 ?? "\(error)" } }
                isDone.store(true, ordering: .releasing)
            }
        }

        func write(_ text: String) throws {
            try socket.writeAll(Array(text.replacing("\n", with: "\r\n").utf8))
        }

        /// - Parameter body: what follows the head's empty line, whose line ends are left as they are.
        func expect(_ head: String, _ body: String) throws {
            let expected = Array((head.replacing("\n", with: "\r\n") + body).utf8)
            var got: [UInt8] = []
            while got.count < expected.count {
                let piece = try socket.read(countMax: expected.count - got.count)
                if piece.isEmpty { break }
                got += piece
            }
            if got != expected {
                problem.withLock {
                    $0 = $0 ?? "expected \(expected.count) bytes, got \(String(decoding: got, as: UTF8.self))"
                }
                throw Unexpected()
            }
        }
    }

    private struct Unexpected: Error {}

    /// A server with one connection, and the program at its other end.
    private func connected() throws -> (server: RuntimeServer, program: Program) {
        // Nobody connects to the listener: a socket on which nothing comes is as good, and needs no network.
        let silence = try DescriptorPair.streamSockets()
        let server = RuntimeServer(listener: silence.first, program: try ProcessHandle(pid: CurrentProcess.pid))
        let pair = try DescriptorPair.streamSockets()
        server.take(pair.first)
        return (server, Program(pair.second, beside: SharedDescriptor(silence.second)))
    }

    private static let base = "/2018-06-01/runtime/invocation"
    private static let accepted = "HTTP/1.1 202 Accepted\nContent-Type: application/json\nContent-Length: 16\n\n"
    private static let acceptedBody = "{\"status\":\"OK\"}\n"

    private static func call(_ number: Int) -> LambdaCall {
        var call = LambdaCall()
        call.id = "call-\(number)"
        call.functionARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
        call.deadlineMilliseconds = 1_800_000_000_000 + UInt64(number)
        return call
    }

    private static func eventHead(_ number: Int, _ body: String) -> String {
        """
        HTTP/1.1 200 OK
        Content-Type: application/json
        Content-Length: \(body.utf8.count)
        Lambda-Runtime-Aws-Request-Id: call-\(number)
        Lambda-Runtime-Deadline-Ms: \(1_800_000_000_000 + number)
        Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:f


        """
    }

    @Test
    func `ten thousand calls go over one connection, each with the headers of Lambda and an answer of exactly 202`()
        throws
    {
        let count = 10_000
        let (server, program) = try connected()
        try program.start { program in
            for number in 1...count {
                try program.write("GET \(Self.base)/next HTTP/1.1\nHost: 127.0.0.1:9001\nUser-Agent: a\n\n")
                try program.expect(Self.eventHead(number, "{\"n\":\(number)}"), "{\"n\":\(number)}")
                let reply = "\"\(number)\""
                try program.write(
                    "POST \(Self.base)/call-\(number)/response HTTP/1.1\nContent-Length: \(reply.count)\n\n\(reply)"
                )
                try program.expect(Self.accepted, Self.acceptedBody)
            }
        }
        for number in 1...count {
            let body = Array("{\"n\":\(number)}".utf8)
            let event = RuntimeWorker.event(Self.call(number), contentType: "", body)
            let outcome = try server.run(id: "call-\(number)", event) { _ in .ended }
            guard case .reply("application/json", let body) = outcome, body == Array("\"\(number)\"".utf8) else {
                Issue.record("call \(number) ended as \(outcome); \(program.outcome)")
                return
            }
            server.acknowledge()
        }
        while !program.outcome.isDone { Clock.sleep(milliseconds: 1) }
        #expect(program.outcome.problem == nil)
    }

    @Test func `a program that asks for its next call before its reply was taken hears of both in their order`() throws
    {
        let (server, program) = try connected()
        try program.start { program in
            try program.write("GET \(Self.base)/next HTTP/1.1\n\n")
            try program.expect(Self.eventHead(1, "1"), "1")
            let reply = "POST \(Self.base)/call-1/response HTTP/1.1\nContent-Length: 2\n\nok"
            try program.write("\(reply)GET \(Self.base)/next HTTP/1.1\n\n")
            try program.expect(Self.accepted, Self.acceptedBody)
            try program.expect(Self.eventHead(2, "2"), "2")
            try program.write("POST \(Self.base)/call-2/response HTTP/1.1\nContent-Length: 2\n\nok")
        }
        for number in 1...2 {
            let event = RuntimeWorker.event(Self.call(number), contentType: "", Array("\(number)".utf8))
            guard case .reply = try server.run(id: "call-\(number)", event, calling: { _ in .ended }) else {
                Issue.record("call \(number) has no reply; \(program.outcome)")
                return
            }
        }
        while !program.outcome.isDone { Clock.sleep(milliseconds: 1) }
        #expect(program.outcome.problem == nil)
    }

    @Test
    func `calls of other functions are made in their order, on the connection of the call, and told by their status`()
        throws
    {
        let (server, program) = try connected()
        try program.start { program in
            try program.write("GET \(Self.base)/next HTTP/1.1\n\n")
            try program.expect(Self.eventHead(1, "1"), "1")
            for (function, status, type, body) in [
                ("good", "200 OK", "text/plain", "hi!"),
                ("bad", "502 Bad Gateway", "application/json", #"{"errorMessage":"oh","errorType":"E"}"#),
                (
                    "none", "503 Service Unavailable", "application/json",
                    #"{"errorMessage":"no","errorType":"Thaw.CallRefused","stackTrace":[]}"#
                ),
            ] {
                try program.write(
                    "POST \(Self.base)/call-1/calls/\(function) HTTP/1.1\nContent-Type: text/plain\nContent-Length: 2\n\nhi"
                )
                try program.expect("HTTP/1.1 \(status)\nContent-Type: \(type)\nContent-Length: \(body.count)\n\n", body)
            }
            try program.write("POST \(Self.base)/call-1/response HTTP/1.1\nContent-Length: 2\n\nok")
            try program.expect(Self.accepted, Self.acceptedBody)
            try program.write("POST \(Self.base)/call-1/calls/late HTTP/1.1\nContent-Length: 2\n\nhi")
        }
        var called: [OutgoingCall] = []
        let event = RuntimeWorker.event(Self.call(1), contentType: "", Array("1".utf8))
        let outcome = try server.run(id: "call-1", event) { call in
            called.append(call)
            return switch call.function {
            case "good": .reply(contentType: "text/plain", body: call.body + Array("!".utf8))
            case "bad": .failure(.function, message: #"{"errorMessage":"oh","errorType":"E"}"#)
            default: .failure(.refused, message: "no")
            }
        }
        server.acknowledge()
        while !program.outcome.isDone { Clock.sleep(milliseconds: 1) }
        #expect(program.outcome.problem == nil)
        guard case .reply = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(called.map(\.function) == ["good", "bad", "none"])
        #expect(called.allSatisfy { $0.contentType == "text/plain" && $0.body == Array("hi".utf8) })
    }
}
