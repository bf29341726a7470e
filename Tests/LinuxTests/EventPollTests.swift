import Linux
import Testing

struct EventPollTests {
    @Test func `what is readable is told with its token, until it is removed`() throws {
        let poll = try EventPoll()
        let pipe = try DescriptorPair.pipe()
        try poll.add(pipe.first, token: 42)
        #expect(try poll.wait(timeoutMilliseconds: 0) == [])
        try pipe.second.writeAll([1])
        let events = try poll.wait()
        #expect(events.map(\.token) == [42])
        #expect(events.first?.isReadable == true)
        #expect(events.first?.isHungUp == false)
        try poll.remove(pipe.first)
        #expect(try poll.wait(timeoutMilliseconds: 0) == [])
    }

    @Test func `the end of the other side is told`() throws {
        let poll = try EventPoll()
        let pair = try DescriptorPair.streamSockets()
        try poll.add(pair.first, token: 1)
        try pair.second.close()
        #expect(try poll.wait().first?.isHungUp == true)
    }

    @Test func `a wake-up ends one wait, whichever thread sends it`() throws {
        let poll = try EventPoll()
        poll.wake()
        poll.wake()
        #expect(try poll.wait() == [])
        #expect(try poll.wait(timeoutMilliseconds: 0) == [])
        try Thread.start(named: "waker") { poll.wake() }
        #expect(try poll.wait() == [])
    }

    @Test func `the end of a process is told through its handle`() throws {
        let poll = try EventPoll()
        let program = try FileDescriptor.open("/bin/true")
        let process = try Spawn(name: "true").start(program)
        try poll.add(process.descriptor, token: 7)
        #expect(try poll.wait().map(\.token) == [7])
        #expect(try process.wait().status == 0)
    }
}
