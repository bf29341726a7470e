import Foundation
import Manifests
import Testing

@testable import thaw

@Suite struct FunctionTemplateTests {
    @Test(arguments: FunctionTemplate.allCases)
    func `the folder of a new function is a bundle`(template: FunctionTemplate) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        for file in template.files(name: "fresh") { try scratch.write(file.path, file.text) }
        let manifest = try Manifest.parse(
            yaml: try String(contentsOfFile: scratch.path + "/function.yaml", encoding: .utf8),
            file: "function.yaml"
        )
        #expect(manifest.name == "fresh")
        // A model is its author's to bring.
        guard template != .model else { return }
        #expect(throws: Never.self) { try Bundle(directory: scratch.path).archive() }
    }
}

@Suite struct SourceTreeTests {
    @Test func `a folder changes with its files, and not with what tools keep in it`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("app.py", "one")
        let before = SourceTree(directory: scratch.path)
        #expect(SourceTree(directory: scratch.path) == before)
        try scratch.write("__pycache__/app.pyc", "x")
        #expect(SourceTree(directory: scratch.path) == before)
        try scratch.write("lib/more.py", "two")
        let after = SourceTree(directory: scratch.path)
        #expect(after != before)
        #expect(after.folders.sorted() == [scratch.path, scratch.path + "/lib"])
    }
}

@Suite struct BuildStepTests {
    /// Scripts that nobody writes meanwhile: the kernel starts none that a process, forked at the wrong moment, still has open.
    private static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/"

    private static func run(_ script: String, in scratch: Scratch) throws {
        let command = scratch.path + "/" + script
        try FileManager.default.createSymbolicLink(atPath: command, withDestinationPath: scripts + script)
        let manifest = Manifest(name: "built", runtime: .provided, build: script)
        try BuildStep.run(manifest, directory: scratch.path)
    }

    @Test func `a build runs in its folder, and one that fails is told`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try Self.run("build-well", in: scratch)
        #expect(FileManager.default.fileExists(atPath: scratch.path + "/bootstrap"))
        let failure = "\(scratch.path)/build-badly ended with status 3, so nothing was deployed"
        #expect(throws: CommandFailure.file(failure)) { try Self.run("build-badly", in: scratch) }
    }

    @Test func `a build that is not there is named`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let manifest = Manifest(name: "built", runtime: .provided, build: "make-it")
        let failure = "\(scratch.path)/make-it: the command that build names is not there, or may not be run (chmod +x)"
        #expect(throws: CommandFailure.file(failure)) { try BuildStep.run(manifest, directory: scratch.path) }
    }
}
