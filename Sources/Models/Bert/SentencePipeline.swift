import JSON

/// What sentence-transformers does with a model's token vectors, as modules.json and the files it names say.
struct SentencePipeline: Equatable {
    enum Pooling: Equatable {
        /// The mean of all tokens of the text.
        case mean
        /// The vector of the first token.
        case first
    }

    /// Directory of the transformer's own files.
    var transformer: String
    var pooling: Pooling
    var isNormalized: Bool

    /// Reads modules.json in `directory`; where that file is missing the directory is a bare model, and
    /// sentence-transformers takes the mean of its tokens.
    init(
        in directory: String,
        of files: ModelFiles,
        archive: borrowing RawSpan
    ) throws(ModelError) {
        transformer = directory
        pooling = .mean
        isNormalized = false
        let path = ModelFiles.path(directory, "modules.json")
        guard let json = try ConfigurationFile.json(path, of: files, in: archive) else { return }
        guard let modules = json.arrayValue else {
            throw .invalid("\(path) should be a JSON array, it is \(json.kindName)")
        }
        var kinds: [String] = []
        for module in modules.prefix(16) {
            guard let type = module["type"]?.stringValue, let place = module["path"]?.stringValue else {
                throw .invalid("\(path): each module should have a type and a path")
            }
            let kind = type.split(separator: ".").last.map(String.init) ?? type
            let moduleDirectory = place.isEmpty ? directory : ModelFiles.path(directory, place)
            switch kind {
            case "Transformer":
                transformer = moduleDirectory
            case "Pooling":
                pooling = try Self.pooling(ModelFiles.path(moduleDirectory, "config.json"), of: files, in: archive)
            case "Normalize":
                isNormalized = true
            default:
                throw .unsupported(
                    "\(path): the module \(type) is not supported; supported are Transformer, Pooling and Normalize"
                )
            }
            kinds.append(kind)
        }
        guard kinds == ["Transformer", "Pooling"] || kinds == ["Transformer", "Pooling", "Normalize"] else {
            throw .unsupported(
                "\(path) lists \(kinds.joined(separator: ", ")); supported is Transformer, Pooling and perhaps Normalize"
            )
        }
    }

    private static func pooling(
        _ path: String,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Pooling {
        guard let file = try ConfigurationFile(path, of: files, in: archive) else {
            throw .missing("\(path) is missing, and modules.json asks for it")
        }
        let modes = [
            "pooling_mode_mean_tokens", "pooling_mode_cls_token", "pooling_mode_max_tokens",
            "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken",
        ]
        var chosen: [String] = []
        for mode in modes where try file.flag(mode) {
            chosen.append(mode)
        }
        switch chosen {
        case ["pooling_mode_mean_tokens"]: return .mean
        case ["pooling_mode_cls_token"]: return .first
        default:
            throw .unsupported(
                "\(path) pools by \(chosen.isEmpty ? "nothing" : chosen.joined(separator: " and ")); supported is "
                    + "either pooling_mode_mean_tokens or pooling_mode_cls_token"
            )
        }
    }
}
