import Fleet
import Linux
import Snapshots
import Testing

@testable import Invoking

/// What the packer hands over: of bases it may refer to those only that it was told of.
@Suite struct `A packer's snapshot is published` {
    private struct Packed: ~Copyable {
        let file: FileDescriptor
        let digest: String
    }

    /// Large enough once it is compressed that it pays to refer to it.
    private static let table: [UInt8] = {
        var state: UInt64 = 7
        return (0..<65_536).map { _ in
            // Knuth's constants for a linear congruential generator; its upper bits do not compress.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }()

    private static func pack(_ producer: String, sharing catalog: TensorCatalog = TensorCatalog()) throws -> Packed {
        let file = try FileDescriptor.memoryFile("snapshot")
        var writer = try SnapshotWriter(file: file.duplicate(), producer: producer, sharing: catalog)
        try writer.add(
            name: "table",
            element: .u8,
            shape: [table.count],
            layout: 0,
            access: .whole,
            bytes: table.span.bytes
        )
        return Packed(file: file, digest: try writer.finish().hex)
    }

    private static func catalog(of packed: borrowing Packed) throws -> TensorCatalog {
        var catalog = TensorCatalog()
        try catalog.add(try SnapshotIndex(reading: packed.file))
        return catalog
    }

    @Test func `where it is the one that the report names, and its bases were told`() throws {
        let base = try Self.pack("base")
        let catalog = try Self.catalog(of: base)
        let packed = try Self.pack("next", sharing: catalog)
        let index = try SnapshotIndex(doubting: packed.digest, of: packed.file, catalog)
        #expect(index.bases.map(\.digest.hex) == [base.digest])
    }

    @Test func `but not where the report names another`() throws {
        let base = try Self.pack("base")
        let other = try Self.pack("other")
        #expect(throws: DeployFailure.self) {
            try SnapshotIndex(doubting: other.digest, of: base.file, TensorCatalog())
        }
    }

    @Test func `but not where it refers to a snapshot that the packer was not told of`() throws {
        // Another tenant's, say, whose digest somebody has got to know: its tensors are not for this function.
        let secret = try Self.pack("secret")
        let packed = try Self.pack("thief", sharing: Self.catalog(of: secret))
        let told = try Self.catalog(of: Self.pack("base"))
        for catalog in [TensorCatalog(), told] {
            let failure = #expect(throws: DeployFailure.self) {
                try SnapshotIndex(doubting: packed.digest, of: packed.file, catalog)
            }
            #expect("\(String(describing: failure))".contains("was not told of"))
        }
    }

    @Test func `but not where it makes a base longer than it is`() throws {
        let base = try Self.pack("base")
        let packed = try Self.pack("next", sharing: Self.catalog(of: base))
        // A catalog that tells of the same digest with another length.
        var bytes = try Self.catalog(of: base).encoded()
        bytes[4 + 32] ^= 1
        let told = try TensorCatalog(parsing: bytes)
        #expect(told.bases.map(\.digest.hex) == [base.digest])
        #expect(throws: DeployFailure.self) { try SnapshotIndex(doubting: packed.digest, of: packed.file, told) }
    }
}
