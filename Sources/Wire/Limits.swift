/// Every bound of the contract between the scheduler and its processes, in one place.
package enum WireLimits {
    /// Bumped on any change of a frame or message; both sides refuse another version.
    package static let version: UInt16 = 1

    /// Bytes of payload in one frame.
    ///
    /// 256 KiB keeps a 384-float reply in one frame and one `write`, and bounds what a misbehaving worker can make the
    /// scheduler buffer before it is caught.
    package static let framePayloadBytesMax = 256 * 1024

    /// Bytes of a reply that a worker may send before the scheduler grants more.
    package static let replyCreditBytes = 1024 * 1024

    /// Bytes of one control message to a template: two seccomp filters (4096 instructions of 8 bytes each at
    /// the most) and the function's environment (4 KiB in all), rounded up.
    package static let controlMessageBytesMax = 2 * 4096 * 8 + 16 * 1024

    /// Descriptors attached to one control message: a channel and a control group for a fork.
    package static let descriptorsMax = 4

    /// Bytes of a body's content type: RFC 6838 allows names of 127 characters on either side of the slash.
    package static let contentTypeBytesMax = 256

    /// Bytes of a worker's failure message; longer ones are cut by the sender and refused by the receiver.
    package static let failureMessageBytesMax = 4096
}
