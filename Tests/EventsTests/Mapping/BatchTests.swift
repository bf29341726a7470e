import ControlPlane
import Testing

@testable import Events

struct BatchTests {
    private func record(_ id: String, bytes: Int = 10) -> SourceRecord {
        SourceRecord(id: id, document: ["id": .text(id)], byteCount: bytes, acceptedUnixMilliseconds: 0, handle: id)
    }

    @Test(arguments: [
        (#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, BatchReply.allBut(["b"])),
        (#"{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":7}}]}"#, BatchReply.allBut(["t-0/7"])),
        (#"{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0"}}]}"#, BatchReply.none),
        (#"{"batchItemFailures":[]}"#, .all), (#"{"batchItemFailures":null}"#, .all), ("{}", .all), ("null", .all),
        ("", .all), (#"{"batchItemFailures":[{"itemIdentifier":"z"}]}"#, .none),
        (#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, .none),
        (#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, .none), (#"{"batchItemFailures":[{"x":"a"}]}"#, .none),
        (#"{"batchItemFailures":"b"}"#, .none), (#""text""#, .none), ("not json", .none),
    ])
    func `a reply names what failed; one that cannot be read fails the batch`(reply: String, expected: BatchReply) {
        let batch = [record("a"), record("b"), record("t-0/7")]
        let outcome = EventOutcome.succeeded(body: Array(reply.utf8))
        #expect(BatchReply(outcome, of: batch, reportsFailures: true) == expected)
        #expect(BatchReply(outcome, of: batch, reportsFailures: false) == .all)
        #expect(BatchReply(.failed(body: []), of: batch, reportsFailures: true) == .none)
    }

    @Test func `a batch goes when it is full or when its window is over`() {
        var collector = BatchCollector(countMax: 3, windowMilliseconds: 500)
        #expect(collector.add(record("a"), nowUnixMilliseconds: 100) == nil)
        #expect(collector.takeIfReady(nowUnixMilliseconds: 599) == nil)
        #expect(collector.dueUnixMilliseconds == 600)
        #expect(collector.takeIfReady(nowUnixMilliseconds: 600)?.map(\.id) == ["a"])
        for id in ["b", "c", "d"] { _ = collector.add(record(id), nowUnixMilliseconds: 700) }
        #expect(collector.room == 0)
        #expect(collector.takeIfReady(nowUnixMilliseconds: 700)?.count == 3)
        #expect(collector.isEmpty)
    }

    @Test func `records that an event cannot carry together go apart`() {
        var collector = BatchCollector(countMax: 100, windowMilliseconds: 60_000)
        let large = BatchCollector.bytesMax / 2 + 1
        #expect(collector.add(record("a", bytes: large), nowUnixMilliseconds: 0) == nil)
        #expect(collector.add(record("b", bytes: large), nowUnixMilliseconds: 0)?.map(\.id) == ["a"])
        #expect(collector.take().map(\.id) == ["b"])
    }
}
