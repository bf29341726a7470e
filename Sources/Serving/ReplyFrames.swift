import Wire

/// The frames of a reply; what fits one frame becomes one write.
enum ReplyFrames {
    static func ready() -> [UInt8] {
        var writer = ByteWriter()
        FrameHeader(.ready, invocation: 0, payloadCount: 0).write(to: &writer)
        return writer.bytes
    }

    static func failure(_ failure: CallFailure, invocation: UInt64) -> [UInt8] {
        let message = Array(cut(failure.message).utf8)
        var writer = ByteWriter()
        FrameHeader(.close, code: failure.code.rawValue, invocation: invocation, payloadCount: message.count)
            .write(to: &writer)
        return writer.bytes + message
    }

    static func head(_ contentType: String, invocation: UInt64) -> [UInt8] {
        let head = ReplyHead(contentType: contentType).encoded()
        var writer = ByteWriter()
        FrameHeader(.open, invocation: invocation, payloadCount: head.count).write(to: &writer)
        return writer.bytes + head
    }

    static func append(_ chunk: ArraySlice<UInt8>, invocation: UInt64, to bytes: inout [UInt8]) {
        var writer = ByteWriter()
        FrameHeader(.chunk, invocation: invocation, payloadCount: chunk.count).write(to: &writer)
        bytes.append(contentsOf: writer.bytes)
        bytes.append(contentsOf: chunk)
    }

    static func end(invocation: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        FrameHeader(.close, invocation: invocation, payloadCount: 0).write(to: &writer)
        return writer.bytes
    }

    /// At most the contract's bytes of a message, whole characters only.
    static func cut(_ message: String) -> String {
        guard message.utf8.count > WireLimits.failureMessageBytesMax else { return message }
        var count = 0
        return String(
            message.prefix { character in
                count += character.utf8.count
                return count <= WireLimits.failureMessageBytesMax
            }
        )
    }
}
