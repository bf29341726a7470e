import Linux
import Testing

@testable import Snapshots

@Suite struct SnapshotWriterTests {
    @Test func `the same input gives the same file`() throws {
        let tensors = Tensor.few + [Tensor.weights("large", .bf16, shape: [300, 1000])]
        let first = SnapshotFile()
        let second = SnapshotFile()
        #expect(try first.write(tensors) == second.write(tensors))
        #expect(try first.bytes() == second.bytes())
    }

    @Test func `the digest is that of the file that was read`() throws {
        let file = SnapshotFile()
        let digest = try file.write(Tensor.few)
        let index = try SnapshotIndex(reading: file.open())
        #expect(index.digest == digest)
        #expect(index.producer == "test")
        #expect(try index.storedByteCount == file.bytes().count)
        #expect(index.arenaByteCount == index.entries.reduce(0) { $0 + ($1.byteCount + 63) / 64 * 64 })
    }

    @Test func `another byte, order, name or producer gives another digest`() throws {
        var digests: Set<SnapshotDigest> = []
        var altered = Tensor.few
        altered[3].bytes[40] ^= 1
        var renamed = Tensor.few
        renamed[0].name = "tusk"
        for tensors in [Tensor.few, altered, renamed, Tensor.few.reversed()] {
            digests.insert(try SnapshotFile().write(tensors))
        }
        digests.insert(try SnapshotFile().write(Tensor.few, producer: "other"))
        #expect(digests.count == 5)
    }

    @Test func `what the reader would refuse, the writer refuses`() throws {
        let good = Tensor.text("name", "bytes")
        var wrong = [Tensor](repeating: good, count: 6)
        wrong[0].name = ""
        wrong[1].name = String(repeating: "n", count: 256)
        wrong[2].shape = [6]
        wrong[3].element = .i32
        wrong[4].shape = [Int](repeating: 1, count: 9)
        wrong[5].shape = [-5]
        for tensor in wrong {
            let error = #expect(throws: SnapshotError.self) { try SnapshotFile().write([tensor]) }
            #expect(error?.description.contains("cannot be stored") == true)
        }
        #expect(throws: SnapshotError.self) { try SnapshotFile().write([good, good]) }
        #expect(throws: SnapshotError.self) {
            try SnapshotFile().write([good], producer: String(repeating: "p", count: 256))
        }
    }

    @Test func `a file that holds something is not overwritten`() throws {
        let file = try SnapshotFile(Tensor.few)
        let bytes = try file.bytes()
        #expect(throws: SnapshotError.self) { try file.write(Tensor.few) }
        #expect(try file.bytes() == bytes)
    }

    @Test func `a disk error while writing is told`() throws {
        // Writing to a file that is open for reading only fails as a full disk does.
        let file = SnapshotFile()
        try file.replace(by: [])
        var writer = try SnapshotWriter(file: FileDescriptor.open(file.path, .reading), producer: "test")
        let error = #expect(throws: SnapshotError.self) {
            try writer.add(
                name: "x",
                element: .u8,
                shape: [1],
                layout: 0,
                bytes: [UInt8](repeating: 1, count: 1).span.bytes
            )
        }
        #expect(error?.description.contains("pwrite") == true)
    }
}
