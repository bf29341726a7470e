import Linux
import NIOCore
import NIOPosix
import Testing

@testable import Schedules

struct ScheduleAlarmTests {
    @Test func `an alarm goes off for a time that is past, each time that it is set`() async throws {
        let (rings, ring) = AsyncStream<Void>.makeStream()
        let alarm = try ScheduleAlarm(on: MultiThreadedEventLoopGroup.singleton.next()) { ring.yield() }
        defer { alarm.close() }
        var iterator = rings.makeAsyncIterator()
        for time in [0, 1_772_104_050_000, Int64(Clock.wallNanoseconds() / 1_000_000) + 5] {
            alarm.set(time)
            #expect(await iterator.next() != nil)
        }
        // Never: only what is set afterwards goes off.
        alarm.set(.max / 1_000_000)
        alarm.set(nil)
        alarm.set(5)
        #expect(await iterator.next() != nil)
    }
}
