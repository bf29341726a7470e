import NIOCore
import Testing
import Wire

@testable import Fleet

/// What a worker asks for in the middle of a call.
@Suite struct NestedAssemblyTests {
    private static let number = NestedCall.number(1)

    private static func head(_ bodyCount: Int = 5, parent: UInt64 = 7) -> [UInt8] {
        NestedHead(
            parent: parent,
            function: "embed",
            contentType: "application/json",
            bodyCount: UInt32(bodyCount)
        ).encoded()
    }

    private static func take(
        _ assembly: inout NestedAssembly,
        _ kind: FrameHeader.Kind,
        _ payload: [UInt8] = [],
        number: UInt64 = number,
        code: UInt16 = 0
    ) throws -> NestedAssembly.Order? {
        let header = FrameHeader(kind, code: code, invocation: number, payloadCount: payload.count)
        return try assembly.take(header, ByteBuffer(bytes: payload))
    }

    @Test func `is put together from its frames, several at a time`() throws {
        var assembly = NestedAssembly()
        let other = NestedCall.number(2)
        #expect(try Self.take(&assembly, .open, Self.head()) == nil)
        #expect(try Self.take(&assembly, .open, Self.head(0, parent: 9), number: other) == nil)
        #expect(try Self.take(&assembly, .chunk, Array("hel".utf8)) == nil)
        let empty = try #require(try Self.take(&assembly, .close, number: other))
        #expect(empty.number == other && empty.parent == 9 && empty.request.body.readableBytes == 0)
        #expect(try Self.take(&assembly, .chunk, Array("lo".utf8)) == nil)
        let order = try #require(try Self.take(&assembly, .close))
        #expect(order.number == Self.number && order.parent == 7)
        #expect(order.request.function == "embed" && String(buffer: order.request.body) == "hello")
    }

    @Test func `a number is used again only when its call was answered`() throws {
        var assembly = NestedAssembly()
        _ = try Self.take(&assembly, .open, Self.head(0))
        _ = try Self.take(&assembly, .close)
        #expect(throws: NestedError.outOfOrder(.open)) { try Self.take(&assembly, .open, Self.head(0)) }
        assembly.noteAnswered(Self.number)
        #expect(try Self.take(&assembly, .open, Self.head(0)) == nil)
    }

    @Test func `what the contract does not have is refused`() throws {
        var fresh = NestedAssembly()
        #expect(throws: NestedError.outOfOrder(.chunk)) { try Self.take(&fresh, .chunk, [1]) }
        #expect(throws: NestedError.outOfOrder(.close)) { try Self.take(&fresh, .close) }
        #expect(throws: NestedError.outOfOrder(.ready)) { try Self.take(&fresh, .ready) }
        var long = NestedAssembly()
        _ = try Self.take(&long, .open, Self.head(2))
        #expect(throws: NestedError.tooLong) { try Self.take(&long, .chunk, [1, 2, 3]) }
        var short = NestedAssembly()
        _ = try Self.take(&short, .open, Self.head(2))
        #expect(throws: NestedError.outOfOrder(.close)) { try Self.take(&short, .close) }
        var many = NestedAssembly()
        for index in 1...UInt64(NestedCall.openMax) {
            _ = try Self.take(&many, .open, Self.head(), number: NestedCall.number(index))
        }
        #expect(throws: NestedError.tooMany) {
            try Self.take(&many, .open, Self.head(), number: NestedCall.number(99))
        }
    }

    @Test func `a head that says too much is refused`() {
        var head = NestedHead(parent: 1, function: "f", contentType: "", bodyCount: .max)
        #expect(throws: WireError.tooLong(Int(UInt32.max))) { try NestedHead(parsing: head.encoded()) }
        head.bodyCount = 3
        #expect(throws: Never.self) { try NestedHead(parsing: head.encoded()) }
        let bytes = head.encoded()
        for count in bytes.indices {
            #expect(throws: WireError.self) { try NestedHead(parsing: Array(bytes[..<count])) }
        }
    }
}
