import Foundation
import Linux
import Testing

@testable import Snapshots

/// Snapshots that leave out what another one's file has.
@Suite struct SharedTensorsTests {
    /// Three layers of 120 KB, and a table.
    private static let layers =
        (0..<3).map { Tensor.weights("layer \($0)", .f32, shape: [150, 200], seed: UInt64($0)) }
        + [Tensor.weights("table", .f32, shape: [300, 300], seed: 9, access: .rows)]

    private static func altered(_ name: String, seed: UInt64) -> [Tensor] {
        layers.map { layer in
            guard layer.name == name else { return layer }
            return .weights(name, layer.element, shape: layer.shape, seed: seed, access: layer.access)
        }
    }

    private func check(_ snapshot: LoadedSnapshot, holds tensors: [Tensor]) throws {
        #expect(snapshot.index.entries.map(\.name) == tensors.map(\.name))
        for tensor in tensors { #expect(try snapshot.bytes(of: tensor.name) == tensor.bytes, "\(tensor.name)") }
    }

    @Test func `what a base has is not stored again, and reads as if it were`() throws {
        let base = try SnapshotFile(Self.layers)
        let tensors = Self.altered("layer 1", seed: 77)
        let file = SnapshotFile()
        var catalog = TensorCatalog()
        try catalog.add(base.index())
        try file.write(tensors, sharing: catalog)
        let index = try file.index()
        #expect(index.bases == [SnapshotBase(digest: try base.index().digest, fileByteCount: try base.bytes().count)])
        #expect(index.entries.map(\.home) == [0, nil, 0, 0])
        let alone = try SnapshotFile(tensors)
        let own = try alone.index().entries[1].storedByteCount
        #expect(try file.bytes().count < own + 4096)
        #expect(try index.sharedByteCount(base: 0) == alone.index().entries.reduce(-own) { $0 + $1.storedByteCount })
        for verification in [LoadedSnapshot.Verification.checksums, .digests] {
            try check(try file.load(verification, bases: [base]), holds: tensors)
        }
        try index.verifyFrames(of: file.open(), bases: [SharedDescriptor(base.open())])
    }

    @Test func `the content's digest says nothing of where it lies`() throws {
        let base = try SnapshotFile(Self.layers)
        let tensors = Self.altered("layer 0", seed: 78) + [Tensor.text("task", "{}"), Tensor.text("twin", "{}")]
        let (alone, sharing) = (try SnapshotFile(tensors), try SnapshotFile(tensors, sharing: base))
        #expect(try alone.index().contentDigest() == alone.index().digest)
        #expect(try sharing.index().contentDigest() == alone.index().digest)
        #expect(try sharing.index().digest != alone.index().digest)
        #expect(try sharing.index().entries.map(\.twin) == alone.index().entries.map(\.twin))
        try check(try sharing.load(bases: [base]), holds: tensors)
    }

    @Test func `a reference leads to the file that has the bytes, never through another`() throws {
        let first = try SnapshotFile(Self.layers)
        let second = try SnapshotFile(Self.altered("layer 1", seed: 77), sharing: first)
        var tensors = Self.altered("layer 1", seed: 77)
        tensors[0] = .weights("layer 0", .f32, shape: [150, 200], seed: 80)
        // Only the second is known: what it has from the first is referred to there.
        let third = try SnapshotFile(tensors, sharing: second)
        let index = try third.index()
        #expect(try index.bases.map(\.digest) == [first.index().digest, second.index().digest])
        #expect(index.entries.map(\.home) == [nil, 1, 0, 0])
        try check(try third.load(bases: [first, second]), holds: tensors)
        #expect(throws: SnapshotError.self) { try third.load(bases: [second, first]) }
    }

    @Test func `a snapshot that stores nothing of its own is an index`() throws {
        let base = try SnapshotFile(Self.layers)
        let file = try SnapshotFile(Self.layers, sharing: base)
        #expect(try file.bytes().count < 4096)
        try check(try file.load(bases: [base]), holds: Self.layers)
        let run = Process()
        run.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        run.arguments = ["zstd", "-tq", "--no-progress", "-"]
        run.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: file.path))
        run.standardOutput = FileHandle.nullDevice
        run.standardError = FileHandle.nullDevice
        try run.run()
        run.waitUntilExit()
        #expect([0, 127].contains(run.terminationStatus), "where there is a zstd, it takes the file")
    }

    @Test func `a base is referred to where that pays, and only to so many`() throws {
        func bases(of tensors: [Tensor], knowing files: [SnapshotFile]) throws -> [SnapshotDigest] {
            var catalog = TensorCatalog()
            for file in files { try catalog.add(file.index()) }
            let file = SnapshotFile()
            try file.write(tensors, sharing: catalog)
            return try file.index().bases.map(\.digest)
        }
        let small = try SnapshotFile(Tensor.few)
        #expect(try bases(of: Tensor.few, knowing: [small]).isEmpty, "a few hundred bytes are stored sooner")
        let large = try SnapshotFile(
            [Self.layers[0]] + (0..<4).map { .weights("other \($0)", .f32, shape: [150, 200], seed: 50 + UInt64($0)) }
        )
        #expect(try bases(of: [Self.layers[0]], knowing: [large]).isEmpty, "a fifth of its file")
        let whole = try SnapshotFile(Self.layers)
        let parts = try Self.layers.map { try SnapshotFile([$0]) }
        #expect(try bases(of: Self.layers, knowing: parts + [whole]) == [whole.index().digest], "one instead of four")
        #expect(try bases(of: Self.layers, knowing: parts).count == SnapshotFormat.basesMax)
        let again = try SnapshotFile(Self.layers, producer: "another")
        #expect(
            try bases(of: Self.layers, knowing: [again, whole]) == [again.index().digest],
            "the first of equal ones"
        )
    }

    @Test func `rows come from a base as they come from the file`() throws {
        let base = try SnapshotFile(Self.layers)
        let file = try SnapshotFile(Self.altered("layer 2", seed: 79), sharing: base)
        let snapshot = try LoadedSnapshot(
            file: file.open(),
            bases: [SharedDescriptor(base.open())],
            verifying: .checksums,
            leavingRows: true
        )
        let rows = try #require(snapshot.rows)
        try rows.need(rows: [299], of: "table", rowByteCount: 1200)
        #expect(try snapshot.bytes(of: "table").suffix(1200) == Self.layers[3].bytes.suffix(1200))
        while try rows.decodeNext() {}
        #expect(try snapshot.bytes(of: "table") == Self.layers[3].bytes)
    }
}

/// Everything that a base can have become.
@Suite struct DamagedBaseTests {
    private let base: SnapshotFile
    private let file: SnapshotFile
    private static let tensors = Tensor.few + [Tensor.text("more", "and more, and more")]

    init() throws {
        base = try SnapshotFile(Tensor.few)
        file = try SnapshotFile(Self.tensors, sharing: base)
        #expect(try file.index().entries.map(\.home) == [0, nil, 0, 0, nil])
    }

    @Test func `a base that is missing, another, shorter or longer is refused by its name`() throws {
        let digest = try base.index().digest
        func refusal(_ bases: SnapshotFile...) throws -> String {
            let error = #expect(throws: SnapshotError.self) { try file.load(bases: bases) }
            let sentence = try #require(error?.description)
            #expect(sentence.contains("the file of the snapshot \(digest)"), "\(sentence)")
            return sentence
        }
        #expect(try refusal().contains("its file is missing"))
        var others = Tensor.few
        others[3].bytes[1] ^= 1
        let other = try SnapshotFile(others)
        #expect(try other.bytes().count == base.bytes().count)
        #expect(try refusal(other).contains("in its place is the snapshot \(other.index().digest)"))
        let bytes = try base.bytes()
        try base.replace(by: bytes + [0])
        #expect(try refusal(base).contains("it has \(bytes.count + 1) bytes, and \(bytes.count) are expected"))
        try base.replace(by: Array(bytes.dropLast()))
        #expect(try refusal(base).contains("are expected"))
        try base.replace(by: [UInt8](repeating: 0, count: bytes.count))
        #expect(try refusal(base).contains("no complete snapshot"))
        try base.replace(by: bytes)
        try file.load(bases: [base])
    }

    @Test func `every flipped bit of a snapshot with a base is found out`() throws {
        let bytes = try file.bytes()
        let descriptor = try file.open()
        var escaped: [Int] = []
        for offset in bytes.indices {
            for bit in 0..<8 {
                try descriptor.pwrite([bytes[offset] ^ 1 << bit], at: offset)
                if (try? file.load(.checksums, bases: [base])) != nil { escaped.append(offset) }
            }
            try descriptor.pwrite([bytes[offset]], at: offset)
        }
        #expect(escaped.isEmpty)
        try file.load(bases: [base])
    }

    @Test(arguments: [LoadedSnapshot.Verification.checksums, .digests])
    func `a flipped bit of the base is found out wherever it is referred to`(
        verification: LoadedSnapshot.Verification
    ) throws {
        let index = try file.index()
        let used = Set(
            index.entries.filter { $0.home == 0 }.flatMap { $0.fileOffset..<$0.fileOffset + $0.frameByteCount }
        )
        // Of its header all but the place of its index, which nobody looks for.
        let header = (0..<24).map { $0 } + (40..<72).map { $0 }
        let bytes = try base.bytes()
        let descriptor = try base.open()
        var found: Set<Int> = []
        for offset in bytes.indices {
            try descriptor.pwrite([bytes[offset] ^ 0x10], at: offset)
            do throws(SnapshotError) {
                let snapshot = try file.load(verification, bases: [base])
                for tensor in Self.tensors where try snapshot.bytes(of: tensor.name) != tensor.bytes {
                    Issue.record("byte \(offset) changes \(tensor.name)")
                }
            } catch {
                #expect(error.description.contains("the file of the snapshot \(index.bases[0].digest)"))
                found.insert(offset)
            }
            let frames = (try? index.verifyFrames(of: file.open(), bases: [SharedDescriptor(base.open())])) != nil
            #expect(frames == !found.contains(offset), "byte \(offset)")
            try descriptor.pwrite([bytes[offset]], at: offset)
        }
        #expect(found.isSuperset(of: used) && found.isSuperset(of: header))
    }
}
