import FoundationEssentials
package import Metering
import Queues

/// Something that is sent outside of the node, once at least.
package struct Delivery: Equatable, Sendable {
    /// The same each time that it is tried.
    package var id: InvocationID
    package var place: Place
    /// JSON.
    package var body: [UInt8]

    package enum Place: Equatable, Sendable {
        /// Posted to this address.
        case web(url: String)
        /// A line of a file of this name, in the node's folder of destinations.
        case file(name: String)

        /// `https://example.org/hook`, `file:results`; nil for what is no place, or none that may be written.
        package init?(_ text: String) {
            if text.hasPrefix("https://") || text.hasPrefix("http://") {
                guard text.utf8.count <= 2048, let url = URL(string: text), url.host()?.isEmpty == false else {
                    return nil
                }
                self = .web(url: text)
            } else if text.hasPrefix("file:") {
                let name = text.dropFirst(5)
                // A plain name: whoever may configure a function may not write where they like.
                let isPlain = name.utf8.allSatisfy {
                    ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x41 && $0 <= 0x5a) || ($0 >= 0x30 && $0 <= 0x39)
                        || $0 == 0x2d || $0 == 0x5f
                }
                guard isPlain, (1...64).contains(name.utf8.count) else { return nil }
                self = .file(name: String(name))
            } else {
                return nil
            }
        }

        package var text: String {
            switch self {
            case .web(let url): url
            case .file(let name): "file:" + name
            }
        }

        /// Deliveries to one machine wait for one another, and for no others.
        var queue: String {
            switch self {
            case .web(let url): "web " + (URL(string: url)?.host() ?? "")
            case .file: "file"
            }
        }
    }
}

package enum DeliveryOutcome: Equatable, Sendable {
    case delivered
    /// It may be taken later.
    case failed(reason: String)
    /// It is never taken.
    case refused(reason: String)
}

/// What becomes of a delivery after a try.
enum DeliveryPolicy {
    static let attemptsMax = 16
    static let waitMillisecondsMin: Int64 = 1000
    static let waitMillisecondsMax: Int64 = 3_600_000

    static func settle(
        _ message: Message,
        _ place: Delivery.Place,
        _ outcome: DeliveryOutcome,
        nowUnixMilliseconds now: Int64
    ) -> Settlement {
        func over(_ condition: String, _ note: String?, _ verdict: Verdict) -> Settlement {
            Settlement(
                message.handle,
                verdict,
                outcome: MessageOutcome(
                    id: message.id,
                    queue: place.queue,
                    condition: condition,
                    attempts: message.attempts,
                    acceptedUnixMilliseconds: message.acceptedUnixMilliseconds,
                    endedUnixMilliseconds: now,
                    note: note
                )
            )
        }
        let letters = Verdict.bury(MessageAddress(.deadLetter, place.queue))
        switch outcome {
        case .delivered: return over("Delivered", place.text, .acknowledge)
        case .refused(let reason): return over("Refused", reason, letters)
        case .failed(let reason):
            guard message.attempts < attemptsMax else { return over("RetriesExhausted", reason, letters) }
            let wait = min(waitMillisecondsMin << Int64(message.attempts - 1), waitMillisecondsMax)
            return Settlement(
                message.handle,
                .again(atUnixMilliseconds: now + wait, attempts: message.attempts, throttles: message.throttles)
            )
        }
    }
}
