import Inference
import JSON

/// What sentence-transformers does with a model's token vectors, as modules.json and the files it names say.
struct SentencePipeline {
    /// What comes after the transformer, in order.
    enum Module {
        /// What becomes of a text's vectors, side by side.
        case pooling([Plan.Pooling])
        case dense(DenseModule)
        case normalize
    }

    /// Directory of the transformer's own files.
    private(set) var transformer: String
    private(set) var modules: [Module] = []
    /// The path of modules.json; nil where there is none.
    private let listing: String?

    private static let supported = "supported are Transformer, Pooling, Dense and Normalize, in this order"

    /// Reads modules.json in `directory`; where that file is missing the directory is a bare model.
    init(
        in directory: String,
        of files: ModelFiles,
        archive: borrowing RawSpan
    ) throws(ModelError) {
        transformer = directory
        let path = ModelFiles.path(directory, "modules.json")
        guard let json = try ConfigurationFile.json(path, of: files, in: archive) else {
            listing = nil
            return
        }
        listing = path
        guard let list = json.arrayValue else {
            throw .invalid("\(path) should be a JSON array, it is \(json.kindName)")
        }
        for (index, module) in list.prefix(16).enumerated() {
            guard let type = module["type"]?.stringValue, let place = module["path"]?.stringValue else {
                throw .invalid("\(path): each module should have a type and a path")
            }
            let kind = type.split(separator: ".").last.map(String.init) ?? type
            let folder = place.isEmpty ? directory : ModelFiles.path(directory, place)
            switch kind {
            case "Transformer" where index == 0: transformer = folder
            case "Pooling" where index == 1:
                modules.append(
                    .pooling(try Self.pooling(ModelFiles.path(folder, "config.json"), of: files, in: archive))
                )
            case "Dense" where index > 1:
                modules.append(.dense(try DenseModule(in: folder, of: files, archive: archive)))
            case "Normalize" where index > 1: modules.append(.normalize)
            case "Transformer", "Pooling", "Dense", "Normalize":
                throw .unsupported("\(path): the module \(type) stands at place \(index); \(Self.supported)")
            default:
                throw .unsupported("\(path): the module \(type) is not supported; \(Self.supported)")
            }
        }
        guard !list.isEmpty, list.count <= 16 else {
            throw .unsupported("\(path) lists \(list.count) modules; \(Self.supported)")
        }
    }

    /// What makes one vector of a text's tokens; sentence-transformers takes the mean where nothing says otherwise.
    func vectorModules() throws(ModelError) -> [Module] {
        guard let listing else { return [.pooling([.mean])] }
        guard !modules.isEmpty else {
            throw .unsupported("\(listing) has no Pooling, and task embed needs one; does the model rank or classify?")
        }
        return modules
    }

    /// Refuses a directory that makes vectors, where a head is asked for.
    func requireBare(for task: TextTask) throws(ModelError) {
        guard let listing, !modules.isEmpty else { return }
        throw .unsupported("\(listing) pools the model's vectors, which is task embed, not \(task.rawValue)")
    }

    /// `"pooling_mode": "mean"` or a list of such, or the flags of versions before 5.
    private static func pooling(
        _ path: String,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> [Plan.Pooling] {
        guard let file = try ConfigurationFile(path, of: files, in: archive) else {
            throw .missing("\(path) is missing, and modules.json asks for it")
        }
        // In the order in which the flags' vectors stand side by side.
        let modes: [(name: String, flag: String, pooling: Plan.Pooling?)] = [
            ("cls", "pooling_mode_cls_token", .first),
            ("max", "pooling_mode_max_tokens", .greatest),
            ("mean", "pooling_mode_mean_tokens", .mean),
            ("mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", .rootMean),
            ("weightedmean", "pooling_mode_weightedmean_tokens", nil),
            ("lasttoken", "pooling_mode_lasttoken", .last),
        ]
        var chosen: [String] = []
        if file.has("pooling_mode") {
            chosen = try file.textOrTexts("pooling_mode")
        } else {
            for mode in modes where try file.flag(mode.flag) { chosen.append(mode.name) }
        }
        let pooling = chosen.map { name in modes.first { $0.name == name }?.pooling }
        let known = pooling.compactMap { $0 }
        guard !known.isEmpty, known.count == pooling.count, known.count <= PlanLimits.poolingPartsMax else {
            let supported = modes.compactMap { $0.pooling == nil ? nil : $0.name }.joined(separator: ", ")
            throw .unsupported(
                "\(path): pooling_mode is \(chosen.isEmpty ? "nothing" : chosen.joined(separator: " and ")); supported "
                    + "are \(supported), and several of them"
            )
        }
        return known
    }
}

/// A product behind the pooling: `Dense` of sentence-transformers.
struct DenseModule {
    let inner: Int
    let columns: Int
    let hasBias: Bool
    let activation: Plan.Activation
    let tensors: TensorFiles

    init(in folder: String, of files: ModelFiles, archive: borrowing RawSpan) throws(ModelError) {
        let path = ModelFiles.path(folder, "config.json")
        guard let file = try ConfigurationFile(path, of: files, in: archive) else {
            throw .missing("\(path) is missing, and modules.json asks for it")
        }
        if try file.flag("use_residual") {
            throw .unsupported("\(path): use_residual is true; supported is false")
        }
        for key in ["module_input_name", "module_output_name"] {
            let name = try file.text(key) ?? "sentence_embedding"
            guard name == "sentence_embedding" else {
                throw .unsupported("\(path): \(key) is \(name); supported is sentence_embedding")
            }
        }
        inner = try file.count("in_features", in: 1...ModelLimits.columnsMax)
        columns = try file.count("out_features", in: 1...ModelLimits.columnsMax)
        hasBias = file.has("bias") ? try file.flag("bias") : true
        let name = try file.text("activation_function") ?? "torch.nn.modules.activation.Tanh"
        activation = try Plan.Activation(torchClass: name, "\(path): activation_function")
        tensors = try TensorFiles(in: folder, of: files, archive)
    }
}
