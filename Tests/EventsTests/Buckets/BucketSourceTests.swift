import ControlPlane
import Foundation
import NIOPosix
import Synchronization
import Testing

@testable import Events

@Suite struct BucketSourceTests {
    /// A bucket in memory, which answers two objects a page.
    private final class Bucket: Sendable {
        let objects = Mutex<[String: String]>([:])
        let questions = Mutex<[String]>([])

        func put(_ key: String, _ modified: String) { objects.withLock { $0[key] = modified } }

        func answer(_ query: String) -> BucketSource.Answer {
            questions.withLock { $0.append(query) }
            let pairs = query.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
            let fields = Dictionary(pairs.map { ($0[0], $0.count > 1 ? String($0[1]) : "") }) { $1 }
            let after = fields["continuation-token"] ?? fields["start-after"] ?? ""
            let all = objects.withLock { $0 }.sorted { $0.key < $1.key }.filter { $0.key > after }
            let page = all.prefix(2)
            let contents = page.map {
                "<Contents><Key>\($0.key)</Key><LastModified>\($0.value)</LastModified><ETag>\"t\"</ETag></Contents>"
            }
            let rest =
                page.count < all.count
                ? "<IsTruncated>true</IsTruncated><NextContinuationToken>\(page.last?.key ?? "")</NextContinuationToken>"
                : "<IsTruncated>false</IsTruncated>"
            return BucketSource.Answer(
                status: 200,
                body: Array("<ListBucketResult>\(contents.joined())\(rest)</ListBucketResult>".utf8)
            )
        }
    }

    private let path = FileManager.default.temporaryDirectory.path + "/bucket-\(UUID().uuidString).seen"

    private func open(_ bucket: Bucket, _ url: String) async throws -> BucketSource {
        try await BucketSource(
            SourceURL(url),
            mapping: "m",
            markerPath: path,
            on: MultiThreadedEventLoopGroup.singleton.next()
        ) { _, _, query throws(SourceError) in bucket.answer(query) }
    }

    @Test func `objects come once, over all pages, and after a restart those that were not done`() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bucket = Bucket()
        for key in ["a", "b", "c", "d", "e"] { bucket.put(key, "2026-01-02T03:04:05.000Z") }
        let source = try await open(bucket, "s3://numbers/?start=oldest&poll=1")
        let first = try await source.take(3, waitMilliseconds: 0)
        #expect(first.map { $0.document["s3"]?["object"]?["key"]?.text } == ["a", "b", "c"])
        try await source.settle([first[0], first[2]])
        try await source.putBack([first[1]], afterMilliseconds: 0)
        let second = try await source.take(5, waitMilliseconds: 0)
        #expect(second.map(\.deliveryCount) == [1, 1, 2])
        try await source.settle([second[0]])

        let again = try await open(bucket, "s3://numbers/?start=oldest&poll=1")
        let rest = try await again.take(9, waitMilliseconds: 0)
        #expect(rest.map { $0.document["s3"]?["object"]?["key"]?.text } == ["b", "e"])
        try await again.settle(rest)
        #expect(await again.lag() == 0)

        bucket.put("a", "2026-01-02T03:04:06.000Z")
        let changed = try await again.take(9, waitMilliseconds: 5000)
        #expect(changed.map { $0.document["s3"]?["object"]?["key"]?.text } == ["a"])
    }

    @Test func `what was there before the mapping is passed over, where that is wanted, also if that was nothing`()
        async throws
    {
        for old in [[], ["a", "b", "c"]] {
            defer { try? FileManager.default.removeItem(atPath: path) }
            let bucket = Bucket()
            for key in old { bucket.put(key, "2026-01-02T03:04:05.000Z") }
            let source = try await open(bucket, "s3://numbers")
            #expect(try await source.take(9, waitMilliseconds: 0).isEmpty)
            bucket.put("z", "2026-01-02T03:04:05.000Z")
            let later = try await open(bucket, "s3://numbers")
            #expect(try await later.take(9, waitMilliseconds: 0).count == 1)
        }
    }

    @Test func `an entry that a crash tore is dropped, and a file that is something else is refused`() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bucket = Bucket()
        for key in ["a", "b"] { bucket.put(key, "2026-01-02T03:04:05.000Z") }
        let source = try await open(bucket, "s3://numbers/?start=oldest")
        try await source.settle(try await source.take(2, waitMilliseconds: 0))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes.removeLast(5)
        try bytes.write(to: URL(fileURLWithPath: path))
        let torn = try await open(bucket, "s3://numbers/?start=oldest")
        let again = try await torn.take(2, waitMilliseconds: 0)
        #expect(again.count == 1)
        try await torn.settle(again)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 8 + 32)

        try Data("something else".utf8).write(to: URL(fileURLWithPath: path))
        await #expect(throws: SourceError.self) { try await open(bucket, "s3://numbers/?start=oldest") }
    }

    @Test(arguments: [
        "s3:///prefix", "s3://numbers?endpoint=ftp://x", "s3://numbers?poll=0", "s3://key@numbers", "s3://Num_bers",
        "s3://numbers?endpoint=http://user@host", "s3://numbers?start=never",
    ])
    func `an address that cannot be meant is refused for good`(url: String) throws {
        #expect {
            _ = try BucketAddress(SourceURL(url))
        } throws: {
            ($0 as? SourceError)?.isFinal == true
        }
    }
}
