import Foundation
import Testing

/// What JetStream has that other sources have not: patience that ends, delays, filters and headers.
@Suite(.enabled(if: NATSBroker.isInstalled, "nats-server is not installed"))
struct NATSSourceTests {
    @Test func `messages show subject, headers and bytes; a filter leaves the others in the stream`() async throws {
        let broker = try await NATSBroker()
        try await broker.request("numbers.one", ["first"], headers: #"NATS/1.0\r\nTrace: a\r\nTrace: b\r\n\r\n"#)
        try await broker.request("numbers.two", ["second"])
        try await broker.request("numbers.one", ["third"])
        let program = try await opened(broker, ["subject": "numbers.one", "durable": "ones"])
        let records = try await program.takeAll(2)
        #expect(records.map { $0.document["body"] as? String } == ["first", "third"])
        #expect(records.map { $0.document["messageId"] as? String } == ["1", "3"])
        #expect(records.first?.document["subject"] as? String == "numbers.one")
        #expect(records.first?.document["headers"] as? [String: [String]] == ["Trace": ["a", "b"]])
        #expect(try await program.lag() == 2)
        #expect(try await program.settle(records) == nil)
        #expect(try await program.lag() == 0)

        let other = try SourceProgram()
        let query = ["stream": "NUMBERS", "subject": "numbers.two", "durable": "ones"]
        let refusal = try await other.open("nats", port: broker.port, query: query)
        #expect(refusal?.contains("name another as 'durable'") == true)
        other.kill()
        program.kill()
        await broker.remove()
    }

    @Test func `what is put back comes again later and is counted; what is held comes again when its holder dies`()
        async throws
    {
        let broker = try await NATSBroker()
        try await broker.request(
            "$JS.API.CONSUMER.DURABLE.CREATE.NUMBERS.hasty",
            [
                #"{"stream_name":"NUMBERS","config":{"durable_name":"hasty","ack_policy":"explicit","deliver_policy":"all","#
                    + #""ack_wait":3000000000}}"#
            ]
        )
        try await broker.publish([1, 2])
        let program = try await opened(broker, ["durable": "hasty"])
        let taken = try await program.takeAll(2)
        try #require(taken.count == 2)
        #expect(try await program.putBack([taken[0]], afterMilliseconds: 1_500) == nil)
        #expect(try await program.take(2, waitMilliseconds: 200).isEmpty)
        let again = try await program.take(2)
        #expect(again.map(\.deliveryCount) == [2])
        #expect(again.first?.document["messageId"] as? String == "1")

        // Both are held beyond the server's patience.
        #expect(try await program.take(2, waitMilliseconds: 5_000).isEmpty)
        #expect(try await program.settle(again) == nil)
        program.kill()
        let heir = try await opened(broker, ["durable": "hasty"])
        let inherited = try await heir.take(2)
        #expect(inherited.map { $0.document["messageId"] as? String } == ["2"])
        #expect(try await heir.settle(inherited) == nil)
        #expect(try await heir.lag() == 0)
        heir.kill()
        await broker.remove()
    }

    @Test func `a stream that is not there is named, with what makes it`() async throws {
        let broker = try await NATSBroker()
        func refusal(_ query: [String: String]) async throws -> String {
            let program = try SourceProgram()
            defer { program.kill() }
            return try await program.open("nats", port: broker.port, query: query) ?? "none"
        }
        #expect(try await refusal(["stream": "LETTERS"]).contains("nats stream add LETTERS"))
        #expect(try await refusal([:]).contains("has no 'stream'"))
        #expect(try await refusal(["stream": "NUMBERS", "start": "middle"]).contains("'start' is all or new"))
        #expect(try await refusal(["stream": "NUMBERS", "durable": "a.b"]).contains("'durable' has none"))
        #expect(try await refusal(["stream": "NUMBERS", "color": "red"]).contains("'color' is none of"))
        await broker.remove()
    }

    private func opened(_ broker: NATSBroker, _ query: [String: String]) async throws -> SourceProgram {
        let program = try SourceProgram()
        let failure = try await program.open(
            "nats",
            port: broker.port,
            query: query.merging(["stream": "NUMBERS"]) { $1 }
        )
        try #require(failure == nil)
        return program
    }
}
