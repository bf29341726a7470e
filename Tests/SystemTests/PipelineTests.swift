import Foundation
import Testing
import Trials

/// The example of `functions/pipeline`, in a folder of the test's own.
@Suite(.enabled(if: Tree.isRoot && Tree.hasPython, "the functions are in Python, in namespaces of their own"))
struct PipelineTests {
    @Test func `a file arrives, its digits are read one by one, summed up, and told to a file and a web address`()
        async throws
    {
        let inbox = try TrialNode.freshDirectory()
        let hook = try await Webhook()
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--watchable", inbox])
        let folder = Tree.functions.appendingPathComponent("pipeline")
        // As they stand, but for the folder and for who is told at the end.
        let classify = try Self.copy(folder, "classify", replacing: "/tmp/thaw-inbox", with: inbox)
        let summary = try Self.copy(folder, "summary", replacing: "file:pipeline", with: hook.url)
        defer {
            for bundle in [classify, summary] { bundle.remove() }
            node.removeData()
            try? FileManager.default.removeItem(atPath: inbox)
        }
        for path in [Tree.functions.appendingPathComponent("digits").path, classify.path, summary.path] {
            let deployed = try await node.thaw("deploy", path)
            try #require(deployed.status == 0, "\(deployed.errors)")
        }
        let request = try Data(contentsOf: folder.appendingPathComponent("request.json"))
        try request.write(to: URL(fileURLWithPath: inbox + "/request.json"), options: .atomic)
        let expected = try String(contentsOf: folder.appendingPathComponent("expected.json"), encoding: .utf8)
        let isTold = try await node.until(seconds: 30) { _ in hook.received.contains("responsePayload") }
        let events = try await node.thaw("events").output
        #expect(isTold, "\(events)")
        let told = try #require(try JSONSerialization.jsonObject(with: Data(hook.received.utf8)) as? [String: Any])
        let wanted = try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? NSDictionary
        #expect(told["responsePayload"] as? NSDictionary == wanted, "\(hook.received)")
        #expect(FileManager.default.fileExists(atPath: inbox + "/.done/request.json"))
        // One call of digits for each image, each with the call of classify as its parent.
        let receipts = try await node.thaw("receipts", "digits", "--json").output
        #expect(receipts.components(separatedBy: "\"parent\":").count == 4, "\(receipts)")
        #expect(await node.stop() == 0)
        hook.stop()
    }

    private static func copy(_ folder: URL, _ name: String, replacing place: String, with other: String) throws
        -> TrialBundle
    {
        let source = folder.appendingPathComponent(name)
        let manifest = try String(contentsOf: source.appendingPathComponent("function.yaml"), encoding: .utf8)
        #expect(manifest.contains(place))
        return try TrialBundle(
            manifest.replacingOccurrences(of: place, with: other),
            files: ["app.py": try Data(contentsOf: source.appendingPathComponent("app.py"))]
        )
    }
}

/// A web server of Python's library that keeps the bodies that are posted to it.
private final class Webhook: Sendable {
    let url: String
    private let process: BrokerProcess

    init() async throws {
        process = try await BrokerProcess("python3") { port, folder in
            ["-c", Self.program, "\(port)", folder + "/received"]
        }
        try await process.start()
        url = "http://127.0.0.1:\(process.port)/hook"
    }

    var received: String { (try? String(contentsOfFile: process.folder + "/received", encoding: .utf8)) ?? "" }

    func stop() { Task { [process] in await process.remove() } }

    private static let program = """
        import http.server, os, sys

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with open(sys.argv[2] + ".new", "wb") as file:
                    file.write(body)
                os.rename(sys.argv[2] + ".new", sys.argv[2])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Hook).serve_forever()
        """
}
