import ControlPlane
import Foundation
import Linux
package import NIOCore
import Synchronization

/// Objects of a bucket that speaks S3's protocol: each that is new, or was written again, is a record.
///
/// The bucket is asked for all of its objects now and then; which of them are done the node remembers on its disk.
package final class BucketSource: EventSource {
    /// Asks the bucket, signed where it is to be.
    package typealias Fetch =
        @Sendable (_ address: BucketAddress, _ path: String, _ query: String) async throws(SourceError) -> Answer

    package struct Answer: Sendable {
        package var status: Int
        package var body: [UInt8]

        package init(status: Int, body: [UInt8]) {
            (self.status, self.body) = (status, body)
        }
    }

    package let kind = SourceKind(name: "aws:s3", isStream: false, payloadKey: "body")
    private let address: BucketAddress
    private let mapping: String
    private let loop: any EventLoop
    private let fetch: Fetch
    private let bell = Bell()
    private let state: Mutex<State>

    /// Bytes of an answer: a thousand keys of a thousand bytes, escaped.
    package static let answerBytesMax = 8 << 20
    /// Objects that are remembered to be given out; the rest is asked for when these are through.
    static let waitingMax = 10_000

    private struct State {
        var marker: BucketMarker
        var waiting: [Pending] = []
        var later: [(pending: Pending, dueNanoseconds: UInt64)] = []
        var taken: [String: Pending] = [:]
        /// Entries of all of these.
        var known: Set<BucketMarker.Entry> = []
        var nextLook: UInt64 = 0
        /// The last key of a look that is not at its end.
        var lookedUpTo: String?
        var existing: Set<BucketMarker.Entry> = []
    }

    private struct Pending {
        let object: BucketListing.Object
        let entry: BucketMarker.Entry
        var attempts = 0
    }

    /// - Parameter markerPath: the file that remembers what is done.
    package init(
        _ url: SourceURL,
        mapping: String,
        markerPath: String,
        on loop: any EventLoop,
        fetch: @escaping Fetch
    ) async throws(SourceError) {
        address = try BucketAddress(url)
        (self.mapping, self.loop, self.fetch) = (mapping, loop, fetch)
        let marker = try BucketMarker(markerPath)
        let isNew = marker.isNew
        state = Mutex(State(marker: marker))
        if isNew, !address.startsWithOldest { try await passOver() }
    }

    package func take(_ countMax: Int, waitMilliseconds: Int64?) async throws(SourceError) -> [SourceRecord] {
        let deadline = waitMilliseconds.map { Clock.monotonicNanoseconds() + UInt64(max($0, 0)) * 1_000_000 }
        while true {
            let isLookDue = state.withLock { $0.waiting.isEmpty && $0.nextLook <= Clock.monotonicNanoseconds() }
            if isLookDue { try await look() }
            let now = Clock.monotonicNanoseconds()
            let records = state.withLock { Self.next(&$0, countMax, now: now) }.map(record)
            if !records.isEmpty || Task.isCancelled || deadline.map({ $0 <= now }) ?? false { return records }
            let next = state.withLock { state in (state.later.map(\.dueNanoseconds) + [state.nextLook]).min() }
            let until = [deadline, next].compactMap(\.self).min() ?? now
            await bell.wait(atMostMilliseconds: until > now ? Int64((until - now) / 1_000_000) + 1 : 0, on: loop)
        }
    }

    package func settle(_ records: [SourceRecord]) async throws(SourceError) {
        try state.withLock { (state) throws(SourceError) in
            let done = records.compactMap { state.taken[$0.handle] }
            try state.marker.add(done.map(\.entry))
            for record in records { state.taken[record.handle] = nil }
            state.known.subtract(done.map(\.entry))
        }
    }

    package func putBack(_ records: [SourceRecord], afterMilliseconds: Int64) async throws(SourceError) {
        let due = Clock.monotonicNanoseconds() + UInt64(max(afterMilliseconds, 0)) * 1_000_000
        state.withLock { state in
            for record in records {
                if let pending = state.taken.removeValue(forKey: record.handle) { state.later.append((pending, due)) }
            }
        }
        bell.ring()
    }

    package func lag() async -> Int? { state.withLock { $0.known.count } }

    package func close() async {}

    // MARK: Looking

    /// Asks for what is there, from where the last look ended, until there is enough to do.
    private func look() async throws(SourceError) {
        var after = state.withLock { $0.lookedUpTo }
        var continuation: String?
        while true {
            let page = try await page(continuation, after: after)
            let entries = try page.objects.map { (object) throws(SourceError) in try BucketMarker.entry(object) }
            let isEnough = state.withLock { state in
                state.existing.formUnion(entries)
                for (object, entry) in zip(page.objects, entries) where !state.marker.entries.contains(entry) {
                    guard state.known.insert(entry).inserted else { continue }
                    state.waiting.append(Pending(object: object, entry: entry))
                }
                return state.waiting.count >= Self.waitingMax
            }
            continuation = page.continuation
            after = page.objects.last?.key ?? after
            if continuation == nil || isEnough { break }
        }
        let isAtEnd = continuation == nil
        try state.withLock { (state) throws(SourceError) in
            state.lookedUpTo = isAtEnd ? nil : after
            let pause = isAtEnd ? UInt64(address.pollSeconds) * 1_000_000_000 : 0
            state.nextLook = Clock.monotonicNanoseconds() + pause
            guard isAtEnd else { return }
            try state.marker.keep(state.existing)
            state.existing = []
        }
    }

    /// What is there already is done.
    private func passOver() async throws(SourceError) {
        var entries: [BucketMarker.Entry] = []
        var continuation: String?
        repeat {
            let page = try await page(continuation, after: nil)
            for object in page.objects { entries.append(try BucketMarker.entry(object)) }
            continuation = page.continuation
        } while continuation != nil
        try state.withLock { (state) throws(SourceError) in try state.marker.add(entries) }
    }

    private func page(_ continuation: String?, after: String?) async throws(SourceError) -> BucketListing {
        let path = "/" + address.bucket
        let answer = try await fetch(address, path, address.query(continuation: continuation, after: after))
        let listing = BucketListing(answer.body)
        guard answer.status == 200, let listing, listing.errorCode == nil else {
            let words = [listing?.errorCode, listing?.errorMessage].compactMap(\.self).joined(separator: ": ")
            throw SourceError(
                "\(address.shown): \(address.endpoint) answered \(answer.status) \(words.prefix(300))"
                    + (answer.status == 403
                        ? "; the key and the secret of the source are its URL's user and password" : "")
            )
        }
        return listing
    }

    private static func next(_ state: inout State, _ countMax: Int, now: UInt64) -> [Pending] {
        state.waiting += state.later.filter { $0.dueNanoseconds <= now }.map(\.pending)
        state.later.removeAll { $0.dueNanoseconds <= now }
        var given = Array(state.waiting.prefix(countMax))
        state.waiting.removeFirst(given.count)
        for index in given.indices {
            given[index].attempts += 1
            state.taken[handle(given[index])] = given[index]
        }
        return given
    }

    // MARK: Records

    /// An object that is written again while it is given out is another record.
    private static func handle(_ pending: Pending) -> String {
        ObjectKey.encode(pending.object.key.utf8, keeping: "/") + "#" + ObjectKey.encode(pending.entry)
    }

    private func record(_ pending: Pending) -> SourceRecord {
        let object = pending.object
        let key = ObjectKey.encode(object.key.utf8, keeping: "/")
        let handle = Self.handle(pending)
        let document: JSONValue = [
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": .text(address.region),
            "eventTime": .text(object.modified),
            "eventName": "ObjectCreated:Put",
            "messageId": .text(handle),
            "s3": [
                "s3SchemaVersion": "1.0",
                "configurationId": .text(mapping),
                "bucket": ["name": .text(address.bucket), "arn": .text("arn:aws:s3:::" + address.bucket)],
                "object": [
                    "key": .text(key),
                    "size": .integer(object.byteCount),
                    "eTag": .text(object.tag.filter { $0 != "\"" }),
                    "sequencer": .text(object.modified.filter { $0.isNumber }),
                ],
            ],
        ]
        let modified = try? Date(object.modified, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        return SourceRecord(
            id: handle,
            document: document,
            byteCount: document.bytes.count,
            acceptedUnixMilliseconds: Int64((modified ?? .now).timeIntervalSince1970 * 1000),
            deliveryCount: pending.attempts,
            handle: handle
        )
    }
}
