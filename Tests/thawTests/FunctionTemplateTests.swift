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
    @Test func `a build runs in its folder, and one that fails is told`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("function.yaml", "name: built\nruntime: provided\nbuild: make-it\n")
        try scratch.write("make-it", "#!/bin/sh\necho '#!/bin/sh' > bootstrap\n")
        let manifest = Manifest(name: "built", runtime: .provided, build: "make-it")
        #expect(throws: CommandFailure.self, "it may not be run") {
            try BuildStep.run(manifest, directory: scratch.path)
        }
        let file = scratch.path + "/make-it"
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        try BuildStep.run(manifest, directory: scratch.path)
        #expect(FileManager.default.fileExists(atPath: scratch.path + "/bootstrap"))
        try scratch.write("make-it", "#!/bin/sh\nexit 3\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        #expect(throws: CommandFailure.file("\(file) ended with status 3, so nothing was deployed")) {
            try BuildStep.run(manifest, directory: scratch.path)
        }
    }
}
