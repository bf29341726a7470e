import CLinux
import Glibc

/// Waits for many descriptors at once; one thread waits, any thread adds, removes and wakes.
package final class EventPoll: Sendable {
    /// What happened to one descriptor.
    package struct Event: Equatable, Sendable {
        package let token: UInt64
        package let isReadable: Bool
        package let isWritable: Bool
        /// The other side has gone; what it sent before can still be read.
        package let isHungUp: Bool
    }

    /// What is waited for; the end of the other side always is.
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let reading = Interest(rawValue: UInt32(thaw_poll_reading))
        package static let writing = Interest(rawValue: UInt32(thaw_poll_writing))
        /// Tells once and then no more until ``EventPoll/change(_:token:for:)``.
        package static let once = Interest(rawValue: UInt32(thaw_poll_once))
    }

    /// Events that one wait brings at the most; the rest come with the next.
    private static let eventsMax = 64
    private static let wakeToken = UInt64.max

    private let poll: FileDescriptor
    private let wakeup: FileDescriptor

    package init() throws(SystemError) {
        poll = FileDescriptor(owning: try checked("epoll_create1") { thaw_poll_make() })
        wakeup = FileDescriptor(owning: try checked("eventfd") { thaw_wakeup_make() })
        try add(wakeup.rawValue, EventPoll.wakeToken, .reading)
    }

    /// Watches a descriptor until it is removed or closed; the token comes back with its events.
    package func add(
        _ descriptor: borrowing FileDescriptor,
        token: UInt64,
        for interest: Interest = .reading
    ) throws(SystemError) {
        precondition(token != EventPoll.wakeToken, "this token is the poll's own")
        try add(descriptor.rawValue, token, interest)
    }

    /// As ``add(_:token:for:)``, for a descriptor of a library's own, by its number.
    package func add(number: Int32, token: UInt64, for interest: Interest = .reading) throws(SystemError) {
        precondition(token != EventPoll.wakeToken, "this token is the poll's own")
        try add(number, token, interest)
    }

    package func change(
        _ descriptor: borrowing FileDescriptor,
        token: UInt64,
        for interest: Interest
    ) throws(SystemError) {
        let number = descriptor.rawValue
        _ = try checked("epoll_ctl") { thaw_poll_change(poll.rawValue, number, token, interest.rawValue) }
    }

    package func remove(_ descriptor: borrowing FileDescriptor) throws(SystemError) {
        let number = descriptor.rawValue
        _ = try checked("epoll_ctl") { thaw_poll_remove(poll.rawValue, number) }
    }

    private func add(_ number: Int32, _ token: UInt64, _ interest: Interest) throws(SystemError) {
        _ = try checked("epoll_ctl") { thaw_poll_add(poll.rawValue, number, token, interest.rawValue) }
    }

    /// As ``remove(_:)``, for a descriptor by its number; one that is not watched is fine.
    package func forget(_ number: Int32) {
        _ = thaw_poll_remove(poll.rawValue, number)
    }

    /// Ends the wait that is under way, or the next one.
    package func wake() {
        var one: UInt64 = 1
        // A full counter is a wake-up that is already under way.
        _ = unsafe write(wakeup.rawValue, &one, 8)
    }

    /// Waits until something happens; empty after ``wake()`` or when the time has passed (`nil`: never passes).
    package func wait(timeoutMilliseconds: Int? = nil) throws(SystemError) -> [Event] {
        let number = poll.rawValue
        let timeout = timeoutMilliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
        var events = [thaw_poll_event](repeating: thaw_poll_event(), count: EventPoll.eventsMax)
        let count = try checked("epoll_wait") {
            unsafe thaw_poll_wait(number, &events, Int32(EventPoll.eventsMax), timeout)
        }
        var happened: [Event] = []
        for event in events.prefix(Int(count)) {
            if event.token == EventPoll.wakeToken {
                var counter: UInt64 = 0
                _ = unsafe read(wakeup.rawValue, &counter, 8)
                continue
            }
            happened.append(
                Event(
                    token: event.token,
                    isReadable: event.happened & UInt32(thaw_poll_reading) != 0,
                    isWritable: event.happened & UInt32(thaw_poll_writing) != 0,
                    isHungUp: event.happened & UInt32(thaw_poll_hung_up) != 0
                )
            )
        }
        return happened
    }

    /// Whether a read of the descriptor would not wait now.
    package static func isReadable(_ number: Int32) -> Bool {
        var asked = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return unsafe Glibc.poll(&asked, 1, 0) == 1
    }
}
