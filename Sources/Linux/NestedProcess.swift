import CLinux
import Glibc

/// The steps by which a fork of this process becomes a program of somebody else's.
package enum NestedProcess {
    /// Forks into namespaces of its own; this process has one thread.
    package static func fork(into namespaces: Namespaces) throws(SystemError) -> ForkSide {
        let child = try checkedOnce("clone") { thaw_fork_into(namespaces.rawValue) }
        return child == 0 ? .child : .parent(child: child)
    }

    /// The kernel kills this process when the thread that forked it ends.
    package static func dieWithParent() throws(SystemError) {
        _ = try checked("prctl PR_SET_PDEATHSIG") { thaw_die_with_parent() }
    }

    /// A session of its own, with signals as a program expects them.
    package static func beginSession() {
        _ = setsid()
        thaw_reset_signals()
    }

    /// The descriptors become 0, 1, 2, …; everything else is closed.
    ///
    /// Owners of closed numbers must not run any more.
    package static func keepOnly(_ descriptors: [Int32]) throws(SystemError) {
        _ = try checked("dup2") { unsafe thaw_place_descriptors(descriptors, Int32(descriptors.count)) }
    }

    /// Becomes a program; returns only where that failed.
    package static func execute(_ path: String, _ arguments: [String], environment: [String]) throws(SystemError) {
        _ = try checkedOnce("execve \(path)") {
            unsafe withStrings([path] + arguments) { arguments in
                unsafe withStrings(environment) { environment in
                    unsafe thaw_execute(path, arguments, environment)
                }
            }
        }
    }

    /// As the first process of a pid namespace: takes the dead off the table until the program has ended, too.
    ///
    /// Answers its exit status, or 128 and the number of the signal that ended it.
    package static func waitUntilEnded(_ program: Int32) -> Int32 {
        thaw_wait_until_ended(program)
    }

    /// Readable when a child has ended, see ``endingOfEnded()``.
    package static func watchChildren() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try checked("signalfd") { thaw_watch_children() })
    }

    /// Takes a child that has ended off the table, with its status as ``waitUntilEnded(_:)`` has it; nil where all live.
    package static func endingOfEnded() -> (child: Int32, status: Int32)? {
        var status: Int32 = 0
        let child = unsafe thaw_reap_ended(&status)
        guard child > 0 else { return nil }
        let signal = status & 0x7f
        return (child, signal != 0 ? 128 + signal : status >> 8 & 0xff)
    }

    /// The kernel takes children off the table as they end; nobody hears of it.
    package static func ignoreChildren() {
        thaw_ignore_children()
    }
}

extension FileDescriptor {
    /// Listens on a port of 127.0.0.1, which is made first; in a network namespace of one's own.
    ///
    /// Port 0 is any.
    package static func listeningOnLoopback(port: UInt16) throws(SystemError) -> FileDescriptor {
        try Namespaces.bringUpLoopback()
        return FileDescriptor(owning: try checked("listen 127.0.0.1:\(port)") { thaw_listen_loopback(port) })
    }

    /// The port of a listener that was given any.
    package func listeningPort() throws(SystemError) -> UInt16 {
        let number = rawValue
        return UInt16(truncatingIfNeeded: try checked("getsockname") { thaw_listening_port(number) })
    }

    /// The next connection of a listener; nil where none waits.
    package func acceptAvailable() throws(SystemError) -> FileDescriptor? {
        let number = rawValue
        guard let connection = try checkedUnlessBlocked("accept4", { thaw_accept(number) }) else { return nil }
        return FileDescriptor(owning: connection)
    }

    /// Waits until one of them can be read or has ended: bit n stands for the nth, no bit for the time being over.
    ///
    /// - Parameter timeoutMilliseconds: nil to wait for however long it takes.
    package static func waitReadable(_ descriptors: [Int32], timeoutMilliseconds: Int?) throws(SystemError) -> UInt32 {
        var happened: UInt32 = 0
        let timeout = timeoutMilliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
        _ = try checked("poll") {
            unsafe thaw_wait_readable(descriptors, Int32(descriptors.count), &happened, timeout)
        }
        return happened
    }

    /// Waits until bytes can be written, or the other side has gone.
    package func waitWritable(timeoutMilliseconds: Int) throws(SystemError) -> Bool {
        let number = rawValue
        return try checked("poll") { thaw_wait_writable(number, Int32(clamping: timeoutMilliseconds)) } > 0
    }

    /// Whoever reads from this socket finds its end behind what has come.
    package func endReading() {
        _ = shutdown(rawValue, Int32(SHUT_RD))
    }

    /// From here on the kernel says who sent what is received.
    package func passCredentials() throws(SystemError) {
        let number = rawValue
        _ = try checked("setsockopt SO_PASSCRED") { thaw_pass_credentials(number) }
    }

    /// Receives up to so many bytes, none at the end, and who sent them, as the kernel says.
    package func receive(countMax: Int) throws(SystemError) -> (bytes: [UInt8], sender: Int32) {
        let number = rawValue
        var bytes = [UInt8](repeating: 0, count: countMax)
        var sender: Int32 = 0
        let count = try checked("recvmsg") { unsafe thaw_receive_with_sender(number, &bytes, countMax, &sender) }
        bytes.removeLast(countMax - count)
        return (bytes, sender)
    }
}
