import Foundation
import Testing
import Trials

/// Functions fed by real brokers, each started here and torn down again.
@Suite(
    .serialized,
    .enabled(if: Tree.isRoot && Tree.hasPython, "the function is in Python, in namespaces of its own")
)
struct SourceTests {
    @Test(.enabled(if: RedisBroker.isInstalled, "redis-server is not installed"))
    func `Redis feeds a function: bad records come again, and nothing is lost when the broker or the node dies`()
        async throws
    {
        try await feed(RedisBroker.self)
    }

    /// Prints each number that it has done.
    ///
    /// A number that ends in 7 fails when it comes first.
    private static let function = """
        import os, re

        def handler(event, context):
            failed = []
            records = event.get("Records") or [r for group in event["records"].values() for r in group]
            for record in records:
                number = int(re.search(r'number\\W+(\\d+)', thaw_text(record)).group(1))
                first = f"/tmp/{number}"
                if number % 10 == 7 and not os.path.exists(first):
                    open(first, "w").close()
                    failed.append({"itemIdentifier": record.get("messageId") or record.get("itemIdentifier")})
                    continue
                print("done", number)
            return {"batchItemFailures": failed}

        def thaw_text(record):
            import base64, json
            if isinstance(record.get("value"), str):
                return base64.b64decode(record["value"]).decode()
            return json.dumps(record).replace("\\\\", "")
        """

    /// What holds for every source: all records are done, those that failed too; then the broker dies and comes back, then the
    /// node does.
    private func feed(_ kind: (some Broker).Type) async throws {
        let broker = try await kind.init()
        var node = try await TrialNode(programs: Tree.programs)
        // One worker: its folder remembers which numbers it has refused once.
        let bundle = try TrialBundle(
            "name: taker\nruntime: python3\nhandler: app.handler\nscaling:\n  max: 1\n",
            files: ["app.py": Data(Self.function.utf8)]
        )
        defer { bundle.remove() }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        let mapping = try await node.request(
            "POST",
            "/2015-03-31/event-source-mappings/",
            body: try JSONSerialization.data(withJSONObject: [
                "FunctionName": "taker", "EventSourceArn": broker.url, "BatchSize": 8,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            ])
        )
        try #require(mapping.status == 202, "\(mapping.text)")

        try await broker.publish(Array(100..<140))
        try await expectDone(100..<140, node)

        await broker.crash()
        try await broker.restart()
        try await broker.publish(Array(140..<160))
        try await expectDone(140..<160, node)

        try await broker.publish(Array(200..<220))
        await node.crash()
        try await broker.publish(Array(220..<230))
        node = try await TrialNode(programs: Tree.programs, dataDirectory: node.dataDirectory)
        // The log begins anew with the node: what was done before it died is not in it, and need not come again.
        try await expectDone(220..<230, node)
        let isThrough = try await node.until(seconds: 20) { node in
            try await node.request("GET", "/sources").text.contains(#""lag":0"#)
        }
        let sources = try await node.request("GET", "/sources").text
        #expect(isThrough, "\(sources)")
        #expect(await node.stop() == 0)
        await broker.remove()
        node.removeData()
    }

    private func expectDone(_ numbers: Range<Int>, _ node: TrialNode) async throws {
        var missing = Set(numbers)
        let isDone = try await node.until(seconds: 30) { node in
            let log = try await node.request("GET", "/functions/taker/logs?last=1000").text
            missing = missing.filter { !log.contains("done \($0)") }
            return missing.isEmpty
        }
        let log = try await node.thaw("logs", "taker").output.suffix(2000)
        #expect(isDone, "missing \(missing.sorted()): \(log)")
    }
}
