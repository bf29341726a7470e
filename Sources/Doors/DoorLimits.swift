import NIOCore

/// Every bound of the doors, argued where it stands.
package enum DoorLimits {
    /// Bytes of all header fields together, and of one.
    ///
    /// A bearer token is under 4 KiB and a trace context under
    /// 1 KiB; what is longer is not meant for us. NIO allows 80 KiB, which is 80 KiB of every stranger's connection.
    static let headerBytesMax = 16 * 1024
    static let headersMax = 100

    /// A connection may stay open this long without a whole request or a byte of a body.
    ///
    /// That also bounds a client that sends its header one byte at a time. Load balancers keep theirs for 60 s, so we outlast them by a little
    /// and the side that closes is the side that knows whether a request was sent.
    static let idleTimeout: TimeAmount = .seconds(65)

    /// Open connections.
    ///
    /// Each costs up to 100 KiB with its buffers, so 4096 of them 400 MiB at the worst. Later ones
    /// wait in the backlog of the socket.
    static let connectionsMax = 4096
    static let backlog = 1024

    /// A body must arrive at this pace, after a time of grace.
    ///
    /// A client that sends one byte a minute holds a
    /// connection, not a body's worth of memory for ever. 16 KiB/s is a poor telephone line.
    static let bodyBytesPerSecondMin = 16 * 1024
    static let bodyGraceSeconds = 30

    /// The body of a reply that we refuse is read and thrown away for this long and up to this size, so that the client
    /// reads the refusal instead of a reset connection.
    ///
    /// A bundle can be refused at its first byte (the disk is full) while its client has 100 MB still to send: on
    /// loopback a second's work.
    static let lingerTimeout: TimeAmount = .seconds(5)
    static let lingerBytesMax = 256 * 1024 * 1024
    /// Rest of a body that costs less to read than to open the connection again.
    static let leftoverBytesMax = 64 * 1024

    /// Bodies of the administrative doors: `{"version": 12}`.
    static let documentBytesMax = 4 * 1024

    /// Rows of receipts or log lines in one reply, and without `last`.
    static let rowsMax = 1000
    static let logLinesDefault = 100
    static let receiptsDefault = 20

    /// A restart of the scheduler takes about this long.
    static let retryAfterDrainingSeconds = 5
    /// What made a function unavailable (memory, disk) rarely goes away at once.
    static let retryAfterUnavailableSeconds = 1
}
