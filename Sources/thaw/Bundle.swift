import Foundation
import Manifests

/// A directory with a `function.yaml`, as its author keeps it, or a model without one.
struct Bundle: Sendable {
    let directory: String
    let manifest: Manifest
    /// Of a model that came without a manifest.
    private let bareMembers: [BundleArchive.Member]?

    /// Reads and checks the manifest, and that the model which it names is there.
    ///
    /// - Parameter directory: as the user wrote it; messages repeat it.
    /// - Throws: a sentence with file, line and column, or the command that brings what is missing.
    init(directory: String) throws(CommandFailure) {
        var directory = directory
        while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
        self.directory = directory
        let file = directory + "/" + Manifest.fileName
        guard let data = FileManager.default.contents(atPath: file) else {
            guard !FileManager.default.fileExists(atPath: file), let bare = try BareModel(path: directory) else {
                throw .file(
                    "\(file) cannot be read; a bundle is a directory with a \(Manifest.fileName), or a model: an .onnx "
                        + "file, or a directory in Hugging Face layout (config.json, model.safetensors, tokenizer.json)"
                )
            }
            manifest = bare.manifest
            bareMembers = bare.members
            return
        }
        bareMembers = nil
        do {
            manifest = try Manifest.parse(bytes: Array(data), file: file)
        } catch {
            throw .file(error.description)
        }
        if let source = manifest.model?.source, !Self.holdsModel(directory + "/" + source) {
            throw .file(Self.missing(source, manifest, directory: directory))
        }
    }

    /// What a deploy sends.
    func archive() throws(CommandFailure) -> BundleArchive {
        if let bareMembers { return BundleArchive(members: bareMembers) }
        var paths = [Manifest.fileName]
        if manifest.runtime != .model {
            let code = manifest.code ?? "."
            guard FileManager.default.fileExists(atPath: directory + "/" + code) else {
                throw .file("\(directory)/\(code): the code that \(Manifest.fileName) names is not there")
            }
            return try BundleArchive(directory: directory, paths: paths + [code])
        }
        switch manifest.model?.source {
        case nil: break
        case "."?, "./"?: paths = ["."]
        case let source?: paths.append(source)
        }
        if let golden = manifest.golden?.file {
            guard FileManager.default.fileExists(atPath: directory + "/" + golden) else {
                throw .file("\(directory)/\(golden): the file that golden.file names is not there")
            }
            paths.append(golden)
        }
        return try BundleArchive(directory: directory, paths: paths)
    }

    /// Whether weights are there: a file, or a directory with one; the small files of a model are often committed
    /// while its weights are fetched.
    private static func holdsModel(_ path: String) -> Bool {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return false }
        guard attributes[.type] as? FileAttributeType == .typeDirectory else { return true }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.contains { $0.hasSuffix(".safetensors") || $0.hasSuffix(".onnx") }
    }

    private static func missing(_ source: String, _ manifest: Manifest, directory: String) -> String {
        let what = "\(directory)/\(source): the model that \(directory)/\(Manifest.fileName) names is not there"
        guard let fetch = manifest.fetch else { return what + "; put it there, or correct model.source" }
        let command = fetch.hasPrefix("./") ? String(fetch.dropFirst(2)) : fetch
        return what + "; this command brings it: \(directory)/\(command)"
    }
}
