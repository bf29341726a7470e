import Foundation
import Testing
import Trials

/// What Kafka has that other sources have not: partitions, and groups that share them out.
@Suite(.enabled(if: KafkaBroker.isInstalled, "librdkafka-dev was not there when this was built"))
struct KafkaSourceTests {
    @Test func `a partition's records come in order, as Lambda shows them, and go on where they were settled`()
        async throws
    {
        let broker = try await KafkaBroker()
        try await broker.publish(Array(0..<9))
        let program = try await opened(broker)
        let records = try await program.takeAll(9)
        try #require(records.count == 9)
        for partition in 0..<3 {
            let own = records.map(\.document).filter { $0["partition"] as? Int == partition }
            let offsets = own.map { $0["offset"] as? Int }
            #expect(offsets == [0, 1, 2])
        }
        let first = try #require(records.first { $0.handle == "1/0" }).document
        #expect(first["topic"] as? String == "numbers")
        #expect(first["key"] as? String == Data("key-1".utf8).base64EncodedString())
        #expect(first["value"] as? String == Data(#"{"number": 1}"#.utf8).base64EncodedString())
        #expect(first["timestampType"] as? String == "CREATE_TIME")
        #expect((first["timestamp"] as? Int ?? 0) > 1_700_000_000_000)
        #expect(first["headers"] as? [[String: [Int]]] == [["origin": Array("origin".utf8).map(Int.init)]])
        #expect(try await program.lag() == 9)

        let done = Array(records.prefix(6))
        #expect(try await program.settle(done) == nil)
        #expect(try await program.lag() == 3)
        program.kill()
        let again = try await opened(broker)
        let rest = try await again.takeAll(3).map(\.handle)
        #expect(Set(rest) == Set(records.suffix(3).map(\.handle)))
        again.kill()
        await broker.remove()
    }

    @Test func `partitions that go to another member take what was not settled with them`() async throws {
        let broker = try await KafkaBroker()
        try await broker.publish(Array(0..<9))
        let old = try await opened(broker, consumer: "old")
        let held = try await old.takeAll(9)
        try #require(held.count == 9)

        // Nothing is asked of the old one while the group is shared out anew.
        let new = try await opened(broker, consumer: "new")
        var moved = try await new.take(9)
        #expect(!moved.isEmpty)
        moved += try await new.takeAll(9, waitMilliseconds: 2_000)
        // Its batch is done only now: that is no failure, and keeps no record from the other.
        #expect(try await old.settle(held) == nil)
        // The share was made anew for both, so that what stays comes again too, where it was.
        let kept = try await old.takeAll(9 - moved.count)
        #expect(Set((moved + kept).map(\.handle)) == Set(held.map(\.handle)))
        #expect(Set(moved.map(\.handle)).isDisjoint(with: kept.map(\.handle)))
        #expect(try await new.settle(moved) == nil)
        #expect(try await old.settle(kept) == nil)
        #expect(try await old.lag() == 0)
        #expect(try await new.lag() == 0)
        old.kill()
        new.kill()
        await broker.remove()
    }

    @Test func `an address that means nothing is refused in a sentence`() async throws {
        let broker = try await KafkaBroker()
        func refusal(path: String = "numbers", user: String? = nil, _ query: [String: String]) async throws -> String {
            let program = try SourceProgram()
            defer { program.kill() }
            return try await program.open("kafka", port: broker.port, path: path, query: query, user: user) ?? "none"
        }
        #expect(try await refusal(path: "", [:]).contains("names no topic"))
        #expect(try await refusal(["start": "middle"]).contains("'start' is earliest or latest"))
        #expect(try await refusal(["plugin.library.paths": "/tmp/x.so"]).contains("is none of"))
        #expect(try await refusal(["session.timeout.ms": "soon"]).contains("session.timeout.ms"))
        #expect(try await refusal(["security.protocol": "SSH"]).contains("security.protocol is"))
        #expect(try await refusal(user: "me", ["sasl.mechanism": "GSSAPI"]).contains("sasl.mechanism is one of"))
        // The password would go over a plain connection.
        #expect(try await refusal(user: "me", ["security.protocol": "PLAINTEXT"]).contains("a user goes with"))
        await broker.remove()
    }

    @Test(.enabled(if: Tree.isRoot && Tree.hasPython, "the function is in Python, in namespaces of its own"))
    func `a record that fails for good is cut out of its batch, and the partition goes on in order`() async throws {
        let broker = try await KafkaBroker()
        let node = try await TrialNode(programs: Tree.programs)
        let bundle = try TrialBundle(
            "name: cutter\nruntime: python3\nhandler: app.handler\n",
            files: ["app.py": Data(Self.function.utf8)]
        )
        defer { bundle.remove() }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        try await broker.publish(Array(10..<20)) { _ in 1 }
        let mapping = try await node.request(
            "POST",
            "/2015-03-31/event-source-mappings/",
            body: try JSONSerialization.data(withJSONObject: [
                "FunctionName": "cutter", "Topics": ["numbers"], "StartingPosition": "TRIM_HORIZON", "BatchSize": 10,
                "SelfManagedEventSource": ["Endpoints": ["KAFKA_BOOTSTRAP_SERVERS": [broker.servers]]],
                "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 2,
            ])
        )
        try #require(mapping.status == 202, "\(mapping.text)")
        let isThrough = try await node.until(seconds: 30) { node in
            try await node.request("GET", "/sources").text.contains(#""lag":0"#)
        }
        let log = try await node.request("GET", "/functions/cutter/logs?last=1000").text
        #expect(isThrough, "\(log)")
        let done = log.matches(of: /done (\d+)/).compactMap { Int($0.1) }
        #expect(done == [10, 11, 12, 14, 15, 16, 17, 18, 19], "\(log)")
        #expect(await node.stop() == 0)
        await broker.remove()
        node.removeData()
    }

    private static let function = """
        import base64, json

        def handler(event, context):
            assert event["eventSource"] == "SelfManagedKafka" and event["bootstrapServers"]
            numbers = [json.loads(base64.b64decode(record["value"]))["number"] for record in event["records"]["numbers-1"]]
            if 13 in numbers:
                raise ValueError("13 is too much")
            for number in numbers:
                print("done", number)
        """

    private func opened(_ broker: KafkaBroker, consumer: String = "one") async throws -> SourceProgram {
        let program = try SourceProgram()
        let query = KafkaBroker.hasty.merging(["group": "takers"]) { $1 }
        let failure = try await program.open(
            "kafka",
            port: broker.port,
            path: "numbers",
            query: query,
            consumer: consumer
        )
        try #require(failure == nil)
        return program
    }
}
