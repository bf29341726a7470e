package import ControlPlane
import FoundationEssentials

/// A message of a queue that clients made, as the store keeps what is beside its body.
package enum ClientMessage {
    package struct Content: Codable, Equatable, Sendable {
        /// `MessageAttributes` as they were sent.
        package var attributes: JSONValue?
        package var deduplicationID: String?
        /// `AWSTraceHeader`.
        package var trace: String?
        /// How many events led to it.
        package var hops: Int?

        package init(
            attributes: JSONValue? = nil,
            deduplicationID: String? = nil,
            trace: String? = nil,
            hops: Int? = nil
        ) {
            self.attributes = attributes
            self.deduplicationID = deduplicationID
            self.trace = trace
            self.hops = hops
        }

        package init(_ text: String) {
            self = (try? JSONDecoder().decode(Content.self, from: Data(text.utf8))) ?? Content()
        }

        package var text: String {
            (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }
    }

    /// `arn:aws:sqs:REGION:ACCOUNT:NAME`; nil for another thing's.
    package static func queueName(arn: String) -> String? {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "sqs", !parts[5].isEmpty else { return nil }
        return String(parts[5])
    }
}
