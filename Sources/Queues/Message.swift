package import Metering

/// Something accepted: on the disk from then on, until it is acknowledged.
package struct Message: Equatable, Sendable {
    /// Rises in the order of acceptance, within one store.
    package var sequence: Int64
    /// A number of the claim that holds it; a handle of an earlier one settles nothing.
    package var claim: Int64
    /// The number of its queue.
    package var queue: Int64
    package var id: InvocationID
    package var body: [UInt8]
    /// What the queue's user keeps beside the body, in words of its own; the store does not read it.
    package var attributes: String
    /// Messages of one group are given out in the order of acceptance.
    package var groupKey: String?
    package var acceptedUnixMilliseconds: Int64
    /// nil before its first claim.
    package var firstClaimedUnixMilliseconds: Int64?
    /// Times it was claimed, this one included, but for those that were taken back.
    package var attempts: Int
    /// Times it was sent back without an attempt.
    package var throttles: Int
    /// The queue that it was a dead letter of; nil where it is none.
    package var origin: String?

    package var handle: MessageHandle { MessageHandle(sequence: sequence, claim: claim) }
}

/// What settles a claimed message: opaque to whoever holds it.
package struct MessageHandle: Hashable, Sendable {
    package let sequence: Int64
    package let claim: Int64

    package init(sequence: Int64, claim: Int64) {
        self.sequence = sequence
        self.claim = claim
    }

    /// Nil for what no store gave out.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count <= 16, parts[1].utf8.count <= 16,
            let sequence = Int64(parts[0], radix: 16), let claim = Int64(parts[1], radix: 16), sequence > 0, claim > 0
        else { return nil }
        self.init(sequence: sequence, claim: claim)
    }

    package var text: String { String(sequence, radix: 16) + "-" + String(claim, radix: 16) }
}

/// What is to be accepted.
package struct MessageDraft: Equatable, Sendable {
    package var id: InvocationID
    package var body: [UInt8]
    package var attributes: String
    package var groupKey: String?
    /// Within the queue's window, a second message of this key is the first one.
    package var deduplicationKey: String?
    /// nil for the queue's own window.
    package var deduplicationMilliseconds: Int64?
    /// nil for a message that stands alone.
    package var series: SeriesPosition?
    /// nil for the queue's own.
    package var delayMilliseconds: Int64?
    /// The id came from outside: one that is there, or was, is not accepted again.
    package var isIDGiven: Bool

    package init(
        id: InvocationID = .generated(),
        body: [UInt8],
        attributes: String = "",
        groupKey: String? = nil,
        deduplicationKey: String? = nil,
        deduplicationMilliseconds: Int64? = nil,
        series: SeriesPosition? = nil,
        delayMilliseconds: Int64? = nil,
        isIDGiven: Bool = false
    ) {
        self.id = id
        self.body = body
        self.attributes = attributes
        self.groupKey = groupKey
        self.deduplicationKey = deduplicationKey
        self.deduplicationMilliseconds = deduplicationMilliseconds
        self.series = series
        self.delayMilliseconds = delayMilliseconds
        self.isIDGiven = isIDGiven
    }
}

/// What became of a draft.
package enum PublishResult: Equatable, Sendable {
    /// On the disk, to be claimed.
    case accepted(sequence: Int64)
    /// On the disk and claimed by whoever published it.
    case claimed(Message)
    /// It was accepted before, under this id.
    case duplicate(InvocationID)
    /// Nothing was written: the queue holds all it may.
    case full(depthMax: Int)
}

/// Where a message is to be accepted, when that is written as part of something else.
package struct MessageAddress: Hashable, Sendable {
    package var kind: QueueKind
    package var name: String

    package init(_ kind: QueueKind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}

/// What a queue is for; each kind has names of its own.
package enum QueueKind: String, Codable, Sendable {
    /// Calls that nobody waits for; one queue a function.
    case function
    /// Made and read by clients.
    case client
    /// What is sent outside: to a web address, to a file.
    case delivery
    /// Calls that came to nothing and that nobody was told of; one queue a function.
    case deadLetter
}

/// How a claim ends.
package enum Verdict: Equatable, Sendable {
    /// It is over, and forgotten here.
    case acknowledge
    /// It comes again at this time.
    case again(atUnixMilliseconds: Int64, attempts: Int, throttles: Int)
    /// It moves to another queue, as a dead letter.
    case bury(MessageAddress)
}

/// How one claimed message goes on, with all that follows from it: on the disk together, or not at all.
package struct Settlement: Sendable {
    package var handle: MessageHandle
    package var verdict: Verdict
    /// What is kept on record of it.
    package var outcome: MessageOutcome?
    /// Accepted whatever their queues hold: a full queue refuses what comes from outside, and nothing that was accepted.
    package var followers: [(MessageAddress, MessageDraft)]

    package init(
        _ handle: MessageHandle,
        _ verdict: Verdict,
        outcome: MessageOutcome? = nil,
        followers: [(MessageAddress, MessageDraft)] = []
    ) {
        self.handle = handle
        self.verdict = verdict
        self.outcome = outcome
        self.followers = followers
    }
}

/// The one final outcome of a message, kept for a window after it.
package struct MessageOutcome: Equatable, Sendable {
    package var id: InvocationID
    package var queue: String
    /// In one word, the user's own: `Success`, `RetriesExhausted`.
    package var condition: String
    package var attempts: Int
    package var acceptedUnixMilliseconds: Int64
    package var endedUnixMilliseconds: Int64
    /// What it led to, as far as that is kept.
    package var result: [UInt8]?
    /// Why, or where it went, in a sentence.
    package var note: String?

    package init(
        id: InvocationID,
        queue: String,
        condition: String,
        attempts: Int,
        acceptedUnixMilliseconds: Int64,
        endedUnixMilliseconds: Int64,
        result: [UInt8]? = nil,
        note: String? = nil
    ) {
        self.id = id
        self.queue = queue
        self.condition = condition
        self.attempts = attempts
        self.acceptedUnixMilliseconds = acceptedUnixMilliseconds
        self.endedUnixMilliseconds = endedUnixMilliseconds
        self.result = result
        self.note = note
    }
}
