import Foundation
import Manifests
import NIOCore
import Testing

@testable import thaw

@Suite struct BundleArchiveTests {
    /// The archive's bytes, and what progress was told.
    private func bytes(of archive: BundleArchive) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        for try await var piece in archive.pieces(onProgress: { _ in }) {
            whole.writeBuffer(&piece)
        }
        return whole
    }

    private func tar(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `the system's tar lists and unpacks what was packed`() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let long = "model/" + String(repeating: "d", count: 90) + "/" + String(repeating: "f", count: 95)
        let contents: [String: Data] = [
            "function.yaml": Data("name: a\n".utf8),
            "model/empty": Data(),
            "model/block": Data(repeating: 1, count: 512),
            "model/large": Data((0..<700_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }),
            long: Data("deep".utf8),
        ]
        for (name, data) in contents { try scratch.write("in/" + name, data) }
        let archive = try BundleArchive(directory: scratch.path + "/in", paths: ["function.yaml", "./model"])
        let bytes = try await bytes(of: archive)
        #expect(bytes.readableBytes == archive.byteCount)
        try scratch.write("out/bundle.tar", Data(bytes.readableBytesView))
        let listed = try tar(["tf", scratch.path + "/out/bundle.tar"])
        #expect(Set(listed.split(separator: "\n").map(String.init)) == Set(contents.keys))
        _ = try tar(["xf", scratch.path + "/out/bundle.tar", "-C", scratch.path + "/out"])
        for (name, data) in contents {
            #expect(FileManager.default.contents(atPath: scratch.path + "/out/" + name) == data)
        }
    }

    @Test func `equal bundles are equal archives`() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        for folder in ["a", "b"] {
            for name in ["function.yaml", "model/x", "model/y"] { try scratch.write("\(folder)/\(name)", name) }
        }
        let first = try BundleArchive(directory: scratch.path + "/a", paths: ["function.yaml", "model"])
        let second = try BundleArchive(directory: scratch.path + "/b", paths: ["function.yaml", "model"])
        #expect(try await bytes(of: first) == bytes(of: second))
    }

    @Test func `a file that became shorter ends the upload`() async throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("a", Data(repeating: 1, count: 1000))
        let archive = try BundleArchive(directory: scratch.path, paths: ["a"])
        try scratch.write("a", Data(repeating: 1, count: 10))
        await #expect(throws: CommandFailure.file("\(scratch.path)/a became shorter while it was sent")) {
            try await bytes(of: archive)
        }
    }

    @Test func `a path that no header holds is refused`() {
        #expect(BundleHeader.fits(String(repeating: "x", count: 100)))
        #expect(!BundleHeader.fits(String(repeating: "x", count: 101)))
        #expect(BundleHeader.fits(String(repeating: "x", count: 155) + "/" + String(repeating: "y", count: 100)))
        #expect(!BundleHeader.fits(String(repeating: "x", count: 156) + "/" + String(repeating: "y", count: 100)))
        #expect(!BundleHeader.fits(String(repeating: "x", count: 120) + "/"))
    }
}
