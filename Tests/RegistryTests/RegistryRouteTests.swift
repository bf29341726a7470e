import Registry
import Testing

@Suite struct RegistryRouteTests {
    let scratch: Scratch
    let registry: Registry

    init() throws {
        scratch = try Scratch()
        registry = try scratch.registry()
    }

    @Test func `a route reaches the function whose serving version asks for it`() async throws {
        try await registry.deploy("embed", "a", route: "/v/embed")
        #expect(registry.route(path: "/v/embed") == "embed")
        #expect(registry.route(path: "/v/embed/") == nil)
        try await registry.deploy("embed", "b", route: "/text")
        #expect(registry.route(path: "/v/embed") == nil)
        #expect(registry.route(path: "/text") == "embed")
        _ = try await registry.rollback("embed")
        #expect(registry.route(path: "/v/embed") == "embed")
    }

    @Test func `a route of another function is refused, and nothing changes`() async throws {
        try await registry.deploy("embed", "a", route: "/text")
        try await registry.deploy("digits", "b")
        let taken = RegistryError.routeTaken(route: "/text", by: "embed")
        await #expect(throws: taken) { try await registry.deploy("digits", "c", route: "/text") }
        await #expect(throws: taken) { try await registry.deploy("fresh", "c", route: "/text") }
        #expect(registry.route(path: "/text") == "embed")
        #expect(try registry.versions(of: "digits").map(\.version) == [1])
        #expect(throws: RegistryError.unknownFunction("fresh")) { try registry.resolve("fresh") }
        #expect(registry.unusedSnapshots(onDisk: [Scratch.snapshot("c").digest]).count == 1)
        #expect(try await registry.deploy("digits", "c").version == 2)
    }

    @Test func `a rollback to a route that was taken meanwhile is refused`() async throws {
        try await registry.deploy("embed", "a", route: "/text")
        try await registry.deploy("embed", "b")
        try await registry.deploy("other", "c", route: "/text")
        await #expect(throws: RegistryError.routeTaken(route: "/text", by: "other")) {
            try await registry.rollback("embed")
        }
        #expect(try registry.resolve("embed").version == 2)
    }

    @Test func `a deleted function gives its route back`() async throws {
        try await registry.deploy("embed", "a", route: "/text")
        try await registry.delete("embed")
        try await registry.deploy("other", "b", route: "/text")
        #expect(registry.route(path: "/text") == "other")
    }
}
