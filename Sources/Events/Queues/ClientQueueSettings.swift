import ControlPlane
import FoundationEssentials
import Queues

/// A queue's attributes as clients say them, read into what the store goes by.
enum ClientQueueSettings {
    /// Numbers, with what they may be and what they are where nobody says.
    private static let numbers: [(name: String, range: ClosedRange<Int>, usual: Int)] = [
        ("VisibilityTimeout", 0...43_200, 30), ("DelaySeconds", 0...900, 0),
        ("MaximumMessageSize", 1024...1_048_576, 1_048_576),
        ("MessageRetentionPeriod", 60...1_209_600, 345_600), ("ReceiveMessageWaitTimeSeconds", 0...20, 0),
    ]
    private static let others: Set<String> = [
        "Policy", "RedrivePolicy", "FifoQueue", "ContentBasedDeduplication", "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds", "DeduplicationScope", "FifoThroughputLimit", "RedriveAllowPolicy",
        "SqsManagedSseEnabled",
    ]

    /// - Parameter before: what held until now; nil for a new queue.
    static func read(
        _ attributes: [String: String],
        name: String,
        before: QueueSettings?
    ) throws(ClientQueueError) -> QueueSettings {
        var settings = before ?? QueueSettings()
        for (key, value) in attributes {
            guard others.contains(key) || numbers.contains(where: { $0.name == key }) else {
                throw .badAttribute(key)
            }
            // An empty text takes back what was said.
            settings.attributes[key] = value.isEmpty ? nil : value
        }
        for number in numbers {
            guard let text = settings.attributes[number.name] else { continue }
            guard let value = Int(text), number.range.contains(value) else { throw .badAttributeValue(number.name) }
        }
        let isOrdered = settings.attributes["FifoQueue"] == "true"
        guard isOrdered == name.hasSuffix(".fifo") else {
            throw before != nil || isOrdered
                ? .badAttributeValue("FifoQueue")
                : .badParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
        }
        settings.isOrdered = isOrdered
        settings.visibilityMilliseconds = Int64(number("VisibilityTimeout", settings)) * 1000
        settings.delayMilliseconds = Int64(number("DelaySeconds", settings)) * 1000
        settings.retentionMilliseconds = Int64(number("MessageRetentionPeriod", settings)) * 1000
        (settings.deadLetters, settings.attemptsMax) = try redrive(settings.attributes["RedrivePolicy"])
        return settings
    }

    static func number(_ name: String, _ settings: QueueSettings) -> Int {
        settings.attributes[name].flatMap { Int($0) } ?? numbers.first { $0.name == name }?.usual ?? 0
    }

    private static func redrive(_ text: String?) throws(ClientQueueError) -> (String?, Int?) {
        guard let text else { return (nil, nil) }
        // The count may be written as a number or as text.
        guard let policy = JSONValue(parsing: text.utf8), let arn = policy["deadLetterTargetArn"]?.text,
            let queue = ClientMessage.queueName(arn: arn),
            let count = policy["maxReceiveCount"]?.integer ?? policy["maxReceiveCount"]?.text.flatMap({ Int($0) }),
            (1...1000).contains(count)
        else { throw .badAttributeValue("RedrivePolicy") }
        return (queue, count)
    }

    /// All attributes of a queue, as clients read them.
    static func document(_ queue: StoredQueue, _ depth: QueueDepth, arn: String) -> [String: String] {
        var all = queue.settings.attributes
        for number in numbers { all[number.name] = String(self.number(number.name, queue.settings)) }
        all["QueueArn"] = arn
        all["CreatedTimestamp"] = String(queue.createdUnixMilliseconds / 1000)
        all["LastModifiedTimestamp"] = String(queue.changedUnixMilliseconds / 1000)
        all["ApproximateNumberOfMessages"] = String(max(depth.ready, 0))
        all["ApproximateNumberOfMessagesNotVisible"] = String(depth.inFlight)
        all["ApproximateNumberOfMessagesDelayed"] = String(depth.delayed)
        all["SqsManagedSseEnabled"] = all["SqsManagedSseEnabled"] ?? "false"
        if queue.settings.isOrdered {
            all["ContentBasedDeduplication"] = all["ContentBasedDeduplication"] ?? "false"
            all["DeduplicationScope"] = all["DeduplicationScope"] ?? "queue"
            all["FifoThroughputLimit"] = all["FifoThroughputLimit"] ?? "perQueue"
        }
        return all
    }
}
