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

    @Test func `A folder feeds a function, whatever dies`() async throws {
        try await feed(FolderBroker.self)
    }

    @Test(.enabled(if: PostgresBroker.isInstalled, "postgresql is not installed, or setpriv"))
    func `A table of PostgreSQL feeds a function, whatever dies`() async throws {
        try await feed(PostgresBroker.self)
    }

    @Test(.enabled(if: MosquittoBroker.isInstalled, "mosquitto or mosquitto-clients are not installed"))
    func `Topics of MQTT feed a function, whatever dies`() async throws {
        try await feed(MosquittoBroker.self)
    }

    @Test(.enabled(if: MosquittoBroker.isInstalled, "mosquitto or mosquitto-clients are not installed"))
    func `A message of MQTT is not acknowledged while its function runs: when the node dies then, it comes again`()
        async throws
    {
        let broker = try await MosquittoBroker()
        var node = try await TrialNode(programs: Tree.programs)
        let slow = """
            import json, time

            def handler(event, context):
                number = json.loads(event["Records"][0]["body"])["number"]
                print("begun", number)
                time.sleep(2)
                print("done", number)
            """
        let bundle = try TrialBundle(
            "name: taker\nruntime: python3\nhandler: app.handler\nsources:\n  - url: \(broker.url)\n",
            files: ["app.py": Data(slow.utf8)]
        )
        defer { bundle.remove() }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        let isOpen = try await node.until(seconds: 10) { node in
            // The session is there once the source is open, and holds what comes from then on.
            try await node.request("GET", "/sources").text.contains("taker")
        }
        #expect(isOpen)
        var isBegun = false
        for number in 300..<320 where !isBegun {
            try await broker.publish([number])
            isBegun = try await node.until(seconds: 1) { node in
                try await node.request("GET", "/functions/taker/logs?last=100").text.contains("begun")
            }
        }
        #expect(isBegun)
        let log = try await node.request("GET", "/functions/taker/logs?last=100").text
        let number = try #require(log.firstMatch(of: /begun (\d+)/).flatMap { Int($0.1) })
        #expect(!log.contains("done"))
        await node.crash()
        node = try await TrialNode(programs: Tree.programs, dataDirectory: node.dataDirectory)
        try await expectDone(number..<(number + 1), node)
        #expect(await node.stop() == 0)
        await broker.remove()
        node.removeData()
    }

    @Test(.enabled(if: BucketBroker.isInstalled, "moto's server is not installed"))
    func `A bucket feeds a function, whatever dies`() async throws {
        try await feed(BucketBroker.self)
    }

    @Test(.enabled(if: MosquittoBroker.isInstalled && PostgresBroker.isInstalled, "their servers are not installed"))
    func `A source that refuses says in words what is wrong, and never the password`() async throws {
        let (topics, table) = (try await MosquittoBroker(), try await PostgresBroker())
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--watchable", "/nowhere"])
        let bundle = try TrialBundle(
            "name: taker\nruntime: python3\nhandler: app.handler\n",
            files: ["app.py": Data(Self.function.utf8)]
        )
        defer { bundle.remove() }
        try #require(try await node.thaw("deploy", bundle.path).status == 0)
        let expected = [
            topics.refusedURL: "not authorised", table.refusedURL: "password authentication failed",
            table.missingURL: "CREATE TABLE", "file:///etc": "may not be watched: this node allows folders below",
            "file:///nowhere/../etc": "cannot be watched", "postgresql://127.0.0.1/x": "has no 'table'",
            "mqtt://127.0.0.1/x?qos=2": "'qos' is 1", "mqtt://127.0.0.1/x/#": "is written %23",
            "s3://numbers?poll=0": "'poll' is the seconds",
        ]
        for url in expected.keys {
            let mapping = try await node.request(
                "POST",
                "/2015-03-31/event-source-mappings/",
                body: try JSONSerialization.data(withJSONObject: ["FunctionName": "taker", "EventSourceArn": url])
            )
            #expect(mapping.status == 202, "\(mapping.text)")
        }
        let isSaid = try await node.until(seconds: 20) { node in
            let text = try await node.request("GET", "/sources").text.replacing("\\/", with: "/")
            return expected.values.allSatisfy { text.contains($0) }
        }
        let text = try await node.request("GET", "/sources").text.replacing("\\/", with: "/")
        #expect(isSaid, "\(text)")
        #expect(!text.contains("wrong@") && !text.contains("p%27ss"), "\(text)")
        #expect(await node.stop() == 0)
        await topics.remove()
        await table.remove()
        node.removeData()
    }

    @Test(.enabled(if: RedisBroker.isInstalled, "redis-server is not installed"))
    func `a deploy makes the sources of a manifest with the function's secrets, changes them and takes them away`()
        async throws
    {
        let broker = try await RedisBroker(password: "a:b@c/d")
        let node = try await TrialNode(programs: Tree.programs)
        let plain = "name: taker\nruntime: python3\nhandler: app.handler\n"
        let url = broker.url.replacing("redis://", with: "redis://:${REDIS_PASSWORD}@")
        let code = ["app.py": Data(Self.function.utf8)]
        let fed = try TrialBundle(
            plain + "sources:\n  - url: \(url)\n    filters: ['{\"fields\":{\"number\":[\"12\"]}}']\n",
            files: code
        )
        let bare = try TrialBundle(plain, files: code)
        let wrong = try TrialBundle(plain + "sources:\n  - url: \(url)\n    filters: ['{}']\n", files: code)
        defer { for bundle in [fed, bare, wrong] { bundle.remove() } }

        let refused = try await node.thaw("deploy", wrong.path)
        #expect(refused.status != 0 && refused.errors.contains("Invalid filter pattern"), "\(refused.errors)")
        #expect(try await node.thaw("deploy", fed.path).status == 0)
        let waiting = try await node.until(seconds: 10) { node in
            try await node.request("GET", "/sources").text.contains("thaw secret set taker REDIS_PASSWORD")
        }
        #expect(waiting, "a secret that is not there is named")
        try await node.thaw("secret", "set", "taker", "REDIS_PASSWORD", input: "a:b@c/d\n")
        try await broker.publish([11, 12])
        try await expectDone(12..<13, node)
        let shown = try await node.thaw("sources").output
        #expect(shown.contains("taker") && !shown.contains("a:b@c/d"), "\(shown)")
        #expect(try await !node.thaw("logs", "taker").output.contains("done 11"))

        #expect(try await node.thaw("deploy", bare.path).status == 0)
        #expect(try await node.request("GET", "/sources").text.contains(#""sources":[]"#))
        #expect(await node.stop() == 0)
        await broker.remove()
        node.removeData()
    }

    @Test(.enabled(if: KafkaBroker.isInstalled, "librdkafka-dev was not there when this was built"))
    func `Kafka feeds a function: a failure holds its batch, and nothing is lost when the servers or the node go`()
        async throws
    {
        try await feed(KafkaBroker.self)
    }

    @Test(.enabled(if: NATSBroker.isInstalled, "nats-server is not installed"))
    func `JetStream feeds a function: bad messages come again, and nothing is lost when the server or the node dies`()
        async throws
    {
        try await feed(NATSBroker.self)
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
                    failed.append({"itemIdentifier": thaw_identifier(record)})
                    continue
                print("done", number)
            return {"batchItemFailures": failed}

        def thaw_identifier(record):
            if "offset" in record:
                return {"partition": f'{record["topic"]}-{record["partition"]}', "offset": record["offset"]}
            return record.get("messageId") or record.get("itemIdentifier")

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
        var node = try await TrialNode(programs: Tree.programs, arguments: broker.nodeArguments)
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
        node = try await TrialNode(
            programs: Tree.programs,
            dataDirectory: node.dataDirectory,
            arguments: broker.nodeArguments
        )
        // The log begins anew with the node: what was done before it died is not in it, and need not come again.
        try await expectDone(220..<230, node)
        let isThrough = try await node.until(seconds: 20) { node in
            try await node.request("GET", "/sources").text.contains(broker.knowsLag ? #""lag":0"# : #""sources""#)
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
