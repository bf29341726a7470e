import Inference
import JSON

/// What a classifier does with the vectors of an encoder, as its config.json and tensors say: with that of the first
/// token where it classifies texts or ranks pairs, with each where it tags tokens.
struct ClassifierHead {
    /// How scores become what a caller reads.
    enum Scores: Equatable {
        /// One class of several.
        case softmax
        /// Each for itself.
        case activation(Plan.Activation)
    }

    /// The product before the last, without `.weight` and `.bias`, which keeps its columns; nil for tokens.
    let dense: (name: String, activation: Plan.Activation)?
    let output: String
    let columns: Int
    let scores: Scores
    /// In the order of the scores; nil where config.json names none of its own.
    let labels: [String]?

    init(
        _ file: ConfigurationFile,
        _ configuration: BertConfiguration,
        _ tensors: TensorFiles,
        _ task: TextTask,
        _ ranking: RankingActivation
    ) throws(ModelError) {
        guard let suffix = task.architecture,
            try file.texts("architectures").contains(where: { $0.hasSuffix(suffix) })
        else {
            let found = try file.texts("architectures").joined(separator: ", ")
            throw .unsupported(
                "\(file.path) describes no \(task.noun): architectures is \(found.isEmpty ? "missing" : found), task "
                    + "\(task.rawValue) needs …\(task.architecture ?? "Model")"
            )
        }
        let output: String
        switch (task, configuration.family) {
        case (.tag, _): (dense, output) = (nil, "classifier")
        case (_, .bert): (dense, output) = (("bert.pooler.dense", .tanh), "classifier")
        case (_, .roberta), (_, .mpnet): (dense, output) = (("classifier.dense", .tanh), "classifier.out_proj")
        case (_, .distilbert): (dense, output) = (("pre_classifier", .relu), "classifier")
        }
        self.output = output
        guard let shape = tensors.shape(of: "\(output).weight"), shape.count == 2,
            (1...ModelLimits.columnsMax).contains(shape[0])
        else {
            throw .invalid("\(tensors.path) lacks \(output).weight, the classifier that \(file.path) asks for")
        }
        columns = shape[0]
        switch task {
        case .rank:
            guard columns == 1 else {
                throw .unsupported(
                    "\(file.path): the model gives \(columns) scores of a pair, and task rank takes one; use task "
                        + "classify, which takes pairs too"
                )
            }
            scores = .activation(ranking.activation)
            labels = nil
        case .tag:
            scores = .softmax
            labels = try Self.labels(file, count: columns)
        case .classify, .embed:
            let problem = try file.text("problem_type")
            scores =
                problem == "regression"
                ? .activation(.none)
                : problem == "multi_label_classification" || columns == 1 ? .activation(.sigmoid) : .softmax
            labels = try Self.labels(file, count: columns)
        }
    }

    /// Of `"id2label": {"0": "NEGATIVE", "1": "POSITIVE"}`.
    private static func labels(_ file: ConfigurationFile, count: Int) throws(ModelError) -> [String]? {
        guard let members = try file.members("id2label") else { return nil }
        guard members.count == count else {
            throw .invalid("\(file.path): id2label names \(members.count) classes, and the classifier has \(count)")
        }
        var labels = [String?](repeating: nil, count: count)
        for member in members {
            guard let id = Int(member.key), labels.indices.contains(id), let label = member.value.stringValue else {
                throw .invalid("\(file.path): id2label should map 0 to \(count - 1) to names")
            }
            labels[id] = label
        }
        let found = labels.compactMap { $0 }
        guard found.count == count else {
            throw .invalid("\(file.path): id2label should map 0 to \(count - 1) to names")
        }
        return found
    }
}
