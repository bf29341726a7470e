import Foundation
import GRDB
import Testing

@testable import Secrets

@Suite struct SecretStoreTests {
    private static func directory() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/secrets-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test func `comes back as it was set, in the next process too, and lies encrypted on the disk`() async throws {
        let directory = try Self.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let value = "hunter2-\(UUID().uuidString)"
        do {
            let store = try SecretStore(directory: directory)
            try await store.set("embed", "TOKEN", to: "first")
            try await store.set("embed", "TOKEN", to: value)
            try await store.set("other", "TOKEN", to: "not this")
        }
        let store = try SecretStore(directory: directory)
        #expect(try store.environment(of: "embed") == ["TOKEN=\(value)"])
        #expect(try store.list("embed").map(\.name) == ["TOKEN"])
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
            #expect(bytes.range(of: Data(value.utf8)) == nil, "\(name)")
        }
        let mode = try FileManager.default.attributesOfItem(atPath: directory + "/secret.key")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try await store.remove("embed", "TOKEN"))
        #expect(try await !store.remove("embed", "TOKEN"))
        try await store.removeAll(of: "other")
        #expect(try store.environment(of: "other").isEmpty)
    }

    @Test func `a row that was moved to another function does not open, nor does one under another key`() async throws {
        let directory = try Self.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        do {
            let store = try SecretStore(directory: directory)
            try await store.set("victim", "TOKEN", to: "value")
            let database = try DatabaseQueue(path: directory + "/secrets.sqlite")
            try await database.write { database in
                try database.execute(sql: "INSERT INTO secrets SELECT 'thief', name, sealed, 0 FROM secrets")
            }
            #expect(throws: SecretError.damaged(function: "thief", name: "TOKEN")) {
                try store.environment(of: "thief")
            }
            #expect(try store.environment(of: "victim") == ["TOKEN=value"])
            try await store.removeAll(of: "thief")
        }
        try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: directory + "/secret.key"))
        #expect(throws: SecretError.damaged(function: "victim", name: "TOKEN")) {
            try SecretStore(directory: directory)
        }
        try Data(repeating: 7, count: 5).write(to: URL(fileURLWithPath: directory + "/secret.key"))
        #expect(throws: SecretError.self) { try SecretStore(directory: directory) }
    }

    @Test func `names and values have bounds`() async throws {
        let directory = try Self.directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try SecretStore(directory: directory)
        for name in ["", "1A", "A-B", "A=B", "Ä", String(repeating: "A", count: 129)] {
            await #expect(throws: SecretError.invalidName(name)) { try await store.set("f", name, to: "x") }
        }
        let long = String(repeating: "x", count: SecretStore.valueBytesMax + 1)
        await #expect(throws: SecretError.invalidValue) { try await store.set("f", "A", to: long) }
        await #expect(throws: SecretError.invalidValue) { try await store.set("f", "A", to: "a\0b") }
        for index in 0..<SecretStore.countMax { try await store.set("f", "A\(index)", to: "x") }
        await #expect(throws: SecretError.tooMany) { try await store.set("f", "B", to: "x") }
        try await store.set("f", "A0", to: "again")
    }
}
