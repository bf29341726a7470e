import Manifests
import Registry
import Testing

@Suite struct RegistryTests {
    let scratch: Scratch
    let registry: Registry

    init() throws {
        scratch = try Scratch()
        registry = try scratch.registry()
    }

    @Test func `every deploy makes the next number, and the newest serves`() async throws {
        let first = try await registry.deploy("embed", "a")
        let second = try await registry.deploy("embed", "b")
        #expect((first.version, second.version) == (1, 2))
        #expect(try registry.resolve("embed") == second)
        #expect(try registry.versions(of: "embed") == [first, second])
        #expect(first.createdAt == "2026-11-21T12:00:00.000Z")
        #expect(first.manifest == Scratch.manifest("embed"))
        #expect(first.snapshot == Scratch.snapshot("a"))
    }

    @Test func `the same bundle deployed twice is two versions of one snapshot`() async throws {
        try await registry.deploy("embed", "a")
        let second = try await registry.deploy("embed", "a")
        #expect(second.version == 2)
        #expect(registry.unusedSnapshots(onDisk: [Scratch.snapshot("a").digest]).isEmpty)
    }

    @Test func `a qualifier names a version, an alias or the newest`() async throws {
        for digit in ["a", "b", "c"] as [Character] { try await registry.deploy("embed", digit) }
        try await registry.setAlias("embed", label: "stable", version: 1)
        _ = try await registry.rollback("embed")
        #expect(try registry.resolve("embed", qualifier: nil).version == 2)
        #expect(try registry.resolve("embed", qualifier: "1").version == 1)
        #expect(try registry.resolve("embed", qualifier: "stable").version == 1)
        #expect(try registry.resolve("embed", qualifier: "latest").version == 3)
        #expect(try registry.resolve("embed", qualifier: "$LATEST").version == 3)
    }

    @Test(arguments: ["4", "0", "-1", "01", "+1", "nightly", "", "a b", "99999999999999999999", "é"])
    func `a qualifier that names nothing is refused by name`(_ qualifier: String) async throws {
        try await registry.deploy("embed", "a")
        #expect(throws: RegistryError.unknownQualifier(function: "embed", qualifier: qualifier)) {
            try registry.resolve("embed", qualifier: qualifier)
        }
    }

    @Test func `a function that was never deployed is unknown to every verb`() async throws {
        let unknown = RegistryError.unknownFunction("ghost")
        #expect(throws: unknown) { try registry.resolve("ghost") }
        #expect(throws: unknown) { try registry.describe("ghost") }
        #expect(throws: unknown) { try registry.versions(of: "ghost") }
        await #expect(throws: unknown) { try await registry.delete("ghost") }
        await #expect(throws: unknown) { try await registry.rollback("ghost") }
        await #expect(throws: unknown) { try await registry.setAlias("ghost", label: "live", version: 1) }
        #expect(registry.list().isEmpty)
        #expect("\(unknown)".contains("\"ghost\""))
    }

    @Test func `rollback goes back one version at a time until the oldest`() async throws {
        for digit in ["a", "b", "c"] as [Character] { try await registry.deploy("embed", digit) }
        #expect(try await registry.rollback("embed").version == 2)
        #expect(try await registry.rollback("embed").version == 1)
        await #expect(throws: RegistryError.nothingToRollBack(function: "embed", serving: 1)) {
            try await registry.rollback("embed")
        }
        #expect(try registry.describe("embed").newest == 3)
    }

    @Test func `a deploy after a rollback serves under the number after the newest`() async throws {
        for digit in ["a", "b"] as [Character] { try await registry.deploy("embed", digit) }
        _ = try await registry.rollback("embed")
        #expect(try await registry.deploy("embed", "c").version == 3)
        #expect(try registry.resolve("embed").version == 3)
        #expect(try await registry.rollback("embed").version == 2)
    }

    @Test func `an alias moves, and stays where it is while versions come and go`() async throws {
        try await registry.deploy("embed", "a")
        try await registry.setAlias("embed", label: "live", version: 1)
        try await registry.deploy("embed", "b")
        #expect(try registry.resolve("embed", qualifier: "live").version == 1)
        try await registry.setAlias("embed", label: "live", version: 2)
        #expect(try registry.describe("embed").aliases == ["live": 2])
        await #expect(throws: RegistryError.unknownQualifier(function: "embed", qualifier: "3")) {
            try await registry.setAlias("embed", label: "live", version: 3)
        }
    }

    @Test(arguments: ["", "7", "latest", "Latest", "1a", "-a", "a b", "a/b", "é", String(repeating: "a", count: 65)])
    func `a label that could be mistaken for something else is refused`(_ label: String) async throws {
        try await registry.deploy("embed", "a")
        await #expect(throws: RegistryError.invalidLabel(label)) {
            try await registry.setAlias("embed", label: label, version: 1)
        }
    }

    @Test func `a deleted function is gone, and its numbers are not given again`() async throws {
        for digit in ["a", "b"] as [Character] { try await registry.deploy("embed", digit, route: "/embed") }
        try await registry.setAlias("embed", label: "live", version: 1)
        try await registry.delete("embed")
        #expect(throws: RegistryError.unknownFunction("embed")) { try registry.resolve("embed") }
        #expect(registry.route(path: "/embed") == nil)
        #expect(try await registry.deploy("embed", "c").version == 3)
        #expect(try registry.describe("embed").aliases.isEmpty)
        #expect(throws: RegistryError.unknownQualifier(function: "embed", qualifier: "1")) {
            try registry.resolve("embed", qualifier: "1")
        }
    }

    @Test func `functions are listed by name with what serves`() async throws {
        try await registry.deploy("zebra", "a")
        try await registry.deploy("ant", "b")
        try await registry.deploy("ant", "c")
        _ = try await registry.rollback("ant")
        let records = registry.list()
        #expect(records.map(\.name) == ["ant", "zebra"])
        #expect(records.map(\.serving.version) == [1, 1])
        #expect(records.map(\.newest) == [2, 1])
        #expect(records.map(\.versionCount) == [2, 1])
    }

    @Test func `deploys at the same time each get a number of their own`() async throws {
        let registry = registry
        let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await registry.deploy("embed", "a").version } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(numbers.sorted() == Array(1...20))
        #expect(try registry.resolve("embed").version == 20)
    }
}
