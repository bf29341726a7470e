/// A batch of an ordered source on its way: what is called next, what is done, and what is given up.
///
/// Records of a stream are done in order. A batch that fails is tried again, from the first record that failed where the reply says which; with
/// bisecting, in halves, so that one bad record is soon alone. What has been tried too often, or is too old, is given up and told to the
/// mapping's destination. Nothing here waits or calls: an outcome goes in, the next step comes out.
struct StreamBatch: Equatable, Sendable {
    struct Policy: Equatable, Sendable {
        /// -1: until it succeeds or is too old.
        var retriesMax: Int
        /// -1: as old as the source keeps it.
        var ageSecondsMax: Int
        var bisects: Bool
        /// Before the second attempt; twice as long each time, up to `backoffMillisecondsMax`.
        var backoffMilliseconds: Int64 = 500
        var backoffMillisecondsMax: Int64 = 60_000
    }

    enum Step: Equatable, Sendable {
        /// Calls the function with records `range` of the batch, not before `delayMilliseconds` from now.
        case call(range: Range<Int>, delayMilliseconds: Int64)
        /// Tells the destination that these will not be done, and asks again.
        case giveUp(range: Range<Int>, condition: Condition, attempts: Int)
        /// All records are done or given up.
        case finished
    }

    enum Condition: String, Equatable, Sendable {
        case retriesExhausted = "RetryAttemptsExhausted"
        case ageExceeded = "MaximumRecordAgeExceeded"
    }

    private struct Part: Equatable, Sendable {
        var range: Range<Int>
        /// Attempts of exactly these records, or of what they were a part of: halves inherit.
        var attempts: Int
    }

    private let policy: Policy
    private let acceptedUnixMilliseconds: [Int64]
    /// In order, the next one last.
    private var parts: [Part]

    init(acceptedUnixMilliseconds: [Int64], policy: Policy) {
        self.policy = policy
        self.acceptedUnixMilliseconds = acceptedUnixMilliseconds
        parts = acceptedUnixMilliseconds.isEmpty ? [] : [Part(range: acceptedUnixMilliseconds.indices, attempts: 0)]
    }

    /// How many records from the front are settled: what a cursor may be moved past.
    var settledCount: Int { parts.last?.range.lowerBound ?? acceptedUnixMilliseconds.count }

    /// What is to be done now.
    mutating func next(nowUnixMilliseconds now: Int64) -> Step {
        guard let part = parts.last else { return .finished }
        if part.attempts > 0 {
            if let expired = expired(part.range, now: now) {
                settle(expired.upperBound)
                return .giveUp(range: expired, condition: .ageExceeded, attempts: part.attempts)
            }
            if policy.retriesMax >= 0, part.attempts > policy.retriesMax {
                settle(part.range.upperBound)
                return .giveUp(range: part.range, condition: .retriesExhausted, attempts: part.attempts)
            }
        }
        let wait =
            part.attempts == 0
            ? 0
            : min(policy.backoffMilliseconds << Int64(min(part.attempts - 1, 20)), policy.backoffMillisecondsMax)
        return .call(range: part.range, delayMilliseconds: wait)
    }

    /// The records that were called are done.
    mutating func succeeded() {
        guard let part = parts.last else { return }
        settle(part.range.upperBound)
    }

    /// They are not, from the record `first` on; nil where nobody knows which.
    mutating func failed(from first: Int?) {
        guard var part = parts.popLast() else { return }
        part.attempts += 1
        if let first, part.range.contains(first), first > part.range.lowerBound {
            // What came before it is done, and the rest was not wrong as often.
            parts.append(Part(range: first..<part.range.upperBound, attempts: 1))
            return
        }
        guard policy.bisects, part.range.count > 1 else {
            parts.append(part)
            return
        }
        let middle = part.range.lowerBound + part.range.count / 2
        // A half starts anew: bisecting does not use up the attempts of the records in it.
        parts.append(Part(range: middle..<part.range.upperBound, attempts: 0))
        parts.append(Part(range: part.range.lowerBound..<middle, attempts: 0))
    }

    /// The records at the front that are too old; nil where the first is not.
    private func expired(_ range: Range<Int>, now: Int64) -> Range<Int>? {
        guard policy.ageSecondsMax >= 0 else { return nil }
        let bound = now - Int64(policy.ageSecondsMax) * 1000
        let end = range.first { acceptedUnixMilliseconds[$0] >= bound } ?? range.upperBound
        return end > range.lowerBound ? range.lowerBound..<end : nil
    }

    private mutating func settle(_ end: Int) {
        guard var part = parts.popLast() else { return }
        guard end < part.range.upperBound else { return }
        part.range = end..<part.range.upperBound
        parts.append(part)
    }
}
