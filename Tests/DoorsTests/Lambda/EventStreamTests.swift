import Digests
import NIOCore
import Testing

@testable import Doors

/// The vectors were decoded with botocore.
struct EventStreamTests {
    @Test func `a piece is framed as botocore reads it`() {
        let frame = EventStream.chunk(ByteBuffer(string: "hi"))
        #expect(
            Hexadecimal.text(Array(frame.readableBytesView)) == """
                0000006c0000005ab25efdcf0b3a6576656e742d7479706507000c5061796c6f61644368756e6b0d3a636f6e74656e742d747970650700\
                186170706c69636174696f6e2f6f637465742d73747265616d0d3a6d6573736167652d747970650700056576656e7468691162e469
                """
        )
    }

    @Test func `the end is framed as botocore reads it`() {
        let frame = EventStream.complete(Array("{}".utf8))
        #expect(
            Hexadecimal.text(Array(frame.readableBytesView)) == """
                00000066000000541f56c8690b3a6576656e742d7479706507000e496e766f6b65436f6d706c6574650d3a636f6e74656e742d74797065\
                0700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b7d7006d467
                """
        )
    }

    @Test func `the check of nothing and of the standard's text are those of zlib`() {
        #expect(CyclicCheck.crc32([]) == 0)
        #expect(CyclicCheck.crc32("123456789".utf8) == 0xCBF4_3926)
    }
}
