import Inference

/// Reads a model of whatever kind `source` is.
package enum ModelImporter {
    /// Reads `source`, the path in the bundle of a directory in Hugging Face layout or of an `.onnx` file.
    ///
    /// `files` are those of the bundle, as ranges of `archive`; `task` says what is wanted of a directory.
    package static func importModel(
        source: String,
        for task: TextTask = .embed,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> EngineModel {
        if let range = files[source] {
            guard source.hasSuffix(".onnx") else {
                let isPickle = [".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt"].contains { source.hasSuffix($0) }
                throw isPickle
                    ? pickle(source)
                    : .unsupported(
                        "\(source) is no kind of model that Thaw reads; those are .onnx files and directories in "
                            + "Hugging Face layout (config.json, model.safetensors, tokenizer.json)"
                    )
            }
            let graph = try OnnxImporter.importGraph(range, path: source, of: files, in: archive)
            return .graph(try graph.compiled(in: archive))
        }
        guard files.containsDirectory(source) else {
            throw .missing("\(source) is missing from the bundle")
        }
        let model = try BertImporter.importModel(directory: source, for: task, of: files, in: archive)
        do throws(PlanError) {
            try model.plan.validate()
        } catch {
            throw .unsupported("\(source): \(error)")
        }
        return .plan(model)
    }

    /// A pickle is a program; running it is how models steal credentials.
    static func pickle(_ path: String) -> ModelError {
        .unsupported(
            "\(path) is a Python pickle, which can run code when it is opened, and is refused; export the model to "
                + "ONNX (torch.onnx.export) or save it as safetensors (save_pretrained(…, safe_serialization=True))"
        )
    }
}
