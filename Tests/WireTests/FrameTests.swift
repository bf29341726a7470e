import Testing

@testable import Wire

struct FrameTests {
    @Test func `a header takes 16 bytes, little-endian, and comes back`() throws {
        let header = FrameHeader(.close, code: 3, invocation: 0x0102_0304_0506_0708, payloadCount: 513)
        #expect(header.words == (0x0003_0004_0000_0201, 0x0102_0304_0506_0708))
        #expect(try FrameHeader(words: header.words) == header)
    }

    @Test func `a kind that this version does not have, and a payload over the limit, are refused`() throws {
        #expect(throws: WireError.unknownKind(7)) { try FrameHeader(words: (0x07_0000_0001, 1)) }
        #expect(throws: WireError.unknownKind(9)) { try FrameHeader(words: (0x0903_0000_0001, 1)) }
        #expect(throws: WireError.tooLong(65521)) { try FrameHeader(words: (0x03_0000_fff1, 1)) }
        #expect(try FrameHeader(words: (0x03_0000_fff0, 1)).payloadCount == WireLimits.framePayloadBytesMax)
    }

    @Test func `heads of calls and replies come back, and text that is not UTF-8 is refused`() throws {
        let call = CallHead(bodyCount: 12, contentType: "application/json")
        #expect(try CallHead(parsing: call.encoded()) == call)
        let reply = ReplyHead(contentType: "text/plain; charset=utf-8")
        #expect(try ReplyHead(parsing: reply.encoded()) == reply)
        #expect(throws: WireError.notText) { try ReplyHead(parsing: [0, 1, 0, 0, 0, 0xff]) }
        #expect(throws: WireError.tooLong(257)) {
            try ReplyHead(parsing: ReplyHead(contentType: String(repeating: "x", count: 257)).encoded())
        }
    }
}
