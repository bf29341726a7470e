import Foundation
import Linux
import Manifests
import Snapshots
import Testing

@testable import thaw_pack

/// What the packer makes of an archive.
private struct Pack {
    let packed: PackedFunction
    let index: SnapshotIndex
    let snapshotByteCount: Int

    init(_ archive: [UInt8], sharing catalog: TensorCatalog = TensorCatalog()) throws {
        let bundle = try FileDescriptor.memoryFile("bundle")
        try bundle.writeAll(archive)
        let snapshot = try FileDescriptor.memoryFile("snapshot")
        packed = try Packer.pack(bundle, into: try snapshot.duplicate(), sharing: catalog)
        index = try SnapshotIndex(reading: snapshot)
        snapshotByteCount = try snapshot.size()
    }
}

private func refusal(_ write: (inout TarWriter) -> Void) throws -> PackRefusal? {
    var tar = TarWriter()
    write(&tar)
    do {
        _ = try Pack(tar.finished())
        return nil
    } catch let error as PackRefusal {
        return error
    }
}

/// The MLP that the importer's tests use: 4 pixels in, 3 scores out.
private func mlp() throws -> [UInt8] {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return [UInt8](try Data(contentsOf: tests.appendingPathComponent("ModelsTests/Fixtures/mlp.onnx")))
}

@Suite struct `Packing` {
    @Test func `makes a snapshot of an echo, with its task only`() throws {
        var tar = TarWriter()
        tar.add("function.yaml", "name: echo\n")
        let pack = try Pack(tar.finished())
        let packed = pack.packed
        #expect(pack.index.entries.map(\.name) == ["task"])
        #expect(packed.manifest == Manifest(name: "echo"))
        #expect(packed.task == .echo)
        #expect(packed.tensorCount == 1)
        #expect(packed.snapshotDigest == pack.index.digest.hex)
        #expect(packed.storedBytes == UInt64(pack.snapshotByteCount))
        #expect(packed.seconds >= 0)
    }

    @Test func `makes a snapshot of a model, with all that its worker needs`() throws {
        var tar = TarWriter()
        tar.add("function.yaml", "name: digits\nmodel: {source: m.onnx, task: classify, labels: [a, b, c]}\n")
        tar.add("m.onnx", try mlp())
        let pack = try Pack(tar.finished())
        let packed = pack.packed
        let names = ["task", "graph", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
        #expect(pack.index.entries.map(\.name) == names)
        #expect(packed.arenaBytes == UInt64(pack.index.arenaByteCount))
    }

    @Test func `gives the same snapshot for the same bundle`() throws {
        var tar = TarWriter()
        tar.add("function.yaml", "name: digits\nmodel: {source: m.onnx, task: tensor}\n")
        tar.add("m.onnx", try mlp())
        #expect(try Pack(tar.finished()).index.digest == Pack(tar.finished()).index.digest)
    }

    @Test func `stores nothing again that another snapshot has`() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let digits = tests.deletingLastPathComponent().appendingPathComponent("functions/digits/digits.onnx")
        let model = [UInt8](try Data(contentsOf: digits))
        func archive(_ settings: String) -> [UInt8] {
            var tar = TarWriter()
            tar.add("function.yaml", "name: digits\nmodel: {source: m.onnx, task: \(settings)}\n")
            tar.add("m.onnx", model)
            return tar.finished()
        }
        let first = try Pack(archive("classify"))
        var catalog = TensorCatalog()
        try catalog.add(first.index)
        // As it reaches the sandbox.
        let second = try Pack(archive("tensor"), sharing: TensorCatalog(parsing: catalog.encoded()))
        #expect(second.index.bases.map(\.digest) == [first.index.digest])
        #expect(second.index.entries.filter { $0.home == nil }.map(\.name) == ["task"])
        #expect(second.packed.storedBytes < 4096 && second.packed.arenaBytes == first.packed.arenaBytes)
        #expect(try second.index.contentDigest() == Pack(archive("tensor")).index.digest)
    }

    @Test func `rehearses without a bundle`() throws {
        try Rehearsal.run()
    }
}

@Suite struct `A bundle that cannot be packed is refused with a sentence` {
    @Test func `where its manifest is missing or wrong`() throws {
        #expect(
            try refusal { $0.add("sub/function.yaml", "name: a") }
                == PackRefusal(kind: .invalid, message: "the bundle has no function.yaml at its top")
        )
        #expect(
            try refusal { $0.add("function.yaml", "nam: a") }?.message
                .hasPrefix("function.yaml:1:1: unknown key \"nam\" in the manifest; did you mean \"name\"?") == true
        )
    }

    @Test func `where its model is missing, with the command that brings it`() throws {
        #expect(
            try refusal { $0.add("function.yaml", "name: a\nmodel: {source: model, task: embed}\nfetch: ./fetch\n") }?
                .message
                == "model is missing from the bundle; run ./fetch in the function's folder, which brings it, and "
                + "deploy again"
        )
    }

    @Test func `where the model does not fit its task`() throws {
        let bytes = try mlp()
        #expect(
            try refusal {
                $0.add("function.yaml", "name: a\nmodel: {source: m.onnx, task: embed}")
                $0.add("m.onnx", bytes)
            }
                == PackRefusal(
                    kind: .invalid,
                    message: "task embed: the model m.onnx takes tensors; use task classify or tensor"
                )
        )
        #expect(
            try refusal {
                $0.add("function.yaml", "name: a\nmodel: {source: m.onnx, task: classify, labels: [a]}")
                $0.add("m.onnx", bytes)
            }
                == PackRefusal(
                    kind: .invalid,
                    message: "task classify: the model m.onnx has 3 scores, and model.labels names 1"
                )
        )
    }

    @Test func `where it is a pickle`() throws {
        let refusal = try refusal {
            $0.add("function.yaml", "name: a\nmodel: {source: model.pt, task: tensor}")
            $0.add("model.pt", [0x80, 4])
        }
        #expect(refusal?.kind == .unsupported)
        #expect(refusal?.message.contains("export the model to ONNX") == true)
    }
}

@Suite struct `A graph's precision` {
    private func pack(_ lines: String) throws -> Pack {
        var tar = TarWriter()
        tar.add("function.yaml", "name: a\nmodel: {source: m.onnx, task: tensor}\n" + lines)
        tar.add("m.onnx", try mlp())
        tar.add("golden.json", Array(#"{"inputs": [[0, 1, 2, 3], [5, 4, 3, 2]]}"#.utf8))
        return try Pack(tar.finished())
    }

    @Test(arguments: [(Precision.bf16, ElementType.bf16, 0.02), (.int8, .i8, 0.1)])
    func `is measured as an encoder's is, and decides what the weights are`(
        _ precision: Precision,
        _ element: ElementType,
        _ bound: Double
    ) throws {
        let pack = try pack("precision: \(precision.rawValue)\n")
        let evidence = try #require(pack.packed.manifest.evidence)
        let trial = try #require(evidence.trials.first)
        #expect(evidence.chosen == precision && trial.relativeMax > 0 && trial.relativeMax < bound)
        let weights = pack.index.entries.filter { ["fc1.weight", "fc2.weight"].contains($0.name) }
        #expect(weights.count == 2 && weights.allSatisfy { $0.element == element })
    }

    @Test func `is f32 where golden results allow nothing else`() throws {
        let pack = try pack("precision: auto\ngolden: {file: golden.json, tolerance: 0.000001}\n")
        #expect(pack.packed.manifest.evidence?.chosen == .f32)
    }
}
