import Foundation
import Testing
import Trials

/// Functions that may connect to the outside, and their neighbours that may not, on a real node.
@Suite(
    .serialized,
    .enabled(
        if: Tree.isRoot && Tree.hasPython && FileManager.default.isExecutableFile(atPath: "/usr/bin/pasta")
            && ["/usr/sbin/ip", "/sbin/ip"].contains { FileManager.default.isExecutableFile(atPath: $0) },
        "a second network is made by root with ip, and pasta leads there; deploy/packages installs it"
    )
)
struct EgressTests {
    /// A network beside the machine's, see the script.
    private struct Neighbor {
        /// The machine's own address there.
        let ours: String
        /// Of a server that answers GET /hello with `beside` on port 8000.
        let theirs: String

        static func with(_ body: (Neighbor) async throws -> Void) async throws {
            let process = Process()
            let (input, output) = (Pipe(), Pipe())
            process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            let script = Tree.root.appendingPathComponent("Tests/SystemTests/Clients/beside.py").path
            process.arguments = [script]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            // It ends with its input.
            defer { try? input.fileHandleForWriting.close() }
            var line = Data()
            while line.last != UInt8(ascii: "\n") {
                let piece = output.fileHandleForReading.availableData
                try #require(!piece.isEmpty, "the script has ended")
                line += piece
            }
            let words = String(decoding: line.dropLast(), as: UTF8.self).split(separator: " ")
            try #require(words.count == 2, "\(words)")
            try await body(Neighbor(ours: String(words[0]), theirs: String(words[1])))
        }
    }

    private static let handler = """
        import http.client
        def handler(event, context):
            try:
                connection = http.client.HTTPConnection(event["host"], event["port"], timeout=3)
                connection.request("GET", event["path"])
                return connection.getresponse().read().decode()
            except OSError as error:
                return f"{type(error).__name__}: {error}"
        """

    /// Speaks the Runtime API, and asks what the event names.
    private static let program = """
        #!/usr/bin/python3
        import http.client, json, os
        while True:
            api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
            api.request("GET", "/2018-06-01/runtime/invocation/next")
            call = api.getresponse()
            event = json.loads(call.read())
            try:
                connection = http.client.HTTPConnection(event["host"], event["port"], timeout=3)
                connection.request("GET", event["path"])
                text = connection.getresponse().read().decode()
            except OSError as error:
                text = f"{type(error).__name__}: {error}"
            path = f"/2018-06-01/runtime/invocation/{call.headers['Lambda-Runtime-Aws-Request-Id']}/response"
            api.request("POST", path, json.dumps(text))
            api.getresponse().read()
        """

    private func ask(_ node: TrialNode, _ function: String, _ host: String, _ port: Int, _ path: String) async throws
        -> String
    {
        let answer = try await node.invoke(function, #"{"host": "\#(host)", "port": \#(port), "path": "\#(path)"}"#)
        return answer.text
    }

    @Test func `a function with the grant reaches another machine and not this one, its neighbour reaches nothing`()
        async throws
    {
        try await Neighbor.with { neighbor in
            let node = try await TrialNode(programs: Tree.programs, arguments: [])
            defer { node.removeData() }
            let python = "runtime: python3\nhandler: app.handler\n"
            for (name, manifest, file, text) in [
                ("open", python + "network: egress\n", "app.py", Self.handler),
                ("program", "runtime: provided\nnetwork: egress\nscaling: {max: 2}\n", "bootstrap", Self.program),
                ("shut", python, "app.py", Self.handler),
            ] {
                let bundle = try TrialBundle("name: \(name)\n" + manifest, files: [file: Data(text.utf8)])
                defer { bundle.remove() }
                let deployed = try await node.thaw("deploy", bundle.path)
                try #require(deployed.status == 0, "\(deployed.errors)")
            }
            let port = try #require(node.url.split(separator: ":").last.flatMap { Int($0) })
            for name in ["open", "program"] {
                #expect(try await ask(node, name, neighbor.theirs, 8000, "/hello").contains("beside"), "\(name)")
                // Neither the node's own door, nor the machine by another of its addresses, nor a cloud's credentials.
                let refused = try await ask(node, name, "127.0.0.1", port, "/healthz")
                #expect(refused.contains("ConnectionRefusedError"), "\(name): \(refused)")
                for address in [neighbor.ours, "169.254.169.254"] {
                    let answer = try await ask(node, name, address, 80, "/")
                    #expect(answer.contains("No route to host") || answer.contains("unreachable"), "\(name): \(answer)")
                }
            }
            let shut = try await ask(node, "shut", neighbor.theirs, 8000, "/hello")
            #expect(shut.contains("Network is unreachable"), "\(shut)")
            // Two workers in one network, each on a port of its own.
            async let one = ask(node, "program", neighbor.theirs, 8000, "/hello")
            async let two = ask(node, "program", neighbor.theirs, 8000, "/hello")
            let answers = try await [one, two]
            #expect(answers.allSatisfy { $0.contains("beside") }, "\(answers)")
            #expect(await node.stop() == 0)
        }
    }
}
