import Foundation
import Manifests
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

    @Test func `a directory in Hugging Face layout needs no manifest`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        for name in ["config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json", "README.md"] {
            try scratch.write("My_Model.v2/\(name)", "{}")
        }
        try scratch.write("My_Model.v2/model.safetensors", "x")
        let bundle = try Bundle(directory: scratch.path + "/My_Model.v2/")
        #expect(bundle.manifest.name == "my-model-v2")
        #expect(bundle.manifest.model?.source == "model" && bundle.manifest.model?.task == .embed)
        let members = try bundle.archive().members
        let files = ["config.json", "model.safetensors", "modules.json", "tokenizer.json", "1_Pooling/config.json"]
        #expect(members.map(\.path) == ["function.yaml"] + files.map { "model/" + $0 })
    }

    @Test func `the task of a bare model follows from its architecture`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("m/model.safetensors", "x")
        try scratch.write("m/config.json", #"{"architectures": ["RobertaForSequenceClassification"]}"#)
        #expect(try Bundle(directory: scratch.path + "/m").manifest.model?.task == .classify)
        try scratch.write("m/config.json", #"{"architectures": ["BertForMaskedLM"]}"#)
        #expect(try Bundle(directory: scratch.path + "/m").manifest.model?.task == .embed)
        try scratch.write("m/config.json", #"{"architectures": ["LlamaForCausalLM"]}"#)
        #expect(failure(scratch.path + "/m")?.contains("architectures is LlamaForCausalLM") == true)
    }

    @Test func `a bare cross-encoder ranks, a bare classifier of tokens tags`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("m/model.safetensors", "x")
        let ranker = #""architectures": ["BertForSequenceClassification"], "id2label": {"0": "LABEL_0"}"#
        try scratch.write("m/config.json", "{\(ranker)}")
        #expect(try Bundle(directory: scratch.path + "/m").manifest.model?.task == .rank)
        try scratch.write("m/config.json", "{\(ranker), \"problem_type\": \"regression\"}")
        #expect(try Bundle(directory: scratch.path + "/m").manifest.model?.task == .classify)
        try scratch.write("m/config.json", #"{"architectures": ["BertForTokenClassification"]}"#)
        #expect(try Bundle(directory: scratch.path + "/m").manifest.model?.task == .tag)
        // As CrossEncoder writes it: a list of modules in which nothing pools.
        try scratch.write("m/config.json", "{\(ranker), \"problem_type\": \"regression\"}")
        try scratch.write(
            "m/modules.json",
            #"[{"type": "sentence_transformers.base.modules.transformer.Transformer"}]"#
        )
        #expect(try Bundle(directory: scratch.path + "/m").manifest.model?.task == .rank)
    }

    @Test func `a bare pickle is refused with the way out`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("config.json", "{}")
        try scratch.write("pytorch_model.bin", "x")
        #expect(failure(scratch.path)?.contains("pytorch_model.bin is a Python pickle") == true)
    }

    @Test func `an ONNX file needs no manifest`() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        try scratch.write("Net 1.onnx", "x")
        try scratch.write("Net 1.onnx.data", "y")
        let bundle = try Bundle(directory: scratch.path + "/Net 1.onnx")
        #expect(bundle.manifest.name == "net-1" && bundle.manifest.model?.task == .tensor)
        let paths = try bundle.archive().members.map(\.path)
        #expect(paths == ["function.yaml", "Net 1.onnx", "Net 1.onnx.data"])
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
