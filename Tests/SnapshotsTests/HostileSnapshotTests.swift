import Linux
import Testing

@testable import Snapshots

/// Files made by somebody who knows the format: every digest that guards the parser is in order.
@Suite struct HostileSnapshotTests {
    @Test(arguments: [1, 2] as [UInt64]) func `no mutant of the index traps or escapes`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let file = try SnapshotFile(Tensor.few)
        let original = try Forgery(of: file)
        var accepted = 0
        for _ in 0..<3000 {
            var mutant = original
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                Self.mutate(&mutant.index, using: &generator)
            }
            try file.replace(by: try mutant.encoded())
            do throws(SnapshotError) {
                let snapshot = try file.load(.checksums, arenaByteCountMax: 1 << 20)
                accepted += 1
                for entry in snapshot.index.entries {
                    #expect(entry.arenaOffset >= 0 && entry.arenaOffset + entry.byteCount <= 1 << 20)
                }
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        // A mutated name, digest or layout is a valid index: if none came through, the parser was not reached.
        #expect(accepted > 100)
    }

    @Test(arguments: [4, 5] as [UInt64])
    func `no mutant of an index with bases traps or reads beyond one`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let base = try SnapshotFile(Tensor.few)
        let file = try SnapshotFile(Tensor.few + [Tensor.text("more", "and more")], sharing: base)
        let original = try Forgery(of: file)
        var accepted = 0
        for _ in 0..<3000 {
            var mutant = original
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                Self.mutate(&mutant.index, using: &generator)
            }
            try file.replace(by: try mutant.encoded())
            do throws(SnapshotError) {
                try file.load(.checksums, bases: [base], arenaByteCountMax: 1 << 20)
                accepted += 1
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        #expect(accepted > 100)
    }

    @Test func `a base that no index may name is refused`() throws {
        let base = [UInt8](repeating: 7, count: 32) + [200, 0, 0, 0, 0, 0, 0, 0]
        func entry(base: UInt8, offset: UInt64, byteCount: UInt8) -> [UInt8] {
            var bytes: [UInt8] = [1, UInt8(ascii: "x"), ElementType.u8.rawValue, 1, 0, 0, 0]
            bytes += [byteCount, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0] + [base]
            if base > 0 { bytes.append(littleEndian: offset) }
            bytes += byteCount > 0 ? [byteCount, 0, 0, 0] + [UInt8](repeating: 0, count: 36) : []
            return bytes
        }
        let one: [UInt8] = [0, 1] + base + [1, 0, 0, 0]
        _ = try Self.parse(one + entry(base: 1, offset: 100, byteCount: 100), hasBases: true)
        for wrong in [
            one + entry(base: 1, offset: 101, byteCount: 100), one + entry(base: 2, offset: 100, byteCount: 100),
            one + entry(base: 1, offset: 71, byteCount: 9), one + entry(base: 1, offset: .max, byteCount: 9),
            one + entry(base: 1, offset: 201, byteCount: 0), [0, 0, 0, 0, 0, 0], [0, 4] + base + base + base + base,
            [0, 1] + [UInt8](repeating: 0xff, count: 40) + [0, 0, 0, 0],
        ] {
            #expect(throws: SnapshotError.self, "\(wrong)") { try Self.parse(wrong, hasBases: true) }
        }
    }

    @Test func `no mutant of a catalog traps, whatever it makes a writer believe`() throws {
        var generator = SeededGenerator(seed: 6)
        var catalog = TensorCatalog()
        try catalog.add(SnapshotFile(Tensor.few).index())
        let original = catalog.encoded()
        #expect(try TensorCatalog(parsing: original) == catalog)
        var accepted = 0
        for _ in 0..<3000 {
            var mutant = original
            for _ in 0...Int.random(in: 0...2, using: &generator) { Self.mutate(&mutant, using: &generator) }
            guard let read = try? TensorCatalog(parsing: mutant) else { continue }
            accepted += 1
            #expect(read.bases.count <= 2)
        }
        #expect(accepted > 100)
    }

    @Test func `no mutant of a compressed plane traps the decoder`() throws {
        var generator = SeededGenerator(seed: 3)
        let file = try SnapshotFile([Tensor.text("words", String(repeating: "again and again, ", count: 40))])
        let original = try Forgery(of: file)
        #expect(original.data.count < 200)
        var refused = 0
        for _ in 0..<3000 {
            var mutant = original
            for _ in 0...Int.random(in: 0...2, using: &generator) {
                let offset = Int.random(in: 0..<mutant.data.count, using: &generator)
                mutant.data[offset] = UInt8.random(in: 0...255, using: &generator)
            }
            mutant.fixChecksums()
            try file.replace(by: try mutant.encoded())
            do throws(SnapshotError) {
                try file.load(.checksums)
            } catch {
                #expect(error.description.contains("words"))
                refused += 1
            }
        }
        #expect(refused > 1000)
    }

    @Test func `sizes that no file can have are refused before memory is asked for`() throws {
        for byteCount: UInt64 in [.max, 1 << 63, 1 << 62, 1 << 41, 1 << 40, (1 << 40) - 1] {
            var index: [UInt8] = [0, 1, 0, 0, 0, 1, UInt8(ascii: "x"), ElementType.u8.rawValue, 1, 0, 0, 0]
            index.append(littleEndian: byteCount)
            #expect(throws: SnapshotError.self, "\(byteCount)") { try Self.parse(index) }
        }
    }

    @Test func `a shape whose product overflows is refused`() throws {
        var index: [UInt8] = [0, 1, 0, 0, 0, 1, UInt8(ascii: "x"), ElementType.u8.rawValue, 0, 0, 0, 3]
        for _ in 0..<3 { index.append(littleEndian: UInt64(1 << 62)) }
        index.append(littleEndian: UInt64(0))
        let error = #expect(throws: SnapshotError.self) { try Self.parse(index) }
        #expect(error?.description.contains("is impossible") == true)
    }

    @Test func `two entries of one name are refused`() throws {
        let entry: [UInt8] =
            [1, UInt8(ascii: "x"), ElementType.u8.rawValue, 1, 0, 0, 0] + [UInt8](repeating: 0, count: 12)
        _ = try Self.parse([0, 1, 0, 0, 0] + entry)
        let error = #expect(throws: SnapshotError.self) { try Self.parse([0, 2, 0, 0, 0] + entry + entry) }
        #expect(error?.description.contains("an entry of this name already") == true)
    }

    @Test func `an index that points beyond the file is refused`() throws {
        let digest = try #require(SnapshotDigest(bytes: .init(repeating: 0, count: 32)))
        for (offset, count) in [(80, 1 << 40), (1 << 62, 1 << 62), (0, 100), (79, 20), (80, 121), (81, 120)] {
            let header = SnapshotHeader(indexOffset: offset, indexByteCount: count, indexDigest: digest)
            #expect(throws: SnapshotError.self, "\(offset) \(count)") {
                try SnapshotHeader(parsing: header.encoded(), fileByteCount: 200)
            }
        }
    }

    private static func parse(_ index: [UInt8], hasBases: Bool = false) throws -> SnapshotIndex {
        let header = SnapshotHeader(
            hasBases: hasBases,
            indexOffset: SnapshotFormat.headerByteCount + ZstdFrame.skippableHeaderByteCount,
            indexByteCount: index.count,
            indexDigest: try Hash.snapshot(of: index)
        )
        let fileByteCount = header.indexOffset + index.count + SeekTable.byteCount(dataFrames: 0)
        return try SnapshotIndex(parsing: index, header: header, fileByteCount: fileByteCount)
    }

    static func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return bytes.append(0) }
        let offset = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[offset] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[offset] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.remove(at: offset)
        case 3: bytes.insert([0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0, at: offset)
        case 4: bytes.replaceSubrange(offset..., with: repeatElement(0xff, count: bytes.count - offset))
        default: bytes.append(contentsOf: bytes[offset...].prefix(64))
        }
    }
}
