import ControlPlane
import FoundationEssentials
import Metering
import Queues

/// A queue of this node, as the source of a mapping.
package struct QueueSource: EventSource {
    package let kind = SourceKind(name: "aws:sqs", isStream: false, payloadKey: "body")
    private let queues: ClientQueues
    private let queue: StoredQueue

    /// - Parameter arn: of the queue.
    package init(arn: String, queues: ClientQueues) async throws(SourceError) {
        self.queues = queues
        let name = ClientMessage.queueName(arn: arn) ?? ""
        do throws(ClientQueueError) {
            queue = try await queues.queue(named: name)
        } catch {
            // It may be made later.
            throw SourceError("\(arn): \(error.message)")
        }
    }

    package func take(_ countMax: Int, waitMilliseconds: Int64?) async throws(SourceError) -> [SourceRecord] {
        do throws(ClientQueueError) {
            let messages = try await queues.take(
                queue,
                countMax,
                heldMilliseconds: queue.settings.visibilityMilliseconds,
                waitMilliseconds: waitMilliseconds
            )
            return messages.map(record)
        } catch {
            throw SourceError(error.message)
        }
    }

    private func record(_ message: Message) -> SourceRecord {
        let content = ClientMessage.Content(message.attributes)
        let attributes = (content.attributes?.members ?? [:]).mapValues { value -> JSONValue in
            .present([
                "dataType": value["DataType"], "stringValue": value["StringValue"], "binaryValue": value["BinaryValue"],
                "stringListValues": .array([]), "binaryListValues": .array([]),
            ])
        }
        let body = String(decoding: message.body, as: UTF8.self)
        let document = JSONValue.present([
            "messageId": .text(message.id.description),
            "receiptHandle": .text(message.handle.text),
            "body": .text(body),
            "attributes": .texts(queues.systemAttributes(message, content, queue)),
            "messageAttributes": .object(attributes),
            "md5OfBody": MessageDigest.of(message.body).map { .text($0) },
            "md5OfMessageAttributes": MessageDigest.of(attributes: content.attributes).map { .text($0) },
            "eventSource": "aws:sqs",
            "eventSourceARN": .text(queues.arn(queue.address.name)),
            "awsRegion": .text(queues.account.region),
        ])
        return SourceRecord(
            id: message.id.description,
            document: document,
            byteCount: document.bytes.count,
            acceptedUnixMilliseconds: message.acceptedUnixMilliseconds,
            deliveryCount: message.attempts,
            group: message.groupKey,
            handle: message.handle.text
        )
    }

    package func settle(_ records: [SourceRecord]) async throws(SourceError) {
        let settlements = records.compactMap { MessageHandle($0.handle) }.map { Settlement($0, .acknowledge) }
        do throws(QueueError) {
            _ = try await queues.store.settle(settlements, now: queues.unixMilliseconds())
        } catch {
            throw SourceError(error.description)
        }
    }

    package func putBack(_ records: [SourceRecord], afterMilliseconds: Int64) async throws(SourceError) {
        let handles = records.compactMap { MessageHandle($0.handle) }
        let until = queues.unixMilliseconds() + afterMilliseconds
        do throws(QueueError) {
            _ = try await queues.store.extend(handles, untilUnixMilliseconds: handles.map { _ in until })
        } catch {
            throw SourceError(error.description)
        }
    }

    package func lag() async -> Int? {
        try? await queues.store.measure(queue, now: queues.unixMilliseconds()).ready
    }

    /// What was taken comes again when its time is over.
    package func close() async {}
}
