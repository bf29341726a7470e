import Testing

@testable import Wire

struct FrameTests {
    private func encoded(_ header: FrameHeader) -> [UInt8] {
        var writer = ByteWriter()
        header.write(to: &writer)
        return writer.bytes
    }

    @Test func `a header takes 16 bytes, little-endian, and comes back`() throws {
        let header = FrameHeader(.close, code: 3, invocation: 0x0102_0304_0506_0708, payloadCount: 513)
        let bytes = encoded(header)
        #expect(bytes == [1, 2, 0, 0, 4, 0, 3, 0, 8, 7, 6, 5, 4, 3, 2, 1])
        #expect(try FrameHeader(parsing: bytes) == header)
    }

    @Test func `a kind that this version does not have, and a payload over the limit, are refused`() {
        var bytes = encoded(FrameHeader(.chunk, invocation: 1, payloadCount: 1))
        bytes[4] = 7
        #expect(throws: WireError.unknownKind(7)) { try FrameHeader(parsing: bytes) }
        bytes[4] = 3
        bytes.replaceSubrange(0..<4, with: [1, 0, 4, 0])
        #expect(throws: WireError.tooLong(262_145)) { try FrameHeader(parsing: bytes) }
        #expect(throws: WireError.truncated) { try FrameHeader(parsing: Array(bytes.prefix(15))) }
    }

    @Test func `heads of calls and replies come back, and text that is not UTF-8 is refused`() throws {
        let call = CallHead(bodyCount: 12, contentType: "application/json")
        #expect(try CallHead(parsing: call.encoded()) == call)
        let reply = ReplyHead(contentType: "text/plain; charset=utf-8")
        #expect(try ReplyHead(parsing: reply.encoded()) == reply)
        #expect(throws: WireError.notText) { try ReplyHead(parsing: [1, 0, 0, 0, 0xff]) }
        #expect(throws: WireError.tooLong(257)) {
            try ReplyHead(parsing: ReplyHead(contentType: String(repeating: "x", count: 257)).encoded())
        }
    }
}
