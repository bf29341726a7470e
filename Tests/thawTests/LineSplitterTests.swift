import Foundation
import NIOCore
import Testing

@testable import thaw

@Suite struct LineSplitterTests {
    @Test func `lines are whole however the pieces fall`() {
        let text = "{\"a\":1}\n{\"b\":2}\n\n{\"c\":3}\nrest"
        for size in 1...text.utf8.count {
            var splitter = LineSplitter()
            var lines: [String] = []
            var bytes = ByteBuffer(string: text)
            while let piece = bytes.readSlice(length: min(size, bytes.readableBytes)), piece.readableBytes > 0 {
                lines += splitter.split(piece).map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(lines == ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"])
        }
    }
}
