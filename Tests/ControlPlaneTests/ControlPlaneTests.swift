import Foundation
import Invoking
import Manifests
import NIOCore
import Registry
import Testing

@testable import ControlPlane

/// The control plane on a real registry, with a stand-in for the packer.
struct ControlPlaneTests {
    private struct Harness {
        let plane: ControlPlane
        let registry: Registry
        let directory: String
    }

    private static let snapshot = SnapshotRecord(
        digest: String(repeating: "ab", count: 32),
        byteCount: 1000,
        arenaByteCount: 4096,
        task: .code
    )

    private static func withPlane(
        failure: DeployFailure? = nil,
        _ body: (Harness) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/plane-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let registry = try Registry(path: directory + "/registry.sqlite")
        let acts = ControlActs(
            deploy: { name, code in
                if let failure { return .failure(failure) }
                do {
                    var bytes: [UInt8] = []
                    for try await piece in code { bytes += piece.readableBytesView }
                    let manifest = try Self.manifest(in: bytes, name)
                    return .success(try await registry.deploy(manifest: manifest, snapshot: Self.snapshot))
                } catch {
                    return .failure(.invalid("\(error)"))
                }
            },
            reconfigure: { name, change in
                do {
                    let serving = try registry.resolve(name)
                    var manifest = serving.manifest
                    change(&manifest)
                    return .success(try await registry.deploy(manifest: manifest, snapshot: serving.snapshot))
                } catch {
                    return .failure(.invalid("\(error)"))
                }
            },
            delete: { try await registry.delete($0) },
            provision: { _, _ in },
            workers: { _ in 0 }
        )
        let plane = try ControlPlane(directory: directory, account: LambdaAccount(), registry: registry, acts: acts)
        try await body(Harness(plane: plane, registry: registry, directory: directory))
    }

    /// The first file of the archive, which is the manifest.
    private static func manifest(in tar: [UInt8], _ name: String) throws -> Manifest {
        let size = tar[124..<135].reduce(0) { $0 * 8 + Int($1 - 0x30) }
        var manifest = try Manifest.parse(bytes: Array(tar[512..<512 + size]), file: "function.yaml")
        manifest.name = name
        return manifest
    }

    private static let zip = Data("PK\u{3}\u{4} not looked into here".utf8).base64EncodedString()

    private static let create: JSONValue = [
        "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Runtime": "python3.12",
        "Handler": "app.handler",
        "Code": ["ZipFile": .text(zip)], "Timeout": 7, "MemorySize": 256, "Description": "d: \"e\"",
        "Environment": ["Variables": ["A": "1"]], "Tags": ["t": "u"],
    ]

    private static func reference(_ name: String) -> FunctionReference { FunctionReference(name: name, qualifier: nil) }

    @Test func `what a request says of a function stands in the manifest of its version`() async throws {
        try await Self.withPlane { harness in
            let made = try await harness.plane.createFunction(RequestFields(Self.create))
            #expect(made["State"] == "Pending")
            let manifest = try harness.registry.resolve("f").manifest
            #expect(manifest.runtime == .python3 && manifest.handler == "app.handler" && manifest.code == "lambda.zip")
            #expect(manifest.limits.timeoutMilliseconds == 7000 && manifest.limits.memoryBytes == 256 << 20)
            #expect(manifest.environment == ["A": "1"] && manifest.description == "d: \"e\"")
            let shown = try harness.plane.getConfiguration(Self.reference("f"))
            #expect(shown["State"] == "Active" && shown["LastUpdateStatus"] == "Successful")
        }
    }

    @Test func `settings alone make a version of the same snapshot`() async throws {
        try await Self.withPlane { harness in
            _ = try await harness.plane.createFunction(RequestFields(Self.create))
            _ = try await harness.plane.updateConfiguration(Self.reference("f"), RequestFields(["Timeout": 9]))
            let version = try harness.registry.resolve("f")
            #expect(version.version == 2 && version.manifest.limits.timeoutMilliseconds == 9000)
            #expect(version.manifest.limits.memoryBytes == 256 << 20)
        }
    }

    @Test func `a deploy that failed leaves nothing of a function, and an update what was there`() async throws {
        try await Self.withPlane(failure: .invalid("no such handler")) { harness in
            await #expect(throws: LambdaError(.invalidParameterValue, "no such handler")) {
                try await harness.plane.createFunction(RequestFields(Self.create))
            }
            #expect(harness.plane.find("f") == nil)
        }
    }

    @Test func `a label of the registry is an alias, of what was published or of the registry's own version`()
        async throws
    {
        try await Self.withPlane { harness in
            for timeout in [1000, 2000, 3000] {
                var manifest = Manifest(name: "own")
                manifest.limits.timeoutMilliseconds = timeout
                _ = try await harness.registry.deploy(manifest: manifest, snapshot: Self.snapshot)
            }
            try await harness.registry.setAlias("own", label: "stable", version: 1)
            let plane = harness.plane
            let reference = FunctionReference(name: "own", qualifier: "stable")
            let target = try plane.target(of: reference, chance: 0)
            #expect(target.registryVersion == 1 && target.label == "1" && target.arn.hasSuffix(":own:stable"))
            #expect(try plane.getConfiguration(reference)["Timeout"] == 1)
            #expect(try plane.getAlias(Self.reference("own"), "stable")["FunctionVersion"] == "1")
            try await harness.registry.setAlias("own", label: "stable", version: 3)
            #expect(try plane.target(of: reference, chance: 0).label == "$LATEST")
            // An alias of the API wins, and the registry's stays for the node's own doors.
            _ = try await plane.publishVersion(Self.reference("own"), RequestFields([:]))
            #expect(try plane.target(of: reference, chance: 0).registryVersion == nil)
            let alias: JSONValue = ["Name": "stable", "FunctionVersion": "1"]
            _ = try await plane.createAlias(Self.reference("own"), RequestFields(alias))
            #expect(try plane.target(of: reference, chance: 0).registryVersion == 3)
            let listed = try plane.listAliases(Self.reference("own"), of: nil, Page(marker: nil, itemsMax: nil))
            #expect(listed["Aliases"]?.elements?.count == 1)
            #expect(throws: LambdaError.self) {
                try plane.target(of: FunctionReference(name: "own", qualifier: "other"), chance: 0)
            }
        }
    }

    @Test func `what the node's own doors deployed and rolled back is the latest`() async throws {
        try await Self.withPlane { harness in
            var manifest = Manifest(name: "own")
            manifest.limits.timeoutMilliseconds = 1500
            _ = try await harness.registry.deploy(manifest: manifest, snapshot: Self.snapshot)
            let shown = try harness.plane.getConfiguration(Self.reference("own"))
            #expect(shown["Runtime"] == "provided.thaw" && shown["Timeout"] == 2)
            try await harness.plane.tag(
                "arn:aws:lambda:us-east-1:000000000000:function:own",
                RequestFields(["Tags": ["a": "b"]])
            )
            manifest.limits.timeoutMilliseconds = 4000
            _ = try await harness.registry.deploy(manifest: manifest, snapshot: Self.snapshot)
            #expect(try harness.plane.getConfiguration(Self.reference("own"))["Timeout"] == 4)
            _ = try await harness.registry.rollback("own")
            #expect(try harness.plane.getConfiguration(Self.reference("own"))["Timeout"] == 2)
            try await harness.registry.delete("own")
            #expect(harness.plane.find("own") == nil)
        }
    }

    @Test func `a deploy that a stopped node left is a failure when it is back`() async throws {
        try await Self.withPlane { harness in
            let code = CodeFacts(sha256: "x", byteCount: 1)
            let latest = LambdaVersion(settings: FunctionSettings(role: "r"), code: code, lastModified: "t")
            try await harness.plane.store.change("half") { stored in
                stored = LambdaFunction(name: "half", registryName: "half", latest: latest)
                stored?.phase = .pending
            }
            try await harness.plane.resume()
            #expect(try harness.plane.getConfiguration(Self.reference("half"))["State"] == "Failed")
        }
    }

    @Test func `a name that is no label gets one that no other name gets`() throws {
        #expect(try CodeManifest.registryName("plain-name") == "plain-name")
        let odd = try CodeManifest.registryName("My_Function")
        #expect(Manifest.isName(odd) && odd.hasPrefix("my-function-"))
        #expect(try CodeManifest.registryName("my_function") != odd)
        #expect(Manifest.isName(try CodeManifest.registryName("_")))
        #expect(Manifest.isName(try CodeManifest.registryName(String(repeating: "X_", count: 32))))
    }

    @Test func `mutants of a request are answered or refused, and never end the process`() async throws {
        try await Self.withPlane { harness in
            var random = SplitMix(state: 16)
            let seed = Self.create.bytes
            var refusedCount = 0
            for number in 0..<400 {
                var bytes = seed
                for _ in 0...Int.random(in: 0..<3, using: &random) {
                    let place = Int.random(in: bytes.indices, using: &random)
                    bytes[place] = UInt8.random(in: 0x20..<0x7F, using: &random)
                }
                guard var document = JSONValue(parsing: bytes)?.members else { continue }
                if document["FunctionName"]?.text == "f" { document["FunctionName"] = .text("f\(number)") }
                do throws(LambdaError) {
                    _ = try await harness.plane.createFunction(RequestFields(.object(document)))
                } catch {
                    refusedCount += 1
                    #expect(error.code != .service, "\(error)")
                }
            }
            #expect(refusedCount > 20)
        }
    }
}

/// A small generator with a seed, so that a failure comes back.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
