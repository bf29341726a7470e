import ControlPlane
import Digests
import FoundationEssentials
import Metering
import NIOCore
import Queues
import Synchronization

extension ClientQueues {
    private static let batchEntriesMax = 10
    private static let waitSecondsMax = 20

    // MARK: Sending

    func send(_ request: JSONValue) async throws(ClientQueueError) -> JSONValue {
        let queue = try await queue(request)
        let draft = try draft(request, queue)
        let now = unixMilliseconds()
        let results = try await stored { () async throws(QueueError) in
            try await store.publish([draft], to: queue, now: now)
        }
        return try reply(request, draft, results[0], queue)
    }

    /// All that can be sent are one step on the disk.
    func sendBatch(_ request: JSONValue) async throws(ClientQueueError) -> JSONValue {
        let queue = try await queue(request)
        let entries = try Self.entries(request)
        let bytes = entries.reduce(0) { $0 + Self.byteCount($1.entry) }
        let bytesMax = ClientQueueSettings.number("MaximumMessageSize", queue.settings)
        guard bytes <= bytesMax else { throw .batchTooLong(bytes, bytesMax) }
        var failed: [JSONValue] = []
        var drafts: [(id: String, entry: JSONValue, draft: MessageDraft)] = []
        for (id, entry) in entries {
            do throws(ClientQueueError) {
                drafts.append((id, entry, try draft(entry, queue)))
            } catch {
                failed.append(Self.failure(id, error))
            }
        }
        let (all, now) = (drafts.map(\.draft), unixMilliseconds())
        let results = try await stored { () async throws(QueueError) in
            try await store.publish(all, to: queue, now: now)
        }
        var successful: [JSONValue] = []
        for ((id, entry, draft), result) in zip(drafts, results) {
            do throws(ClientQueueError) {
                var members = try reply(entry, draft, result, queue).members ?? [:]
                members["Id"] = .text(id)
                successful.append(.object(members))
            } catch {
                failed.append(Self.failure(id, error))
            }
        }
        return Self.batchReply(successful, failed)
    }

    private static func byteCount(_ entry: JSONValue) -> Int {
        (entry["MessageBody"]?.text?.utf8.count ?? 0)
            + (entry["MessageAttributes"]?.members ?? [:]).reduce(0) { sum, attribute in
                sum + attribute.key.utf8.count + (attribute.value["DataType"]?.text?.utf8.count ?? 0)
                    + (attribute.value["StringValue"]?.text?.utf8.count ?? 0)
                    + (attribute.value["BinaryValue"]?.text?.utf8.count ?? 0) * 3 / 4
            }
    }

    private func draft(_ entry: JSONValue, _ queue: StoredQueue) throws(ClientQueueError) -> MessageDraft {
        let body = try Self.text(entry, "MessageBody")
        let bytesMax = ClientQueueSettings.number("MaximumMessageSize", queue.settings)
        guard Self.byteCount(entry) <= bytesMax else {
            throw .badParameter(
                "One or more parameters are invalid. Reason: Message must be shorter than \(bytesMax) bytes."
            )
        }
        let attributes = entry["MessageAttributes"]
        try Self.check(attributes)
        var draft = MessageDraft(body: Array(body.utf8))
        if let delay = entry["DelaySeconds"]?.integer {
            guard (0...900).contains(delay) else {
                throw .badParameter(
                    "Value \(delay) for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
                )
            }
            guard !queue.settings.isOrdered || delay == 0 else {
                throw .badParameter(
                    "Value \(delay) for parameter DelaySeconds is invalid. Reason: The request include parameter that is not "
                        + "valid for this queue type."
                )
            }
            draft.delayMilliseconds = queue.settings.isOrdered ? nil : Int64(delay) * 1000
        }
        if queue.settings.isOrdered {
            draft.groupKey = try Self.text(entry, "MessageGroupId")
            draft.deduplicationKey = try deduplicationKey(entry, draft.body, queue)
        }
        draft.attributes =
            ClientMessage.Content(
                attributes: attributes,
                deduplicationID: draft.deduplicationKey,
                trace: entry["MessageSystemAttributes"]?["AWSTraceHeader"]?["StringValue"]?.text
            ).text
        return draft
    }

    private func deduplicationKey(
        _ entry: JSONValue,
        _ body: [UInt8],
        _ queue: StoredQueue
    ) throws(ClientQueueError) -> String {
        if let id = entry["MessageDeduplicationId"]?.text, !id.isEmpty { return id }
        guard queue.settings.attributes["ContentBasedDeduplication"] == "true",
            let digest = try? SHA256.digest(of: body)
        else {
            throw .badParameter(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
            )
        }
        return Hexadecimal.text(digest)
    }

    private static func check(_ attributes: JSONValue?) throws(ClientQueueError) {
        for (name, value) in attributes?.members ?? [:] {
            let type = value["DataType"]?.text ?? ""
            guard ["String", "Number", "Binary"].contains(type.split(separator: ".").first.map(String.init) ?? "")
            else {
                throw .badParameter("The message attribute '\(name.prefix(80))' has an invalid message attribute type.")
            }
            let isBinary = type.hasPrefix("Binary")
            let isThere =
                isBinary
                ? value["BinaryValue"]?.text.flatMap { Data(base64Encoded: $0) } != nil
                : value["StringValue"]?.text?.isEmpty == false
            guard isThere else {
                throw .badParameter(
                    "The message attribute '\(name.prefix(80))' must contain a non-empty message attribute value for message "
                        + "attribute type '\(isBinary ? "Binary" : "String")'."
                )
            }
        }
    }

    private func reply(
        _ entry: JSONValue,
        _ draft: MessageDraft,
        _ result: PublishResult,
        _ queue: StoredQueue
    ) throws(ClientQueueError) -> JSONValue {
        let id: InvocationID
        var sequence: Int64?
        switch result {
        case .full(let depthMax): throw .full(depthMax)
        case .duplicate(let first): id = first
        case .accepted(let number): (id, sequence) = (draft.id, number)
        case .claimed(let message): (id, sequence) = (message.id, message.sequence)
        }
        return .present([
            "MessageId": .text(id.description),
            "MD5OfMessageBody": MessageDigest.of(draft.body).map { .text($0) },
            "MD5OfMessageAttributes": MessageDigest.of(attributes: entry["MessageAttributes"]).map { .text($0) },
            "MD5OfMessageSystemAttributes": MessageDigest.of(attributes: entry["MessageSystemAttributes"]).map {
                .text($0)
            },
            "SequenceNumber": queue.settings.isOrdered ? sequence.map { .text(Self.sequenceText($0)) } : nil,
        ])
    }

    /// Twenty digits, so that texts are in the order of numbers.
    static func sequenceText(_ sequence: Int64) -> String {
        let digits = String(sequence)
        return String(repeating: "0", count: 20 - digits.count) + digits
    }

    // MARK: Receiving

    func receive(_ request: JSONValue) async throws(ClientQueueError) -> JSONValue {
        let queue = try await queue(request)
        let countMax = request["MaxNumberOfMessages"]?.integer ?? 1
        guard (1...10).contains(countMax) else {
            throw .badParameter(
                "Value \(countMax) for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
            )
        }
        let usual = ClientQueueSettings.number("ReceiveMessageWaitTimeSeconds", queue.settings)
        let wait = request["WaitTimeSeconds"]?.integer ?? usual
        guard (0...Self.waitSecondsMax).contains(wait) else {
            throw .badParameter(
                "Value \(wait) for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."
            )
        }
        let held = try Self.visibility(request) ?? queue.settings.visibilityMilliseconds
        let messages = try await take(queue, countMax, heldMilliseconds: held, waitMilliseconds: Int64(wait) * 1000)
        guard !messages.isEmpty else { return [:] }
        return ["Messages": .array(messages.map { document($0, queue, request) })]
    }

    /// Claims messages, as soon as there is one: by the store's word, without a look in between.
    func take(
        _ queue: StoredQueue,
        _ countMax: Int,
        heldMilliseconds: Int64,
        waitMilliseconds: Int64?
    ) async throws(ClientQueueError) -> [Message] {
        let end = waitMilliseconds.map { unixMilliseconds() + $0 }
        while true {
            let wait = LoopWait()
            // First, so that what comes while it looks is not missed.
            let watch = store.watch(queue) { wait.end() }
            defer { store.forget(watch, of: queue) }
            let now = unixMilliseconds()
            let (messages, next) = try await stored { () async throws(QueueError) in
                let messages = try await store.claim(
                    queue,
                    countMax: countMax,
                    groupCountMax: countMax,
                    forMilliseconds: heldMilliseconds,
                    now: now
                )
                guard messages.isEmpty, end.map({ now < $0 }) ?? true else { return (messages, Int64?.none) }
                return ([], try await store.nextVisibleUnixMilliseconds(queue))
            }
            if !messages.isEmpty || end.map({ now >= $0 }) ?? false || Task.isCancelled { return messages }
            let due = [end, next].compactMap { $0 }.min()
            await wait.wait(milliseconds: due.map { max($0 - now, 1) }, on: loop)
        }
    }

    private static func visibility(_ request: JSONValue) throws(ClientQueueError) -> Int64? {
        guard let seconds = request["VisibilityTimeout"]?.integer else { return nil }
        guard (0...43_200).contains(seconds) else {
            throw .badParameter(
                "Value \(seconds) for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided."
            )
        }
        return Int64(seconds) * 1000
    }

    private func document(_ message: Message, _ queue: StoredQueue, _ request: JSONValue) -> JSONValue {
        let content = ClientMessage.Content(message.attributes)
        let names =
            ((request["AttributeNames"]?.elements ?? []) + (request["MessageSystemAttributeNames"]?.elements ?? []))
            .compactMap(\.text)
        let system = systemAttributes(message, content, queue)
            .filter { names.contains("All") || names.contains($0.key) }
        let wanted = (request["MessageAttributeNames"]?.elements ?? []).compactMap(\.text)
        let attributes = (content.attributes?.members ?? [:]).filter { attribute in
            wanted.contains { name in
                name == "All" || name == ".*" || name == attribute.key
                    || (name.hasSuffix(".*") && attribute.key.hasPrefix(name.dropLast(2)))
            }
        }
        return .present([
            "MessageId": .text(message.id.description),
            "ReceiptHandle": .text(message.handle.text),
            "Body": .text(String(decoding: message.body, as: UTF8.self)),
            "MD5OfBody": MessageDigest.of(message.body).map { .text($0) },
            "Attributes": system.isEmpty ? nil : .texts(system),
            "MessageAttributes": attributes.isEmpty ? nil : .object(attributes),
            "MD5OfMessageAttributes": MessageDigest.of(attributes: .object(attributes)).map { .text($0) },
        ])
    }

    func systemAttributes(
        _ message: Message,
        _ content: ClientMessage.Content,
        _ queue: StoredQueue
    ) -> [String: String] {
        var attributes = [
            "SenderId": account.id,
            "SentTimestamp": String(message.acceptedUnixMilliseconds),
            "ApproximateReceiveCount": String(message.attempts),
            "ApproximateFirstReceiveTimestamp": String(
                message.firstClaimedUnixMilliseconds ?? message.acceptedUnixMilliseconds
            ),
        ]
        attributes["MessageGroupId"] = message.groupKey
        attributes["MessageDeduplicationId"] = content.deduplicationID
        attributes["AWSTraceHeader"] = content.trace
        attributes["DeadLetterQueueSourceArn"] = message.origin.map { arn($0) }
        if queue.settings.isOrdered { attributes["SequenceNumber"] = Self.sequenceText(message.sequence) }
        return attributes
    }

    // MARK: Settling

    func delete(_ request: JSONValue) async throws(ClientQueueError) -> JSONValue? {
        try await delete(request, of: try await queue(request))
        return nil
    }

    func delete(_ entry: JSONValue, of queue: StoredQueue) async throws(ClientQueueError) {
        let text = try Self.text(entry, "ReceiptHandle")
        guard let handle = MessageHandle(text) else { throw .badHandle(text) }
        let now = unixMilliseconds()
        // One that is gone, or that somebody else holds by now, is no error of the service's either.
        _ = try await stored { () async throws(QueueError) in
            try await store.settle([Settlement(handle, .acknowledge)], now: now)
        }
    }

    /// From now on, for so long; with 0 it comes again at once.
    func hold(_ entry: JSONValue, of queue: StoredQueue) async throws(ClientQueueError) {
        let text = try Self.text(entry, "ReceiptHandle")
        guard let handle = MessageHandle(text) else { throw .badHandle(text) }
        guard let milliseconds = try Self.visibility(entry) else { throw .missing("VisibilityTimeout") }
        let until = unixMilliseconds() + milliseconds
        let held = try await stored { () async throws(QueueError) in
            try await store.extend([handle], untilUnixMilliseconds: [until])
        }
        guard held == [true] else { throw .notInFlight(text) }
        if milliseconds == 0 { store.tell(queue) }
    }

    // MARK: Batches

    func batch(
        _ request: JSONValue,
        _ act: (StoredQueue, JSONValue) async throws(ClientQueueError) -> JSONValue
    ) async throws(ClientQueueError) -> JSONValue {
        let queue = try await queue(request)
        var (successful, failed): ([JSONValue], [JSONValue]) = ([], [])
        for (id, entry) in try Self.entries(request) {
            do throws(ClientQueueError) {
                var members = try await act(queue, entry).members ?? [:]
                members["Id"] = .text(id)
                successful.append(.object(members))
            } catch {
                failed.append(Self.failure(id, error))
            }
        }
        return Self.batchReply(successful, failed)
    }

    private static func entries(_ request: JSONValue) throws(ClientQueueError) -> [(id: String, entry: JSONValue)] {
        guard let entries = request["Entries"]?.elements, !entries.isEmpty else { throw .emptyBatch }
        guard entries.count <= batchEntriesMax else { throw .tooManyEntries(entries.count) }
        var seen: Set<String> = []
        var found: [(String, JSONValue)] = []
        for entry in entries {
            let id = try text(entry, "Id")
            guard id.utf8.count <= 80, id.utf8.allSatisfy(isNameByte) else { throw .badBatchID }
            guard seen.insert(id).inserted else { throw .idNotDistinct(id) }
            found.append((id, entry))
        }
        return found
    }

    private static func failure(_ id: String, _ error: ClientQueueError) -> JSONValue {
        [
            "Id": .text(id), "SenderFault": .bool(error.status < 429), "Code": .text(error.queryCode),
            "Message": .text(error.message),
        ]
    }

    private static func batchReply(_ successful: [JSONValue], _ failed: [JSONValue]) -> JSONValue {
        .present([
            "Successful": successful.isEmpty ? nil : .array(successful),
            "Failed": failed.isEmpty ? nil : .array(failed),
        ])
    }
}
