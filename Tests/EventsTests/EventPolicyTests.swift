import Metering
import Testing

@testable import Events

struct EventPolicyTests {
    private let policy = EventPolicy(retriesMax: 2, ageMillisecondsMax: 21_600_000, retryMilliseconds: 60_000)

    private func event(attempts: Int, throttles: Int = 0) -> QueuedEvent {
        QueuedEvent(
            id: .generated(),
            function: "f",
            body: [],
            acceptedUnixMilliseconds: 1_000_000,
            attempts: attempts,
            throttles: throttles
        )
    }

    @Test func `a failure is tried again after a minute, then after two, then given up`() {
        func decide(_ attempts: Int) -> EventPolicy.Decision {
            policy.decide(event(attempts: attempts), .failed(body: []), nowUnixMilliseconds: 1_000_000, chance: 0)
        }
        #expect(decide(1) == .again(atUnixMilliseconds: 1_060_000))
        #expect(decide(2) == .again(atUnixMilliseconds: 1_120_000))
        #expect(decide(3) == .done(.retriesExhausted))
    }

    @Test func `a throttled event costs no attempt and waits longer each time, up to five minutes`() {
        func wait(_ throttles: Int) -> EventPolicy.Decision {
            policy.decide(
                event(attempts: 9, throttles: throttles),
                .throttled,
                nowUnixMilliseconds: 1_000_000,
                chance: 0
            )
        }
        #expect(wait(0) == .again(atUnixMilliseconds: 1_001_000))
        #expect(wait(3) == .again(atUnixMilliseconds: 1_008_000))
        #expect(wait(40) == .again(atUnixMilliseconds: 1_300_000))
    }

    @Test func `an event that would be too old by its next attempt is over now`() {
        let late: Int64 = 1_000_000 + 21_600_000 - 30_000
        #expect(
            policy.decide(event(attempts: 1), .failed(body: []), nowUnixMilliseconds: late, chance: 0)
                == .done(.ageExceeded)
        )
        #expect(
            policy.decide(event(attempts: 1), .throttled, nowUnixMilliseconds: late + 30_000, chance: 0)
                == .done(.ageExceeded)
        )
    }

    @Test func `success and a function that may not run are over at once`() {
        #expect(
            policy.decide(event(attempts: 1), .succeeded(body: []), nowUnixMilliseconds: 0, chance: 0)
                == .done(.success)
        )
        #expect(
            policy.decide(event(attempts: 1), .stopped, nowUnixMilliseconds: 0, chance: 0) == .done(.zeroConcurrency)
        )
    }
}
