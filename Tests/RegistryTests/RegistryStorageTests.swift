import Foundation
import GRDB
import Registry
import Testing

@Suite struct RegistryStorageTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test func `everything is there again after a restart`() async throws {
        let file = SnapshotFileState(
            device: .max,
            inode: .max - 1,
            byteCount: 76_000_000,
            modifiedNanoseconds: 1_795_262_400_123_456_789,
            changedNanoseconds: 1_795_262_400_123_456_790
        )
        let before: [FunctionRecord]
        do {
            let registry = try scratch.registry()
            try await registry.deploy("embed", "a", route: "/embed")
            try await registry.deploy("embed", "b", route: "/embed")
            try await registry.deploy("digits", "c")
            try await registry.setAlias("embed", label: "live", version: 2)
            _ = try await registry.rollback("embed")
            try await registry.noteVerified(snapshot: Scratch.snapshot("a").digest, files: [file])
            before = registry.list()
        }
        let registry = try scratch.registry()
        #expect(registry.list() == before)
        #expect(registry.route(path: "/embed") == "embed")
        #expect(try registry.resolve("embed", qualifier: "live").version == 2)
        #expect(registry.verifiedFiles(ofSnapshot: Scratch.snapshot("a").digest) == [file])
        #expect(registry.verifiedFiles(ofSnapshot: Scratch.snapshot("b").digest).isEmpty)
    }

    @Test func `snapshots that no version refers to are unused`() async throws {
        let registry = try scratch.registry()
        try await registry.deploy("embed", "a")
        try await registry.deploy("embed", "b")
        try await registry.deploy("digits", "b")
        let onDisk = (["a", "b", "c", "d"] as [Character]).map { Scratch.snapshot($0).digest }
        // An old version can still be called, so its snapshot stays; "c" belongs to a deploy under way.
        #expect(registry.unusedSnapshots(onDisk: onDisk, keeping: [onDisk[2]]) == [onDisk[3]])
        try await registry.delete("embed")
        #expect(registry.unusedSnapshots(onDisk: onDisk) == [onDisk[0], onDisk[2], onDisk[3]])
    }

    @Test func `a verified state is forgotten with the last version of its snapshot`() async throws {
        let registry = try scratch.registry()
        let digest = Scratch.snapshot("a").digest
        let file = SnapshotFileState(
            device: 1,
            inode: 2,
            byteCount: 3,
            modifiedNanoseconds: 4,
            changedNanoseconds: 5
        )
        try await registry.noteVerified(snapshot: digest, files: [file])
        #expect(registry.verifiedFiles(ofSnapshot: digest).isEmpty)
        try await registry.deploy("embed", "a")
        try await registry.noteVerified(snapshot: digest, files: [file])
        try await registry.deploy("embed", "b")
        #expect(registry.verifiedFiles(ofSnapshot: digest) == [file])
        try await registry.delete("embed")
        try await registry.deploy("embed", "a")
        #expect(registry.verifiedFiles(ofSnapshot: digest).isEmpty)
    }

    @Test func `a database of a newer Thaw is refused and left alone`() throws {
        _ = try scratch.registry()
        do {
            let database = try DatabaseQueue(path: scratch.database)
            try database.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('999')") }
            try database.close()
        }
        #expect(throws: RegistryError.newerSchema(path: scratch.database)) { try scratch.registry() }
    }

    @Test func `an empty file becomes a registry`() throws {
        try Data().write(to: URL(filePath: scratch.database))
        #expect(try scratch.registry().list().isEmpty)
    }

    @Test func `a file that is no database is refused by name`() throws {
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: scratch.database))
        #expect {
            try scratch.registry()
        } throws: { error in
            guard case RegistryError.corrupt(scratch.database, _) = error else { return false }
            return "\(error)".contains("backup")
        }
    }

    @Test func `a directory that is not there is refused by name`() throws {
        #expect {
            try Registry(path: scratch.path + "/missing/registry.sqlite")
        } throws: { error in
            guard case RegistryError.storage(let detail) = error else { return false }
            return detail.contains("missing/registry.sqlite")
        }
    }

    /// Deterministic damage: whatever the mutant, opening answers with a registry or a sentence.
    @Test func `a damaged database is refused or read, and never ends the process`() async throws {
        do {
            let registry = try scratch.registry()
            for digit in ["a", "b", "c"] as [Character] { try await registry.deploy("embed", digit, route: "/embed") }
        }
        // Folds the write-ahead log in, so that one file is all there is.
        let database = try DatabaseQueue(path: scratch.database)
        try await database.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try database.close()
        let whole = [UInt8](try Data(contentsOf: URL(filePath: scratch.database)))
        var generator = SeededGenerator(seed: 7)
        var refused = 0
        for round in 0..<80 {
            var mutant = whole
            if round % 5 == 0 {
                mutant.removeLast(Int.random(in: 1..<mutant.count, using: &generator))
            }
            for _ in 0..<Int.random(in: 1...200, using: &generator) {
                mutant[Int.random(in: 0..<mutant.count, using: &generator)] = UInt8.random(
                    in: 0...255,
                    using: &generator
                )
            }
            let path = scratch.path + "/mutant-\(round).sqlite"
            try Data(mutant).write(to: URL(filePath: path))
            do throws(RegistryError) {
                let registry = try Registry(path: path)
                for record in registry.list() { #expect(!record.name.isEmpty) }
            } catch {
                refused += 1
            }
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }
        #expect(refused > 40)
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
