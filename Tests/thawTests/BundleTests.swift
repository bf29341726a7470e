import Foundation
import NIOCore
import Testing

@testable import thaw

/// A directory that is there for one test.
struct Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/thaw-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func write(_ name: String, _ contents: Data) throws {
        let file = path + "/" + name
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try contents.write(to: URL(fileURLWithPath: file))
    }

    func write(_ name: String, _ text: String) throws {
        try write(name, Data(text.utf8))
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}

@Suite struct BundleTests {
    private let manifest = "name: embed\nmodel:\n  source: model\n  task: embed\nfetch: ./fetch\n"

    private func failure(_ directory: String) -> String? {
        do {
            _ = try Bundle(directory: directory)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `a directory without a manifest is no bundle`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        #expect(failure(scratch.path)?.contains("function.yaml cannot be read") == true)
    }

    @Test func `a mistake in the manifest is told with its place`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("function.yaml", "name: a\nmodel:\n  task: none\nlimitz: {}\n")
        #expect(failure(scratch.path)?.contains("\(scratch.path)/function.yaml:4:1: ") == true)
    }

    @Test func `missing weights are told with the command that brings them`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("function.yaml", manifest)
        #expect(failure(scratch.path)?.hasSuffix("this command brings it: \(scratch.path)/fetch") == true)
        try scratch.write("model/config.json", "{}")
        #expect(failure(scratch.path + "/")?.hasSuffix("this command brings it: \(scratch.path)/fetch") == true)
        try scratch.write("model/model.safetensors", "x")
        #expect(failure(scratch.path) == nil)
    }

    @Test func `only what the manifest names is sent`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("function.yaml", manifest)
        try scratch.write("model/model.safetensors", "x")
        try scratch.write("model/1_Pooling/config.json", "{}")
        try scratch.write("model/.git/HEAD", "x")
        try scratch.write("model/golden/big", "x")
        try scratch.write("README.md", "x")
        let archive = try Bundle(directory: scratch.path).archive()
        #expect(
            archive.members.map(\.path) == ["function.yaml", "model/1_Pooling/config.json", "model/model.safetensors"]
        )
    }

    @Test(arguments: ["golden/check.json", "model/golden/check.json", "model/check.json"])
    func `the golden file is sent once, wherever it lies`(_ golden: String) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("function.yaml", manifest + "\ngolden: {file: \(golden)}\n")
        try scratch.write("model/model.safetensors", "x")
        #expect(throws: CommandFailure.self) { try Bundle(directory: scratch.path).archive() }
        try scratch.write(golden, "{}")
        let paths = try Bundle(directory: scratch.path).archive().members.map(\.path)
        #expect(paths.sorted() == ["function.yaml", golden, "model/model.safetensors"].sorted())
    }

    @Test func `a link is refused`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("function.yaml", manifest)
        try scratch.write("model/model.safetensors", "x")
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/model/tokenizer.json",
            withDestinationPath: "/etc/passwd"
        )
        let bundle = try Bundle(directory: scratch.path)
        #expect(throws: CommandFailure.self) { try bundle.archive() }
    }
}
