import NIOCore

/// Frames of AWS's event stream, in which a streamed reply comes.
///
/// ```
/// u32 bytes of all | u32 bytes of headers | u32 CRC of these 8 | headers | payload | u32 CRC of all before
/// header: u8 length, name, u8 7 (a string), u16 length, value
/// ```
///
/// Numbers are big-endian; the CRC is that of zlib.
enum EventStream {
    /// One frame may carry so much; longer pieces become several.
    ///
    /// The client's limit is 24 MiB.
    static let payloadBytesMax = 1 << 20

    static let contentType = "application/vnd.amazon.eventstream"

    /// A piece of the reply.
    static func chunk(_ payload: ByteBuffer) -> ByteBuffer {
        frame(
            [
                (":event-type", "PayloadChunk"), (":content-type", "application/octet-stream"),
                (":message-type", "event"),
            ],
            payload
        )
    }

    /// The end, with what there is to say of it as JSON.
    static func complete(_ document: [UInt8]) -> ByteBuffer {
        frame(
            [(":event-type", "InvokeComplete"), (":content-type", "application/json"), (":message-type", "event")],
            ByteBuffer(bytes: document)
        )
    }

    static func frame(_ headers: [(name: String, value: String)], _ payload: ByteBuffer) -> ByteBuffer {
        var head = ByteBuffer()
        for header in headers {
            head.writeInteger(UInt8(clamping: header.name.utf8.count))
            head.writeString(header.name)
            head.writeInteger(UInt8(7))
            head.writeInteger(UInt16(clamping: header.value.utf8.count))
            head.writeString(header.value)
        }
        let overhead = 16
        let total = overhead + head.readableBytes + payload.readableBytes
        var frame = ByteBuffer()
        frame.reserveCapacity(total)
        frame.writeInteger(UInt32(total))
        frame.writeInteger(UInt32(head.readableBytes))
        frame.writeInteger(CyclicCheck.crc32(frame.readableBytesView))
        frame.writeBuffer(&head)
        frame.writeImmutableBuffer(payload)
        frame.writeInteger(CyclicCheck.crc32(frame.readableBytesView))
        return frame
    }
}

/// CRC-32 of IEEE 802.3, as zlib has it.
enum CyclicCheck {
    private static let table: [UInt32] = (0..<256).map { number in
        (0..<8).reduce(UInt32(number)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let table = table
        return ~bytes.reduce(~UInt32(0)) { sum, byte in table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
    }
}
