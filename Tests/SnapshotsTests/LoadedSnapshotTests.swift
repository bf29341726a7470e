import Linux
import Testing

@testable import Snapshots

@Suite struct LoadedSnapshotTests {
    @Test(arguments: ElementType.allCases) func `every element type comes back as it was`(element: ElementType) throws {
        let chunk = SnapshotFormat.chunkByteCountMax / element.byteCount
        let shapes = [[], [1], [63], [64], [65], [3, 0], [7, 11, 13], [chunk], [chunk + 1]]
        let tensors = shapes.enumerated().map { index, shape in
            Tensor.weights("tensor \(index)", element, shape: shape, seed: UInt64(index))
        }
        let file = try SnapshotFile(tensors)
        for verification in [LoadedSnapshot.Verification.checksums, .digests] {
            let snapshot = try file.load(verification)
            #expect(snapshot.index.entries.map(\.name) == tensors.map(\.name))
            for tensor in tensors {
                let entry = try #require(snapshot.entry(tensor.name))
                #expect(entry.element == element && entry.shape == tensor.shape && entry.layout == 0)
                #expect(entry.byteCount == tensor.bytes.count && entry.arenaOffset % 64 == 0)
                #expect(try snapshot.bytes(of: tensor.name) == tensor.bytes, "shape \(tensor.shape)")
            }
        }
    }

    @Test(arguments: PlanesTests.variants)
    func `every variant of the merge decodes the same bytes`(variant: Planes.Variant) throws {
        let tensor = Tensor.weights("weight", .f32, shape: [100, 333])
        let file = try SnapshotFile([tensor])
        let index = try SnapshotIndex(reading: file.open())
        var decoder = try ChunkDecoder(verifiesDigests: true, planes: Planes(variant: variant))
        var bytes = [UInt8](repeating: 0, count: tensor.bytes.count)
        var span = bytes.mutableSpan
        var target = span.mutableBytes
        let place = try #require(index.entries.first?.places().first)
        try decoder.decode(place, from: file.open(), [], into: &target)
        #expect(bytes == tensor.bytes)
    }

    @Test func `an address stays the same and is aligned for vectors`() throws {
        let snapshot = try SnapshotFile(Tensor.few).load()
        let address = try #require(snapshot.unsafeBytes(of: "weight", as: .f32))
        #expect(Int(bitPattern: address.baseAddress) % 64 == 0)
        #expect(Array(address) == Tensor.few[3].bytes)
        let entry = try #require(snapshot.entry("weight"))
        snapshot.withBytes(of: entry) { bytes in
            bytes.withUnsafeBytes { #expect($0.baseAddress == address.baseAddress && $0.count == address.count) }
        }
        #expect(snapshot.unsafeBytes(of: "weight", as: .bf16) == nil)
        #expect(snapshot.unsafeBytes(of: "absent", as: .f32) == nil)
    }

    @Test func `a loaded snapshot cannot be written to`() async {
        await #expect(processExitsWith: .signal(11)) {
            let snapshot = try SnapshotFile(Tensor.few).load()
            let entry = try #require(snapshot.entry("weight"))
            snapshot.withBytes(of: entry) { bytes in
                bytes.withUnsafeBytes { bytes in
                    bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0).storeBytes(of: 1, as: UInt8.self) }
                }
            }
        }
    }

    @Test func `an entry of another layout may be longer than its shape`() throws {
        let bytes = [UInt8](repeating: 3, count: 4 * 16 * 5)
        let file = try SnapshotFile([Tensor(name: "panels", element: .f32, shape: [5, 7], layout: 1, bytes: bytes)])
        let snapshot = try file.load()
        #expect(snapshot.entry("panels")?.layout == 1)
        #expect(snapshot.entry("panels")?.shape == [5, 7])
        #expect(try snapshot.bytes(of: "panels") == bytes)
    }

    @Test func `a name that is not there is an error that says the name`() throws {
        let snapshot = try SnapshotFile(Tensor.few).load()
        #expect(snapshot.entry("absent") == nil)
        #expect(throws: SnapshotError.unknownEntry("absent")) { try snapshot.bytes(of: "absent") }
    }

    @Test func `more memory than the caller allows is refused before any is mapped`() throws {
        let file = try SnapshotFile([
            Tensor(name: "zeros", element: .u8, shape: [1 << 20], bytes: .init(repeating: 0, count: 1 << 20))
        ])
        #expect(throws: SnapshotError.tooLarge(what: "the snapshot in memory", byteCount: 1 << 20, byteCountMax: 4096))
        {
            try file.load(.checksums, arenaByteCountMax: 4096)
        }
        #expect(try file.bytes().count < 4096, "zeros compress")
    }

    @Test func `weights take less space than they have bytes`() throws {
        let file = try SnapshotFile([Tensor.weights("weight", .f32, shape: [512, 512])])
        let entry = try #require(try file.load().entry("weight"))
        #expect(entry.storedByteCount < entry.byteCount * 9 / 10)
        let planes = entry.chunks.map(\.planeByteCounts)
        let raw = ZstdFrame.rawByteCount(of: 65_536)
        #expect(planes.allSatisfy { $0[1] == raw && $0[2] == raw }, "mantissas are stored as they are")
        #expect(planes.allSatisfy { $0[3] < 40_000 }, "exponents are compressed")
    }

    @Test func `a snapshot of nothing loads`() throws {
        let snapshot = try SnapshotFile([]).load()
        #expect(snapshot.index.entries.isEmpty && snapshot.index.arenaByteCount == 0)
    }
}
