import Linux
import Testing

struct ReadBufferTests {
    @Test func `bytes come out in the order and the pieces that were asked for`() throws {
        let pipe = try DescriptorPair.pipe()
        var buffer = try ReadBuffer(capacity: 4096)
        let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let writer = pipe.second.take()
        try Thread.start(named: "writer") { try? FileDescriptor(owning: writer).writeAll(bytes) }
        var taken: [UInt8] = []
        var size = 1
        while taken.count < bytes.count {
            let count = min(size, bytes.count - taken.count)
            #expect(try buffer.fill(count, from: pipe.first))
            taken += buffer.take(count)
            size = size % 4096 + 371
            if size > 4096 { size = 4096 }
        }
        #expect(taken == bytes)
        #expect(try !buffer.fill(1, from: pipe.first))
    }

    @Test func `a stream that ends early leaves what came`() throws {
        let pipe = try DescriptorPair.pipe()
        var buffer = try ReadBuffer(capacity: 64)
        try pipe.second.writeAll([1, 2, 3])
        try pipe.second.close()
        #expect(try !buffer.fill(4, from: pipe.first))
        #expect(buffer.waitingCount == 3)
        #expect(buffer.take(3) == [1, 2, 3])
    }
}
