import Foundation
import Linux
import Testing

@testable import Snapshots

/// What other programs see in a snapshot: zstd frames, and a table that finds them.
@Suite struct FrameTests {
    @Test func `any zstd decoder reads the file, and finds the planes of each chunk`() throws {
        let tensor = Tensor.weights("weight", .f32, shape: [300, 1000])
        let file = try SnapshotFile([Tensor.text("task", "{}"), tensor])
        let decoder = try Decompressor()
        let bytes = try file.bytes()
        let planes = Self.planes(of: tensor.bytes, width: 4, chunkByteCount: SnapshotFormat.chunkByteCountMax)
        var out = [UInt8](repeating: 0, count: 2 + planes.count)
        let isWhole = decoder.decompress(bytes, 0..<bytes.count, into: &out, at: 0..<out.count)
        #expect(isWhole, "the file is a row of frames, from its first byte to its last")
        #expect(out == Array("{}".utf8) + planes)
    }

    @Test func `the seek table names every frame before it`() throws {
        let tensors = Tensor.few + [Tensor.weights("large", .bf16, shape: [300, 1000])]
        let bytes = try SnapshotFile(tensors).bytes()
        func number(at offset: Int, _ count: Int = 4) -> Int {
            (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << ($1 * 8) }
        }
        let end = bytes.count
        #expect(number(at: end - 4) == 0x8f92_eab1 && bytes[end - 5] == 0)
        let count = number(at: end - 9)
        let start = end - 9 - 8 * count - 8
        #expect(number(at: start) == 0x184d_2a5e && number(at: start + 4) == end - start - 8)
        let decoder = try Decompressor()
        var offset = 0
        for entry in 0..<count {
            let (stored, decoded) = (number(at: start + 8 + entry * 8), number(at: start + 12 + entry * 8))
            var out = [UInt8](repeating: 0, count: decoded)
            #expect(decoder.decompress(bytes, offset..<offset + stored, into: &out, at: 0..<decoded), "\(entry)")
            offset += stored
        }
        #expect(offset == start)
    }

    @Test(arguments: [1, 255, 256, 257, 65_791, 65_792, 131_072])
    func `a raw frame is what zstd reads`(count: Int) throws {
        var generator = SeededGenerator(seed: 4)
        let bytes = generator.bytes(count: count)
        let frame = ZstdFrame.rawHeader(byteCount: count) + bytes
        #expect(frame.count == ZstdFrame.rawByteCount(of: count))
        var out = [UInt8](repeating: 0, count: count)
        #expect(try Decompressor().decompress(frame, 0..<frame.count, into: &out, at: 0..<count))
        #expect(out == bytes)
    }

    @Test func `integers and packed numbers stay as they are`() throws {
        let zeros = [UInt8](repeating: 0, count: 8192)
        let file = try SnapshotFile([
            Tensor(name: "i64", element: .i64, shape: [1024], bytes: zeros),
            Tensor(name: "packed", element: .u8, shape: [100], layout: 3, bytes: zeros),
            Tensor(name: "i8", element: .i8, shape: [8192], bytes: zeros),
        ])
        for entry in try file.load().index.entries where entry.twin == nil {
            #expect(entry.storedByteCount == ZstdFrame.rawByteCount(of: 8192), "\(entry.name)")
        }
    }

    @Test func `equal tensors are stored once, and lie in memory once`() throws {
        let weight = Tensor.weights("a", .f32, shape: [100, 100])
        var twin = weight
        twin.name = "b"
        let other = Tensor.weights("c", .f32, shape: [100, 100], seed: 2)
        let one = try SnapshotFile([weight, other])
        let two = try SnapshotFile([weight, other, twin])
        let snapshot = try two.load()
        let entries = snapshot.index.entries
        #expect(entries.map(\.twin) == [nil, nil, 0])
        #expect(try two.bytes().count < one.bytes().count + 100)
        #expect(entries[2].arenaOffset == entries[0].arenaOffset && entries[2].storedByteCount == 0)
        #expect(try snapshot.bytes(of: "b") == weight.bytes && snapshot.bytes(of: "c") == other.bytes)
        #expect(try entries[0].contentDigest() == entries[2].contentDigest())
        #expect(try entries[0].contentDigest() != entries[1].contentDigest())
    }

    /// By the definition, one byte after the other.
    private static func planes(of bytes: [UInt8], width: Int, chunkByteCount: Int) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: chunkByteCount).flatMap { start -> [UInt8] in
            let chunk = Array(bytes[start..<min(start + chunkByteCount, bytes.count)])
            var planes = [UInt8](repeating: 0, count: chunk.count)
            Planes(variant: .scalar).split(chunk, width: width, into: &planes)
            return planes
        }
    }
}

extension Planes {
    fileprivate func split(_ elements: [UInt8], width: Int, into planes: inout [UInt8]) {
        var span = planes.mutableSpan
        var bytes = span.mutableBytes
        split(elements.span.bytes, width: width, into: &bytes)
    }
}
