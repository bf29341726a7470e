package import Scheduling

/// What one admitted attempt used, how it ended and what it costs, in whole numbers.
package struct Receipt: Equatable, Sendable {
    package let id: InvocationID
    package let attempt: Int
    /// The call in the middle of which this one was made; nil for one from outside.
    package let parent: InvocationID?
    /// The node that served it; the ledger fills it in.
    package internal(set) var node = ""
    package let function: String
    package let version: Int
    /// Digest of the snapshot, lower-case hexadecimal.
    package let snapshot: String
    /// How the attempt met its worker; nil where it never met one.
    package var start: StartKind?
    package let acceptedUnixNanoseconds: UInt64
    /// From acceptance until a worker was found.
    package var queueNanoseconds: UInt64 = 0
    /// From there until the worker had the call: a fork, a load, nothing.
    package var bindNanoseconds: UInt64 = 0
    /// From there until the reply.
    package var runNanoseconds: UInt64 = 0
    /// Processor time of the worker during this attempt, read from outside it.
    package var cpuNanoseconds: UInt64 = 0
    /// Calls that were run as one, this among them; each has its part of the processor time.
    package var batchSize: Int = 1
    /// The most private memory that the worker had.
    package var memoryBytesPeak: Int = 0
    package let bytesIn: Int
    package var bytesOut: Int = 0
    package var outcome: Outcome = .interrupted
    /// A sentence for everything but success.
    ///
    /// Such as `stopped by signal 9 (SIGKILL)`. One beyond 256 bytes is cut: a slot of the ledger holds no more.
    package var reason: String?
    /// The HTTP status that the caller got; 0 where nobody got one.
    package var status: Int = 0
    /// Filled in by the ledger from its rate card, which `rateCard` names.
    package internal(set) var billedNanodollars: Int = 0
    package internal(set) var rateCard = ""

    package enum Outcome: String, Codable, CaseIterable, Sendable {
        case succeeded
        /// The worker answered that it could not do it.
        case failed
        case timedOut
        /// The worker ended before it answered.
        case died
        /// Refused after admission, before a worker had it: the queue was too slow, or the node drains.
        case rejected
        /// The scheduler ended first.
        case interrupted
        /// Its caller went away, and it was ended for that.
        case cancelled
    }

    /// An attempt that has not ended: everything that it used is still 0.
    package init(_ attempt: Attempt) {
        id = attempt.id
        self.attempt = attempt.number
        parent = attempt.parent
        function = attempt.function
        version = attempt.version
        snapshot = attempt.snapshot
        acceptedUnixNanoseconds = attempt.acceptedUnixNanoseconds
        bytesIn = attempt.bytesIn
    }

    /// RFC 3339 in UTC, with all nine digits of the nanoseconds.
    package var acceptedAt: String {
        CalendarTime(unixNanoseconds: acceptedUnixNanoseconds).description
    }
}
