import Testing

@testable import Snapshots

@Suite struct ZstdFileTests {
    private static let text = [UInt8]((0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) })

    private static func compressed() throws -> [UInt8] {
        let compressor = try Compressor()
        var room = [UInt8](repeating: 0, count: text.count)
        let length = try #require(compressor.compress(text, 0..<text.count, into: &room, at: 0..<room.count))
        return Array(room[..<length])
    }

    @Test func `a file of two frames is read whole`() throws {
        let frame = try Self.compressed()
        #expect(try ZstdFile.decompress(frame + frame, byteCountMax: 1 << 20) == Self.text + Self.text)
    }

    @Test func `a file that is cut, or no file of zstd, or too large, is refused`() throws {
        let frame = try Self.compressed()
        for length in stride(from: 0, to: frame.count, by: 13) {
            #expect(throws: SnapshotError.self) {
                try ZstdFile.decompress(Array(frame[..<length]), byteCountMax: 1 << 20)
            }
        }
        #expect(throws: SnapshotError.self) { try ZstdFile.decompress([1, 2, 3, 4, 5], byteCountMax: 1 << 20) }
        #expect(throws: SnapshotError.self) { try ZstdFile.decompress(frame, byteCountMax: Self.text.count - 1) }
    }

    @Test func `a damaged file never gives more than was allowed`() throws {
        let frame = try Self.compressed()
        for index in frame.indices {
            var damaged = frame
            damaged[index] ^= UInt8(truncatingIfNeeded: index &* 31 | 1)
            let result = try? ZstdFile.decompress(damaged, byteCountMax: 1 << 20)
            #expect(result?.count ?? 0 <= 1 << 20)
        }
    }
}
