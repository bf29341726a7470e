/// Every bound of the contract between the scheduler and its processes, in one place.
package enum WireLimits {
    /// Bumped on any change of a frame or message; both sides refuse another version.
    package static let version: UInt16 = 6

    /// Bytes of each of the two rings of a worker.
    ///
    /// 128 KiB hold some hundred calls of a sentence and their embeddings, and two frames of the longest kind, so that
    /// a side fills one half while the other empties the other; both rings stay in a core's second-level cache. Pages
    /// cost memory from their first use on.
    package static let ringByteCount = 128 * 1024

    /// Bytes of payload in one frame: with its header, half a ring.
    package static let framePayloadBytesMax = ringByteCount / 2 - FrameHeader.byteCount

    /// Bytes of a reply that a worker may send before the scheduler grants more.
    package static let replyCreditBytes = 1024 * 1024

    /// Bytes of one control message to a template: two seccomp filters (4096 instructions of 8 bytes each at
    /// the most) and the function's environment (4 KiB in all), rounded up.
    package static let controlMessageBytesMax = 2 * 4096 * 8 + 16 * 1024

    /// Descriptors attached to one control message: for a boot the snapshot, the three bases that one may have and a file of
    /// secrets; for a fork its doorbell, its rings and control groups.
    package static let descriptorsMax = 5

    /// Bytes of a function's secrets as its template reads them.
    package static let secretsBytesMax = 2 * 1024 * 1024

    /// Bytes of a body's content type: RFC 6838 allows names of 127 characters on either side of the slash.
    package static let contentTypeBytesMax = 256

    /// Bytes of a model's name as a caller gives it: a function's name of 63, and an alias behind it.
    package static let modelNameBytesMax = 256

    /// Calls that a worker runs together: their texts, of a sentence each, fill a ring.
    package static let batchMax = 128

    /// Bytes of the last words of a process that ended by itself.
    package static let lastWordsBytesMax = 1000

    /// Bytes of a worker's failure message; longer ones are cut by the sender and refused by the receiver.
    package static let failureMessageBytesMax = 4096
}
