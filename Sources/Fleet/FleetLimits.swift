/// The fleet's own bounds, in one place.
package enum FleetLimits {
    /// Bytes of one reply.
    ///
    /// Four times the default request limit: a batch of embeddings is larger than its texts. A reply is held in memory
    /// until it is complete, so that its time can stand in its head.
    package static let replyBytesMax = 64 * 1024 * 1024

    /// Bytes of a reply that arrive before more credit is given: half of what a worker may send unasked, so that it
    /// never stands still on a reader that keeps up.
    package static let creditStepBytes = 512 * 1024

    /// A template decodes about 1 GB/s: a minute is enough for the largest snapshot that fits this kind of node, on a
    /// slow disk.
    ///
    /// A template that is not resident by then is ended.
    package static let bootSecondsMax: Int64 = 60

    /// A packer reads, packs and compresses about 30 MB/s: ten minutes hold 18 GB, more than an upload may have.
    package static let packSecondsMax: Int64 = 600

    /// An idle worker reads the end of its channel in microseconds, a killed one is gone in milliseconds.
    ///
    /// Who is still there after this is killed; who has no pidfd to be killed by is a fork that its template never
    /// reported, and the template goes.
    package static let endSecondsMax: Int64 = 2

    /// Milliseconds between two looks at what a dead worker's program has left behind.
    package static let groupLeavingMilliseconds: Int64 = 5

    /// Bytes read from one log, and reports read from one template, before the warden turns to others.
    package static let logBytesPerEvent = 64 * 1024
    package static let reportsPerEvent = 64

    /// After a log was read it is left alone so long: a person reads no faster, and a pipe holds what 30 MB/s bring meanwhile.
    package static let logRestNanoseconds: UInt64 = 2_000_000

    /// Bytes of one log line; longer ones are cut in pieces.
    package static let logLineBytesMax = 4096

    /// A template's memory is read so long after it became resident: the call that it was booted for is answered by then.
    package static let measureDelayMilliseconds: Int64 = 50

    /// How often resident memory is looked at while a call runs, where the kernel has no memory groups for us.
    ///
    /// A worker writes about 1 GB/s into fresh pages, so 10 ms let it exceed its limit by some 10 MB at the most.
    package static let memoryWatchMilliseconds: Int64 = 10

    /// How old the reading of a worker's memory may be that goes into a receipt.
    ///
    /// A reading is a file of the kernel's and costs several microseconds, as much as the rest of a short call. What it
    /// tells, the most memory so far, only rises: a call that ends within 10 ms of a reading may leave what it added to
    /// the next one. One reading in 10 ms is a thousandth of a core; a call after a pause, or a long one, always has its own.
    package static let memoryReadNanoseconds: UInt64 = 10_000_000
}
