/// What is wanted of a model of texts.
package enum TextTask: String, Sendable {
    /// A vector of each text.
    case embed
    /// Scores of classes, of each text or pair.
    case classify
    /// One score of each pair.
    case rank
    /// Scores of labels, of each token.
    case tag

    /// How the architecture ends that config.json must name; nil where any will do.
    var architecture: String? {
        switch self {
        case .embed: nil
        case .classify, .rank: "ForSequenceClassification"
        case .tag: "ForTokenClassification"
        }
    }

    /// For sentences.
    var noun: String {
        switch self {
        case .embed: "encoder"
        case .classify: "classifier"
        case .rank: "ranker"
        case .tag: "classifier of tokens"
        }
    }
}
