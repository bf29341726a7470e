import Foundation
import Testing

@testable import ControlPlane

struct ControlStoreTests {
    private static func inDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/control-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory + "/control.sqlite")
    }

    private static func function(_ name: String) -> LambdaFunction {
        let settings = FunctionSettings(role: "arn:aws:iam::000000000000:role/r")
        let latest = LambdaVersion(settings: settings, code: CodeFacts(sha256: "x", byteCount: 1), lastModified: "t")
        return LambdaFunction(name: name, registryName: name.lowercased(), latest: latest)
    }

    @Test func `what was changed is there after a restart, and a change that threw is not`() async throws {
        try await Self.inDirectory { path in
            let store = try ControlStore(path: path)
            try await store.change("F") { $0 = Self.function("F") }
            await #expect(throws: LambdaError.noSuchResource) {
                try await store.change("F") { function in
                    function?.tags["lost"] = "1"
                    throw LambdaError.noSuchResource
                }
            }
            try await store.change("F") { $0?.tags["kept"] = "1" }
            let again = try ControlStore(path: path)
            #expect(again.read { $0.functions["F"]?.tags } == ["kept": "1"])
            #expect(again.read { $0.names["f"] } == "F")
            try await again.change("F") { $0 = nil }
            #expect(try ControlStore(path: path).read { $0.functions.isEmpty && $0.names.isEmpty })
        }
    }

    @Test func `a layer's number is not given twice`() async throws {
        try await Self.inDirectory { path in
            let store = try ControlStore(path: path)
            func add() async throws -> Int {
                try await store.addLayer("l") { number in
                    LayerVersion(
                        name: "l",
                        number: number,
                        description: "",
                        created: "t",
                        sha256: "x",
                        archive: "x",
                        byteCount: 1,
                        settings: [:]
                    )
                }.number
            }
            #expect(try await add() == 1)
            try await store.changeLayer("l", 1) { $0 = nil }
            #expect(try await add() == 2)
            #expect(try ControlStore(path: path).read { $0.layers["l"]?.map(\.number) } == [2])
        }
    }
}
