import Scheduling
import Testing

@testable import Fleet

struct CallTimesTests {
    private func times(accepted: UInt64, assigned: UInt64?, ready: UInt64?) -> CallTimes {
        var times = CallTimes(acceptedAt: accepted)
        times.assignedAt = assigned
        times.readyAt = ready
        return times
    }

    @Test func `a hot call waits in the queue and then runs`() {
        let spans = times(accepted: 100, assigned: 130, ready: 130).spans(.hot, until: 200)
        #expect(spans == (30, 0, 70))
    }

    @Test func `a warm call's fork is its bind, a cold call's whole wait is`() {
        let stations = times(accepted: 100, assigned: 150, ready: 160)
        #expect(stations.spans(.warm, until: 200) == (50, 10, 40))
        #expect(stations.spans(.cold, until: 200) == (0, 60, 40))
    }

    @Test func `a call that no worker had was queued for all of its time`() {
        #expect(times(accepted: 100, assigned: nil, ready: nil).spans(nil, until: 120) == (20, 0, 0))
    }

    @Test func `stations that two threads saw in the other order are no time apart, and no trap`() {
        let spans = times(accepted: 100, assigned: 99, ready: 98).spans(.hot, until: 97)
        #expect(spans == (0, 0, 0))
    }
}
