import Foundation
import Trials

/// A stream of a real NATS server with JetStream, on its disk.
struct NATSBroker: Broker {
    static let program = "nats-server"
    static var isInstalled: Bool { BrokerProcess.path(of: program) != nil && Tree.hasPython }
    private let server: BrokerProcess

    init() async throws {
        server = try await BrokerProcess("nats-server") { port, folder in
            ["-a", "127.0.0.1", "-p", "\(port)", "-js", "-sd", folder]
        }
        try await server.start()
        let stream = #"{"name":"NUMBERS","subjects":["numbers.>"],"storage":"file"}"#
        try await request("$JS.API.STREAM.CREATE.NUMBERS", [stream])
    }

    var port: Int { server.port }
    var url: String { "nats://127.0.0.1:\(server.port)/?stream=NUMBERS&subject=numbers.%3E" }

    func publish(_ numbers: [Int]) async throws {
        try await request("numbers.some", numbers.map { "{\"number\": \($0)}" })
    }

    /// Sends each text and waits for its answer: NATS speaks lines, which need no client library.
    func request(_ subject: String, _ texts: [String], headers: String = "") async throws {
        let client = """
            import socket, sys
            subject, headers = sys.argv[2], sys.argv[3].encode().decode("unicode_escape").encode()
            link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            file = link.makefile("rb")
            file.readline()
            link.sendall(b'CONNECT {"verbose":false,"headers":true}\\r\\nSUB answers 1\\r\\n')
            for text in sys.argv[4:]:
                text = text.encode()
                if headers:
                    sizes = f"{len(headers)} {len(headers) + len(text)}"
                    link.sendall(f"HPUB {subject} answers {sizes}\\r\\n".encode() + headers + text + b"\\r\\n")
                else:
                    link.sendall(f"PUB {subject} answers {len(text)}\\r\\n".encode() + text + b"\\r\\n")
                while not (line := file.readline()).startswith(b"MSG"):
                    assert line, "the server has gone"
                answer = file.read(int(line.split()[-1]))
                assert b'"error"' not in answer, answer
            """
        let outcome = try await CommandOutcome.run(
            "/usr/bin/python3",
            ["-c", client, "\(port)", subject, headers] + texts
        )
        guard outcome.status == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: ["output": outcome.output + outcome.errors])
        }
    }

    func crash() async { await server.kill() }
    func restart() async throws { try await server.start() }
    func remove() async { await server.remove() }
}
