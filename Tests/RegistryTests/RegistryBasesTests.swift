import Manifests
import Testing

@testable import Registry

/// Snapshots that need other snapshots' files.
@Suite struct RegistryBasesTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    /// The snapshot of a digit, with tensors in the files of others.
    private func snapshot(_ digit: Character, on bases: Character...) -> SnapshotRecord {
        let plain = Scratch.snapshot(digit)
        return SnapshotRecord(
            digest: plain.digest,
            contentDigest: Scratch.snapshot("f").digest,
            byteCount: 1000,
            arenaByteCount: plain.arenaByteCount,
            task: .embed,
            bases: bases.enumerated().map { number, base in
                SnapshotBaseRecord(
                    digest: Scratch.snapshot(base).digest,
                    byteCount: 76_000_000,
                    sharedByteCount: 70_000_000 + number
                )
            }
        )
    }

    private func digest(_ digit: Character) -> String { Scratch.snapshot(digit).digest }

    private func state(_ number: UInt64) -> SnapshotFileState {
        SnapshotFileState(
            device: .max,
            inode: number,
            byteCount: 3,
            modifiedNanoseconds: 4,
            changedNanoseconds: 5
        )
    }

    @Test func `a file stays for as long as a snapshot of a version refers to it`() async throws {
        let all = (["a", "b", "c"] as [Character]).map(digest)
        do {
            let registry = try scratch.registry()
            try await registry.deploy("embed", "a")
            _ = try await registry.deploy(manifest: Scratch.manifest("tuned"), snapshot: snapshot("b", on: "a"))
            try await registry.delete("embed")
            #expect(registry.unusedSnapshots(onDisk: all) == [digest("c")])
        }
        let registry = try scratch.registry()
        #expect(registry.unusedSnapshots(onDisk: all) == [digest("c")], "after a restart, too")
        #expect(try registry.resolve("tuned").snapshot == snapshot("b", on: "a"))
        try await registry.delete("tuned")
        #expect(registry.unusedSnapshots(onDisk: all) == all)
    }

    @Test func `a function says whose files it needs`() async throws {
        let registry = try scratch.registry()
        try await registry.deploy("embed", "a")
        try await registry.deploy("embed", "c")
        _ = try await registry.deploy(manifest: Scratch.manifest("tuned"), snapshot: snapshot("b", on: "c", "a", "d"))
        let shares = [
            SharedTensors(byteCount: 70_000_000, owner: "embed@2"),
            SharedTensors(byteCount: 70_000_001, owner: "embed@1"),
            SharedTensors(byteCount: 70_000_002, owner: nil),
        ]
        #expect(try registry.describe("tuned").shares == shares)
        #expect(registry.list().map(\.shares) == [[], shares])
    }

    @Test func `verified are all files of a snapshot or none`() async throws {
        let states = [state(1), state(2), state(3)]
        do {
            let registry = try scratch.registry()
            _ = try await registry.deploy(manifest: Scratch.manifest("tuned"), snapshot: snapshot("b", on: "c", "a"))
            #expect(registry.verifiedFiles(ofSnapshot: digest("b")).isEmpty)
            // One file more than it has: nothing is noted of any.
            try await registry.noteVerified(snapshot: digest("b"), files: states + [state(4)])
            #expect(registry.verifiedFiles(ofSnapshot: digest("b")).isEmpty)
            try await registry.noteVerified(snapshot: digest("b"), files: states)
        }
        let registry = try scratch.registry()
        #expect(registry.verifiedFiles(ofSnapshot: digest("b")) == states)
        try await registry.delete("tuned")
        #expect(registry.verifiedFiles(ofSnapshot: digest("b")).isEmpty)
    }

    @Test func `the same content is found under the name that it has`() async throws {
        let registry = try scratch.registry()
        try await registry.deploy("embed", "a")
        let shared = snapshot("b", on: "a")
        _ = try await registry.deploy(manifest: Scratch.manifest("tuned"), snapshot: shared)
        #expect(try await registry.snapshot(ofContent: digest("a")) == Scratch.snapshot("a"))
        #expect(try await registry.snapshot(ofContent: digest("f")) == shared)
        #expect(try await registry.snapshot(ofContent: digest("b")) == nil)
    }

    @Test func `candidates are the function's newest versions, then the newest of others`() async throws {
        let registry = try scratch.registry()
        for digit in "0123" { try await registry.deploy("embed", digit) }
        try await registry.deploy("digits", "5")
        try await registry.deploy("digits", "6")
        try await registry.deploy("zebra", "3")
        func candidates(ownMax: Int, countMax: Int) -> [String] {
            registry.recentSnapshots(for: "embed", ownMax: ownMax, countMax: countMax).map(\.digest)
        }
        #expect(candidates(ownMax: 2, countMax: 16) == [digest("3"), digest("2"), digest("6")])
        #expect(candidates(ownMax: 8, countMax: 3) == [digest("3"), digest("2"), digest("1")])
        #expect(registry.recentSnapshots(for: "new", ownMax: 8, countMax: 16).count == 2)
    }
}
