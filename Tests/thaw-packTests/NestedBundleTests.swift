import Foundation
import Linux
import Manifests
import Testing

@testable import thaw_pack

/// The zip was made by Python's zipfile: a manifest of an echo, and a file of 600 bytes in a folder.
struct NestedBundleTests {
    private func pack(_ manifest: String, _ zip: [UInt8]) throws -> PackedFunction {
        var tar = TarWriter()
        tar.add("function.yaml", manifest)
        tar.add("lambda.zip", zip)
        let bundle = try FileDescriptor.memoryFile("bundle")
        try bundle.writeAll(tar.finished())
        return try Packer.pack(bundle, into: try FileDescriptor.memoryFile("snapshot"))
    }

    private func fixture(_ name: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return [UInt8](try Data(contentsOf: tests.appendingPathComponent("Fixtures/\(name)")))
    }

    private static let manifest = "name: outer\nruntime: provided\ncode: lambda.zip\nlimits: {timeout: 3s}\n"

    @Test func `a manifest in the zip holds, whatever was made for the zip`() throws {
        let packed = try pack(Self.manifest, try fixture("bundle.zip"))
        #expect(packed.manifest.name == "inner")
        #expect(packed.manifest.runtime == .model)
        #expect(packed.manifest.limits.timeoutMilliseconds == ManifestBounds.timeoutMillisecondsDefault)
        #expect(packed.task == .echo)
    }

    @Test func `a zip without one is code`() throws {
        let packed = try pack(Self.manifest + "handler: run\n", try fixture("code.zip"))
        #expect(packed.manifest.name == "outer")
        #expect(packed.task == .code)
    }

    @Test func `a zip that is cut is refused`() throws {
        let zip = try fixture("bundle.zip")
        #expect(throws: PackRefusal.self) { try pack(Self.manifest, Array(zip.dropLast(30))) }
    }
}
