import Foundation
import Linux
import Manifests
import Models
import Snapshots
import Testing
import Wire

@testable import thaw_pack

/// What the packer makes of a bundle of code.
private struct Code {
    let image: CodeImage
    let groups: [[UInt8]]

    init(_ archive: [UInt8], with packages: PackageFiles? = nil) throws {
        let bundle = try FileDescriptor.memoryFile("bundle")
        try bundle.writeAll(archive)
        let snapshot = try FileDescriptor.memoryFile("snapshot")
        _ = try Packer.pack(bundle, with: packages, into: try snapshot.duplicate())
        let loaded = try LoadedSnapshot(file: snapshot, verifying: .digests)
        image = try CodeImage(parsing: try loaded.bytes(of: CodeImage.entryName))
        groups = try loaded.index.entries.indices.dropFirst().map { number in
            try loaded.bytes(of: CodeImage.groupName(number - 1))
        }
    }

    func text(_ path: String) -> String? {
        image.files.first { $0.path == path }.map { file in
            let start = Int(file.offset)
            return String(decoding: groups[Int(file.group)][start..<start + Int(file.byteCount)], as: UTF8.self)
        }
    }
}

private func bundle(_ manifest: String, _ files: [(String, [UInt8])]) -> [UInt8] {
    var tar = TarWriter()
    tar.add("function.yaml", "name: code\n" + manifest)
    for (path, contents) in files { tar.add(path, contents) }
    return tar.finished()
}

private func refusal(_ manifest: String, _ files: [(String, [UInt8])]) throws -> String? {
    do {
        _ = try Code(bundle(manifest, files))
        return nil
    } catch let error as PackRefusal {
        return error.message
    }
}

/// What Python's zipfile makes of two small files, one of them deflated: `app.py` and `lib/names.txt`, and a program.
private let zip: [UInt8] = {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    guard let data = try? Data(contentsOf: tests.appendingPathComponent("Fixtures/code.zip")) else { return [] }
    return [UInt8](data)
}()

@Suite struct `Code in a bundle` {
    @Test func `keeps paths, modes and bytes, a group for each folder`() throws {
        var tar = TarWriter()
        tar.add("function.yaml", "name: code\nruntime: provided\n")
        tar.add("bootstrap", "#!/bin/sh\n")
        tar.add("lib/a.txt", "a")
        tar.add("lib/deep/b.txt", "bb")
        tar.add("data/c.txt", "ccc")
        let code = try Code(tar.finished())
        #expect(code.image.runtime == .provided)
        #expect(code.image.handler == "bootstrap")
        #expect(code.image.files.map(\.path) == ["bootstrap", "data/c.txt", "lib/a.txt", "lib/deep/b.txt"])
        #expect(code.image.files.map(\.isExecutable) == [true, false, false, false])
        #expect(code.image.files.map(\.group) == [0, 1, 2, 2])
        #expect(code.text("lib/deep/b.txt") == "bb")
        #expect(code.text("data/c.txt") == "ccc")
    }

    @Test func `is the directory that the manifest names, or a zip file`() throws {
        let inFolder = try Code(
            bundle("runtime: python3\nhandler: app.handler\ncode: src\n", [("src/app.py", [1, 2]), ("notes", [3])])
        )
        #expect(inFolder.image.files.map(\.path) == ["app.py"])
        let zipped = try Code(bundle("runtime: python3\nhandler: app.handler\ncode: l.zip\n", [("l.zip", zip)]))
        #expect(zipped.image.files.map(\.path) == ["app.py", "lib/names.txt", "run"])
        #expect(zipped.image.files.map(\.isExecutable) == [false, false, true])
        #expect(zipped.text("app.py") == "def handler(event, context):\n    return event\n")
        #expect(zipped.text("lib/names.txt") == String(repeating: "name ", count: 100))
    }

    @Test func `is refused in words where its start is missing`() throws {
        #expect(
            try refusal("runtime: provided\n", [("run", [])])
                == "the code has no bootstrap, the program that runtime provided starts"
        )
        #expect(
            try refusal("runtime: python3\nhandler: pkg.app.handler\n", [("app.py", [])])
                == "the handler is pkg.app.handler, but the code has no pkg/app.py"
        )
        #expect(
            try refusal("runtime: provided\ncode: src\n", [("bootstrap", [])])
                == "src, which function.yaml names as its code, is not in the bundle; put it there, or correct code"
        )
    }

    @Test func `has its layers beside it, later ones over earlier ones, and is refused where one is missing`() throws {
        let manifest = "runtime: provided\nlayers: [a.zip, b.zip]\n"
        let code = try Code(bundle(manifest, [("bootstrap", [1]), ("a.zip", zip), ("b.zip", zip)]))
        #expect(code.image.files.map(\.root) == [.task, .layers, .layers, .layers])
        #expect(code.image.files.map(\.path) == ["bootstrap", "app.py", "lib/names.txt", "run"])
        #expect(code.image.files.map(\.isExecutable) == [true, false, false, true])
        #expect(code.text("app.py") == "def handler(event, context):\n    return event\n")
        #expect(
            try refusal(manifest, [("bootstrap", [1]), ("a.zip", zip)])
                == "the layer b.zip is not in the bundle; put the zip file there, or correct layers"
        )
        #expect(
            try refusal(manifest, [("bootstrap", [1]), ("a.zip", [9]), ("b.zip", zip)])
                == "a.zip: it has no end record; is it a zip file, and whole?"
        )
    }

    @Test func `asks for packages where requirements.txt names some that are not there`() throws {
        let python = "runtime: python3\nhandler: app.handler\n"
        func order(_ files: [(String, [UInt8])], _ manifest: String = python) throws -> PackageOrder? {
            do {
                _ = try Code(bundle(manifest, files))
                return nil
            } catch let error as PackRefusal {
                #expect(error.kind == .packages, "\(error.message)")
                return error.packages
            }
        }
        let app: (String, [UInt8]) = ("app.py", [1])
        let wanted = try #require(try order([app, ("requirements.txt", Array("numpy\n".utf8))]))
        #expect(wanted.folder == "" && wanted.zip == nil && wanted.inputs.hasPrefix("numpy\n\0requirements.txt 6 "))
        let other = try order([app, ("requirements.txt", Array("numpy\n".utf8)), ("a.whl", [1])])
        #expect(other?.inputs != wanted.inputs, "an archive beside it counts")
        let inFolder = [
            ("src/app.py", [UInt8(1)]), ("src/requirements.txt", Array("x".utf8)), ("requirements.txt", [9]),
        ]
        #expect(try order(inFolder, python + "code: src\n")?.folder == "src")
        #expect(try order([app]) == nil)
        #expect(try order([app, ("requirements.txt", Array("# none\n\n  # yet\n".utf8))]) == nil)
        let installed: (String, [UInt8]) = ("numpy-2.0.dist-info/RECORD", [])
        #expect(try order([app, installed, ("requirements.txt", Array("numpy\n".utf8))]) == nil)
        #expect(try order([("bootstrap", [1]), ("requirements.txt", [7])], "runtime: provided\n") == nil)
    }

    @Test func `lies beside the packages that were installed for it, and its own files hold`() throws {
        var tar = TarWriter()
        tar.add("lib.py", "theirs")
        tar.add("app.py", "theirs")
        let file = try FileDescriptor.memoryFile("packages")
        try file.writeAll(tar.finished())
        let packages = try #require(try PackageFiles(file))
        let files: [(String, [UInt8])] = [("app.py", Array("own".utf8)), ("requirements.txt", Array("lib".utf8))]
        let code = try Code(bundle("runtime: python3\nhandler: app.handler\n", files), with: packages)
        #expect(code.image.files.map(\.path) == ["app.py", "lib.py", "requirements.txt"])
        #expect(code.text("app.py") == "own" && code.text("lib.py") == "theirs")
    }

    @Test func `survives any damage of its zip file`() throws {
        var generator = SeededGenerator(state: 5)
        var refusals = 0
        for _ in 0..<400 {
            var bytes = zip
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            do throws(PackRefusal) {
                let archive = try ZipArchive("l.zip", bytes.span.bytes)
                for member in archive.members { _ = try archive.contents(of: member, in: bytes.span.bytes) }
            } catch {
                #expect(!error.message.isEmpty)
                refusals += 1
            }
        }
        #expect(refusals > 200)
    }
}
