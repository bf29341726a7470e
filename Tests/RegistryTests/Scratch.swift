import Foundation
import Manifests
import Registry

/// A directory of a test, removed with it, and what the tests put into a registry.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "registry-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var database: String { path + "/registry.sqlite" }

    /// A registry whose clock stands at noon of 2026-11-21.
    func registry() throws -> Registry {
        try Registry(path: database, unixMilliseconds: { 1_795_262_400_000 })
    }

    static func manifest(_ name: String, route: String? = nil, description: String? = nil) -> Manifest {
        Manifest(
            name: name,
            description: description,
            model: ModelReference(source: "model", task: .embed),
            route: route,
            environment: ["LANGUAGE": "en"]
        )
    }

    /// A record whose digest is 64 times the given digit.
    static func snapshot(_ digit: Character) -> SnapshotRecord {
        SnapshotRecord(
            digest: String(repeating: digit, count: 64),
            byteCount: 76_000_000,
            arenaByteCount: 90_900_000,
            task: .embed
        )
    }
}

extension Registry {
    /// Deploys the name with the snapshot of the digit.
    @discardableResult
    func deploy(_ name: String, _ digit: Character, route: String? = nil) async throws -> FunctionVersion {
        try await deploy(manifest: Scratch.manifest(name, route: route), snapshot: Scratch.snapshot(digit))
    }
}
