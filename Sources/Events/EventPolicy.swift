/// What becomes of an event after an attempt: a pure decision.
package struct EventPolicy: Equatable, Sendable {
    package var retriesMax: Int
    package var ageMillisecondsMax: Int64
    /// Before the second attempt; twice as long before the third.
    package var retryMilliseconds: Int64

    package init(retriesMax: Int, ageMillisecondsMax: Int64, retryMilliseconds: Int64) {
        self.retriesMax = retriesMax
        self.ageMillisecondsMax = ageMillisecondsMax
        self.retryMilliseconds = retryMilliseconds
    }

    package enum Decision: Equatable, Sendable {
        case done(Condition)
        case again(atUnixMilliseconds: Int64)
    }

    /// Why it is over, in the words of a destination's record.
    package enum Condition: String, Sendable {
        case success = "Success"
        case retriesExhausted = "RetriesExhausted"
        case ageExceeded = "EventAgeExceeded"
        case zeroConcurrency = "ZeroReservedConcurrency"
    }

    /// A throttled event comes back after a second, and after twice as long each time, up to five minutes.
    static let throttleMillisecondsMin: Int64 = 1000
    static let throttleMillisecondsMax: Int64 = 300_000

    /// - Parameter event: with the attempt counted that has just ended, unless it was throttled.
    /// - Parameter chance: from 0 up to 1, for the jitter: events that failed together do not come back together.
    package func decide(
        _ event: QueuedEvent,
        _ outcome: EventOutcome,
        nowUnixMilliseconds now: Int64,
        chance: Double
    ) -> Decision {
        switch outcome {
        case .succeeded: return .done(.success)
        case .stopped: return .done(.zeroConcurrency)
        case .gone: return .done(.retriesExhausted)
        case .failed:
            guard event.attempts <= retriesMax else { return .done(.retriesExhausted) }
            let wait = retryMilliseconds << Int64(min(max(event.attempts - 1, 0), 16))
            return again(event, at: now + jittered(wait, chance))
        case .throttled:
            let wait = Self.throttleMillisecondsMin << Int64(min(event.throttles, 16))
            return again(event, at: now + jittered(min(wait, Self.throttleMillisecondsMax), chance))
        }
    }

    /// A tenth longer at most: what is documented of the waits stays true.
    private func jittered(_ wait: Int64, _ chance: Double) -> Int64 {
        wait + Int64(Double(wait) * 0.1 * chance)
    }

    /// An event that would be too old by then is over now.
    private func again(_ event: QueuedEvent, at due: Int64) -> Decision {
        due - event.acceptedUnixMilliseconds > ageMillisecondsMax
            ? .done(.ageExceeded) : .again(atUnixMilliseconds: due)
    }
}
