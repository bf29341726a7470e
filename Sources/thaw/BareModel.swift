import Foundation
import Manifests

/// A model that comes without a `function.yaml`: an `.onnx` file, or a directory in Hugging Face layout.
///
/// What a manifest would say follows from the files: the name from the path, the task from config.json.
struct BareModel {
    let manifest: Manifest
    /// The manifest as a file of the bundle.
    let yaml: String
    let members: [BundleArchive.Member]

    /// nil where the path is neither.
    ///
    /// - Parameter path: as the user wrote it; messages repeat it.
    init?(path: String) throws(CommandFailure) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        switch attributes?[.type] as? FileAttributeType {
        case .typeRegular where path.hasSuffix(".onnx"):
            let (folder, name) = Self.split(path)
            try self.init(graph: name, in: folder, named: String(name.dropLast(5)))
        case .typeDirectory:
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
            if names.contains("config.json") || names.contains("modules.json"),
                names.contains(where: { $0.hasSuffix(".safetensors") })
            {
                try self.init(directory: path, names)
            } else if let graph = names.first(where: { $0.hasSuffix(".onnx") }),
                names.filter({ $0.hasSuffix(".onnx") }).count == 1
            {
                try self.init(graph: graph, in: path, named: Self.split(Self.absolute(path)).name)
            } else if let pickle = names.first(where: { $0.hasSuffix(".bin") || $0.hasSuffix(".pt") }),
                names.contains("config.json")
            {
                throw .file(
                    "\(path)/\(pickle) is a Python pickle, which can run code when it is opened, and is refused; save "
                        + "the model as safetensors (save_pretrained(…, safe_serialization=True)) or export it to ONNX"
                )
            } else {
                return nil
            }
        default: return nil
        }
    }

    private init(graph file: String, in folder: String, named name: String) throws(CommandFailure) {
        // Weights that lie outside the graph's file lie beside it, under its name and more.
        let beside = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        let paths = beside.filter { $0 == file || ($0.hasPrefix(file) && !$0.hasSuffix(".json")) }
        let archive = try BundleArchive(directory: folder, paths: paths)
        let yaml = "name: \(try Self.functionName(name))\nmodel: {source: \"\(file)\", task: tensor}\n"
        try self.init(yaml: yaml, members: archive.members)
    }

    private init(directory: String, _ names: [String]) throws(CommandFailure) {
        let task = try Self.task(directory)
        var paths = names.filter(Self.isOfModel)
        // What modules.json names lies in folders of its own.
        for folder in names {
            let inside = (try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/\(folder)")) ?? []
            guard names.contains("modules.json"), folder.first?.isNumber == true else { continue }
            paths += inside.sorted().filter(Self.isOfModel).map { "\(folder)/\($0)" }
        }
        let archive = try BundleArchive(directory: directory, paths: paths)
        let name = try Self.functionName(Self.split(Self.absolute(directory)).name)
        let yaml = "name: \(name)\nmodel: {source: model, task: \(task.rawValue)}\n"
        let members = archive.members.map { member in
            BundleArchive.Member(path: "model/" + member.path, file: member.file, byteCount: member.byteCount)
        }
        try self.init(yaml: yaml, members: members)
    }

    private init(yaml: String, members: [BundleArchive.Member]) throws(CommandFailure) {
        self.yaml = yaml
        do throws(ManifestError) {
            manifest = try Manifest.parse(yaml: yaml, file: Manifest.fileName)
        } catch {
            throw .file(error.description)
        }
        let contents = Array(yaml.utf8)
        self.members =
            [BundleArchive.Member(path: Manifest.fileName, contents: contents)]
            + members.filter { $0.path != Manifest.fileName }
    }

    /// Files that the packer reads.
    private static func isOfModel(_ name: String) -> Bool {
        name.hasSuffix(".safetensors") || name.hasSuffix(".json")
    }

    /// By the `architectures` of config.json, and whether modules.json pools.
    private static func task(_ directory: String) throws(CommandFailure) -> TaskKind {
        struct Configuration: Decodable {
            var architectures: [String]?
            var id2label: [String: String]?
            var problemType: String?
            /// Where a cross-encoder kept its activation before version 4.
            var oldActivation: String?

            private enum CodingKeys: String, CodingKey {
                case architectures, id2label
                case problemType = "problem_type"
                case oldActivation = "sbert_ce_default_activation_function"
            }
        }
        struct Module: Decodable { var type: String }
        func read<Value: Decodable>(_: Value.Type, _ name: String) -> Value? {
            FileManager.default.contents(atPath: "\(directory)/\(name)").flatMap { data in
                try? JSONDecoder().decode(Value.self, from: data)
            }
        }
        // What is damaged is the packer's to refuse.
        let modules = read([Module].self, "modules.json")
        if let modules, modules.isEmpty || modules.contains(where: { $0.type.hasSuffix("Pooling") }) { return .embed }
        guard let configuration = read(Configuration.self, "config.json") else { return .embed }
        let architecture = configuration.architectures?.first ?? ""
        if architecture.hasSuffix("ForTokenClassification") { return .tag }
        if architecture.hasSuffix("ForSequenceClassification") {
            // A cross-encoder is a classifier of one class, which is otherwise only a regression.
            let isMarked = modules != nil || configuration.oldActivation != nil
            let isRanker =
                configuration.id2label?.count == 1 && (isMarked || configuration.problemType != "regression")
            return isRanker ? .rank : .classify
        }
        for unsupported in ["ForQuestionAnswering", "ForCausalLM", "ForMultipleChoice", "ForConditionalGeneration"]
        where architecture.hasSuffix(unsupported) {
            throw .file(
                "\(directory)/config.json: architectures is \(architecture); supported are encoders that embed "
                    + "(…Model), classify or rank (…ForSequenceClassification) and tag tokens "
                    + "(…ForTokenClassification): export it to ONNX to serve it with task tensor"
            )
        }
        return .embed
    }

    /// `My_Model.v2` → `my-model-v2`.
    private static func functionName(_ text: String) throws(CommandFailure) -> String {
        let mapped = text.lowercased().unicodeScalars.map { scalar -> Character in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                ? Character(scalar) : "-"
        }
        let name = String(mapped).split(separator: "-").joined(separator: "-").prefix(63)
        let trimmed = String(name.hasSuffix("-") ? name.dropLast() : name)
        guard Manifest.isName(trimmed) else {
            throw .file("no name for the function follows from \"\(text)\"; give one with a \(Manifest.fileName)")
        }
        return trimmed
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        let url = URL(fileURLWithPath: path)
        return (url.deletingLastPathComponent().path, url.lastPathComponent)
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}
