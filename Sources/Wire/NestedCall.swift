/// A call that a worker makes of another function, in the middle of one of its own.
///
/// It goes the other way with the same frames, under a number of the worker's own:
///
/// ```
/// worker → scheduler   open(NestedHead) chunk* close
/// scheduler → worker   open(ReplyHead) chunk* close  │  close(NestedFailure, message)
/// ```
package enum NestedCall {
    /// The highest bit of a frame's invocation says that it belongs to such a call; the rest numbers those of a channel.
    private static let bit: UInt64 = 1 << 63

    package static func number(_ index: UInt64) -> UInt64 {
        index | bit
    }

    package static func owns(_ header: FrameHeader) -> Bool {
        header.invocation & bit != 0
    }

    /// Calls that a worker may have made and not heard of yet.
    package static let openMax = 16
    /// Bytes of one of their bodies, and of one of the replies: what a call from outside may have.
    package static let bodyBytesMax = 64 * 1024 * 1024
    /// Functions that call one another, the first included.
    package static let depthMax = 8
}

/// Why such a call has no reply; travels as the `code` of its `close`.
package enum NestedFailure: UInt16, Sendable, CaseIterable {
    /// The function itself failed; the message is its error as JSON.
    case function = 1
    /// It was refused, or came to nothing; the message is a sentence.
    case refused = 2
}

/// What such a call brings besides its body.
package struct NestedHead: Equatable, Sendable {
    /// The worker's own call that it belongs to, as the scheduler numbered it.
    package var parent: UInt64
    package var function: String
    package var contentType: String
    package var bodyCount: UInt32

    package init(parent: UInt64, function: String, contentType: String, bodyCount: UInt32) {
        self.parent = parent
        self.function = function
        self.contentType = contentType
        self.bodyCount = bodyCount
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(parent)
        writer.append(text: function)
        writer.append(text: contentType)
        writer.append(bodyCount)
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        parent = try reader.read(UInt64.self)
        function = try reader.readText(countMax: WireLimits.modelNameBytesMax)
        contentType = try reader.readText(countMax: WireLimits.contentTypeBytesMax)
        bodyCount = try reader.read(UInt32.self)
        guard Int(bodyCount) <= NestedCall.bodyBytesMax else { throw .tooLong(Int(bodyCount)) }
        try reader.finish()
    }
}
