import ControlPlane
import Events
import Foundation
import Testing
import Trials

/// CloudEvents between a real node and the SDK that people use.
struct CloudEventTests {
    /// Whether the Python of the clients has the SDK; `deploy/test` brings it where there is a network.
    private static let hasSDK = LambdaTests.isThere([LambdaTests.python, "-c", "import cloudevents.core.bindings.http"])

    private static let missing: Comment = "cloudevents is not installed for python3; deploy/test installs it"

    private static var script: String {
        Tree.root.appendingPathComponent("Tests/SystemTests/Clients/cloud_events.py").path
    }

    @Test(.enabled(if: hasSDK, missing))
    func `the stock SDK sends events in every mode, each is run once`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        let bundle = try TrialBundle.echo("seen")
        defer {
            bundle.remove()
            node.removeData()
        }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        let outcome = try await CommandOutcome.run(
            "/usr/bin/env",
            [LambdaTests.python, Self.script, "send", node.url]
        )
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("ends: passed"))
        // Seven events, and two calls that were waited for.
        #expect(
            try await node.until(seconds: 10) { node in
                let reply = try await node.request("GET", "/receipts?function=seen&last=100")
                return String(decoding: reply.body, as: UTF8.self).components(separatedBy: "\"outcome\"").count == 10
            }
        )
        #expect(await node.stop() == 0)
    }

    @Test(.enabled(if: hasSDK, missing))
    func `the stock SDK reads what is sent, in both modes`() async throws {
        let head: [String: JSONValue] = [
            "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": "Euro € 100% \"x\"",
        ]
        let events = [
            try CloudEvent(
                attributes: head,
                dataContentType: "application/json",
                data: .json(Array(#"{"a": [1, "é"]}"#.utf8))
            ),
            try CloudEvent(attributes: head, dataContentType: "text/plain", data: .text("some text")),
            try CloudEvent(attributes: head, dataContentType: "application/octet-stream", data: .bytes([0, 1, 255])),
        ]
        struct Message: Encodable {
            var headers: [String: String]
            var body: [UInt8]
        }
        let lines = try events.flatMap { [$0.binary, $0.structured] }.map { message in
            var headers = Dictionary(uniqueKeysWithValues: message.fields.map { ($0.name, $0.value) })
            headers["content-type"] = message.contentType
            let line = try JSONEncoder().encode(Message(headers: headers, body: message.body))
            return String(decoding: line, as: UTF8.self)
        }
        let outcome = try await CommandOutcome.run(
            "/usr/bin/env",
            [LambdaTests.python, Self.script, "read"],
            input: lines.joined(separator: "\n")
        )
        try #require(outcome.status == 0, "\(outcome.errors)")
        let read = outcome.output.split(separator: "\n").compactMap { JSONValue(parsing: $0.utf8) }
        #expect(read.count == 6)
        let data: [JSONValue] = [["a": .array([1, "é"])], "some text", "0001ff"]
        for (index, found) in read.enumerated() {
            #expect(found["attributes"]?["subject"]?.text == "Euro € 100% \"x\"")
            #expect(found["attributes"]?["id"]?.text == "1")
            #expect(found["data"] == data[index / 2])
        }
    }
}
