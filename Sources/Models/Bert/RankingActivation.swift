import Inference
import JSON

/// What becomes of the one number that a cross-encoder gives, as sentence-transformers reads it from the directory.
struct RankingActivation {
    let activation: Plan.Activation

    /// Newest place first: config_sentence_transformers.json, then `sentence_transformers` in config.json, then the key of
    /// versions before 4.
    ///
    /// Where none says anything, one label means a sigmoid.
    init(
        _ file: ConfigurationFile,
        in directory: String,
        of files: ModelFiles,
        archive: borrowing RawSpan
    ) throws(ModelError) {
        let path = ModelFiles.path(directory, "config_sentence_transformers.json")
        if let own = try ConfigurationFile(path, of: files, in: archive), let name = try own.text("activation_fn") {
            activation = try Plan.Activation(torchClass: name, "\(path): activation_fn")
            return
        }
        if let name = try file.members("sentence_transformers")?.first(where: { $0.key == "activation_fn" })?.value
            .stringValue
        {
            activation = try Plan.Activation(torchClass: name, "\(file.path): sentence_transformers.activation_fn")
            return
        }
        let old = "sbert_ce_default_activation_function"
        if let name = try file.text(old) {
            activation = try Plan.Activation(torchClass: name, "\(file.path): \(old)")
            return
        }
        activation = .sigmoid
    }
}
