import Linux
import Testing

@testable import Snapshots

/// Every way in which a file can be another than the one that was written.
@Suite struct DamageTests {
    @Test(arguments: [LoadedSnapshot.Verification.checksums, .digests])
    func `every flipped bit of the file is found out`(verification: LoadedSnapshot.Verification) throws {
        let file = try SnapshotFile(Tensor.few)
        let bytes = try file.bytes()
        let descriptor = try file.open()
        var escaped: [(offset: Int, bit: Int)] = []
        for offset in bytes.indices {
            for bit in 0..<8 {
                try descriptor.pwrite([bytes[offset] ^ 1 << bit], at: offset)
                if (try? LoadedSnapshot(file: descriptor, verifying: verification)) != nil {
                    escaped.append((offset, bit))
                }
            }
            try descriptor.pwrite([bytes[offset]], at: offset)
        }
        #expect(escaped.isEmpty)
        try file.load(verification)
    }

    @Test func `a file cut anywhere is refused`() throws {
        let file = try SnapshotFile(Tensor.few)
        let descriptor = try file.open()
        let isRefused = try (0..<file.bytes().count).reversed().map { count in
            try descriptor.truncate(to: count)
            return (try? LoadedSnapshot(file: descriptor, verifying: .checksums)) == nil
        }
        #expect(!isRefused.isEmpty && !isRefused.contains(false))
    }

    @Test func `a file with bytes after its end is refused`() throws {
        let file = try SnapshotFile(Tensor.few)
        try file.replace(by: try file.bytes() + [0])
        #expect(throws: SnapshotError.self) { try file.load(.checksums) }
    }

    @Test func `the refusal names the entry and the place`() throws {
        let file = try SnapshotFile(Tensor.few)
        let entry = try #require(try file.load().entry("weight"))
        var bytes = try file.bytes()
        bytes[entry.fileOffset + 20] ^= 0x10
        try file.replace(by: bytes)
        let error = #expect(throws: SnapshotError.self) { try file.load(.checksums) }
        #expect(
            error?.description == """
                the snapshot's entry "weight" was altered or damaged at byte \(entry.fileOffset) of the file: \
                the checksum of the \(entry.storedByteCount) bytes from there is wrong
                """
        )
    }

    @Test func `a snapshot whose writing was interrupted is refused`() throws {
        let file = SnapshotFile()
        var writer = try SnapshotWriter(file: file.open(.creating), producer: "test")
        let bytes = Tensor.few[3].bytes
        try writer.add(name: "weight", element: .f32, shape: [11, 13], layout: 0, bytes: bytes.span.bytes)
        _ = consume writer
        let error = #expect(throws: SnapshotError.self) { try file.load() }
        #expect(error?.description.contains("its writing was interrupted") == true)
    }

    @Test func `a forger who fixes the checksum is found out by the digest`() throws {
        let file = try SnapshotFile([Tensor.weights("weight", .f32, shape: [11, 13])])
        var forgery = try Forgery(of: file)
        // In the plane that is stored as it is, behind its frame's header.
        let planes = try #require(try SnapshotIndex(reading: file.open()).entries.first).planeByteCounts
        #expect(planes[1] == ZstdFrame.rawByteCount(of: 11 * 13))
        forgery.data[planes[0] + 20] ^= 1
        forgery.fixChecksums()
        try file.replace(by: try forgery.encoded())
        try file.load(.checksums)
        let error = #expect(throws: SnapshotError.self) { try file.load(.digests) }
        #expect(error?.description.contains("the digest of the") == true)
    }

    @Test func `another version is refused by its number`() throws {
        let file = try SnapshotFile(Tensor.few)
        var bytes = try file.bytes()
        bytes[16] = 4
        try file.replace(by: bytes)
        #expect(throws: SnapshotError.unsupportedVersion(4)) { try file.load() }
        // Version 1 had no frame around its header.
        bytes.removeFirst(8)
        try file.replace(by: bytes)
        #expect(throws: SnapshotError.unsupportedVersion(1)) { try file.load() }
    }
}
