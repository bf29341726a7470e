import Inference
import JSON

/// What a sequence classifier does with the vector of the first token, as its config.json and tensors say.
struct ClassifierHead {
    /// How scores become what a caller reads: as the pipelines of `transformers` do it.
    enum Scores: Equatable {
        /// One class of several.
        case softmax
        /// Each class for itself.
        case sigmoid
        /// A number that is no probability.
        case plain
    }

    /// Without `.weight` and `.bias`; the first product keeps its columns.
    let dense: String
    let activation: Plan.Activation
    let output: String
    let columns: Int
    let scores: Scores
    /// In the order of the scores; nil where config.json names none of its own.
    let labels: [String]?

    /// Whether config.json is that of a sequence classifier.
    static func isDescribed(by file: ConfigurationFile) throws(ModelError) -> Bool {
        try file.texts("architectures").contains { $0.hasSuffix("ForSequenceClassification") }
    }

    init(
        _ file: ConfigurationFile,
        _ configuration: BertConfiguration,
        _ tensors: TensorFiles
    ) throws(ModelError) {
        guard try Self.isDescribed(by: file) else {
            throw .unsupported(
                "\(file.path) describes no classifier (architectures has no …ForSequenceClassification); use task embed"
            )
        }
        switch configuration.family {
        case .bert: (dense, activation, output) = ("bert.pooler.dense", .tanh, "classifier")
        case .roberta: (dense, activation, output) = ("classifier.dense", .tanh, "classifier.out_proj")
        case .distilbert: (dense, activation, output) = ("pre_classifier", .relu, "classifier")
        }
        guard let shape = tensors.shape(of: "\(output).weight"), shape.count == 2,
            (1...ModelLimits.columnsMax).contains(shape[0])
        else {
            throw .invalid("\(tensors.path) lacks \(output).weight, the classifier that \(file.path) asks for")
        }
        columns = shape[0]
        let problem = try file.text("problem_type")
        scores =
            problem == "regression"
            ? .plain : problem == "multi_label_classification" || columns == 1 ? .sigmoid : .softmax
        labels = try Self.labels(file, count: columns)
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
