import ControlPlane
import Metering
import Queues

/// Who is told of an event that is over.
struct EventDestinations {
    let plane: ControlPlane
    let hopsMax: Int

    struct Following {
        var followers: [(MessageAddress, MessageDraft)] = []
        /// Why somebody was not told.
        var notes: [String] = []
    }

    func follow(_ record: EventRecord, _ destinations: JSONValue?, deadLetterARN: String?) -> Following {
        var following = Following()
        let key = record.condition == .success ? "OnSuccess" : "OnFailure"
        let arn = plane.account.functionARN(record.event.function, record.event.content.qualifier ?? "$LATEST")
        if let place = destinations?[key]?["Destination"]?.text {
            var body = record.document(functionARN: arn).bytes
            if body.count > EventRunner.bodyBytesMax {
                following.notes.append("its record of \(body.count) bytes is too large: \(place) is told without payloads")
                body = record.document(functionARN: arn, isWhole: false).bytes
            }
            add(place, body, record, nil, &following)
        }
        if record.condition != .success, let place = deadLetterARN {
            // The older way: the event itself, and why beside it.
            add(place, record.event.body, record, record.deadLetterAttributes, &following)
        }
        return following
    }

    private func add(
        _ place: String,
        _ body: [UInt8],
        _ record: EventRecord,
        _ attributes: JSONValue?,
        _ following: inout Following
    ) {
        let hops = (record.event.content.hops ?? 0) + 1
        guard hops <= hopsMax else {
            following.notes.append(
                "RecursiveLoop: it is the \(hopsMax)th in a chain of events, each the result of the one before; "
                    + "\(place) is not told"
            )
            return
        }
        let trigger = "destination of \(record.event.id)"
        if let outside = Delivery.Place(place) {
            following.followers.append(
                (MessageAddress(.delivery, outside.queue), MessageDraft(body: body, attributes: outside.text))
            )
        } else if let queue = ClientMessage.queueName(arn: place) {
            let content = ClientMessage.Content(attributes: attributes, hops: hops)
            var draft = MessageDraft(body: body, attributes: content.text)
            if queue.hasSuffix(".fifo") {
                draft.groupKey = record.event.function
                draft.deduplicationKey = record.event.id.description
            }
            following.followers.append((MessageAddress(.client, queue), draft))
        } else if let reference = try? plane.reference(place) {
            let content = QueuedEvent.Content(qualifier: reference.qualifier, trigger: trigger, hops: hops)
            following.followers.append(
                (MessageAddress(.function, reference.name), MessageDraft(body: body, attributes: content.text))
            )
        } else {
            following.notes.append("its destination \(place) is not on this node")
        }
    }
}
