import Foundation
import Linux

@testable import Snapshots

/// A file of the test's own, gone with it.
final class SnapshotFile {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "/thaw-snapshot-\(UUID().uuidString)"
    }

    deinit {
        unlink(path)
    }

    /// A snapshot with these entries, complete.
    convenience init(_ tensors: [Tensor], producer: String = "test") throws {
        self.init()
        try write(tensors, producer: producer)
    }

    /// A snapshot that stores nothing again of what these have, however little it is.
    convenience init(_ tensors: [Tensor], sharing bases: SnapshotFile...) throws {
        self.init()
        var catalog = TensorCatalog(savingByteCountMin: 1)
        for base in bases { try catalog.add(base.index()) }
        try write(tensors, sharing: catalog)
    }

    func index() throws -> SnapshotIndex { try SnapshotIndex(reading: open()) }

    @discardableResult
    func write(
        _ tensors: [Tensor],
        producer: String = "test",
        sharing catalog: TensorCatalog = TensorCatalog()
    ) throws -> SnapshotDigest {
        var writer = try SnapshotWriter(file: open(.creating), producer: producer, sharing: catalog)
        for tensor in tensors {
            try writer.add(
                name: tensor.name,
                element: tensor.element,
                shape: tensor.shape,
                layout: tensor.layout,
                access: tensor.access,
                bytes: tensor.bytes.span.bytes
            )
        }
        return try writer.finish()
    }

    func open(_ access: FileDescriptor.Access = []) throws -> FileDescriptor {
        try FileDescriptor.open(path, [.readingWriting, access])
    }

    func bytes() throws -> [UInt8] {
        let file = try open()
        return try file.pread(count: try file.size(), at: 0)
    }

    func replace(by bytes: [UInt8]) throws {
        // Cutting it to nothing first would make some file systems write it to the disk each time.
        let file = try open(.creating)
        try file.pwrite(bytes, at: 0)
        try file.truncate(to: bytes.count)
    }

    @discardableResult
    func load(
        _ verification: LoadedSnapshot.Verification = .digests,
        bases: [SnapshotFile] = [],
        arenaByteCountMax: Int = 1 << 28
    ) throws(SnapshotError) -> LoadedSnapshot {
        let file: FileDescriptor
        let others: [SharedDescriptor]
        do {
            others = try bases.map { SharedDescriptor(try $0.open()) }
            file = try open()
        } catch {
            throw .incomplete("\(error)")
        }
        return try LoadedSnapshot(
            file: file,
            bases: others,
            verifying: verification,
            arenaByteCountMax: arenaByteCountMax
        )
    }
}

extension Forgery {
    init(of file: SnapshotFile) throws {
        let bytes = try file.bytes()
        let parsed = try file.index()
        let index = SnapshotIndex.encode(producer: parsed.producer, bases: parsed.bases, entries: parsed.entries)
        let table = SeekTable(of: parsed.entries, indexByteCount: index.count).encoded()
        let end = bytes.count - table.count - index.count - ZstdFrame.skippableHeaderByteCount
        let data = Array(bytes[SnapshotFormat.headerByteCount..<end])
        self.init(data: data, index: index, hasBases: !parsed.bases.isEmpty)
    }
}

struct Tensor {
    var name: String
    var element: ElementType
    var shape: [Int]
    var layout: UInt8 = 0
    var access = SnapshotEntry.Access.whole
    var bytes: [UInt8]
}

/// SplitMix64: small, and the same numbers everywhere for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: next()) { bytes.append(contentsOf: $0) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

extension Tensor {
    /// Numbers around 0 as weights have them: their high bytes repeat, their low ones do not.
    static func weights(
        _ name: String,
        _ element: ElementType,
        shape: [Int],
        seed: UInt64 = 1,
        access: SnapshotEntry.Access = .whole
    ) -> Tensor {
        var generator = SeededGenerator(seed: seed)
        let count = shape.reduce(1, *)
        var bytes = generator.bytes(count: count * element.byteCount)
        if element.byteCount > 1 {
            // Small exponents are common, large ones rare.
            for index in 0..<count {
                bytes[(index + 1) * element.byteCount - 1] = 0x3d - UInt8(generator.next().trailingZeroBitCount)
            }
        }
        return Tensor(name: name, element: element, shape: shape, access: access, bytes: bytes)
    }

    static func text(_ name: String, _ text: String) -> Tensor {
        Tensor(name: name, element: .u8, shape: [text.utf8.count], bytes: Array(text.utf8))
    }

    /// A little of everything: an empty entry, text that compresses, planes that do and planes that do not.
    static let few = [
        Tensor.text("task", #"{"kind":"embed"}"#),
        Tensor(name: "nothing", element: .f32, shape: [0, 3], bytes: []),
        Tensor.text("words", String(repeating: "the same words again, ", count: 12)),
        Tensor.weights("weight", .f32, shape: [11, 13]),
    ]
}
