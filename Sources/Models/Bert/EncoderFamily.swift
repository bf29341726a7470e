/// Encoders that compute alike and name their tensors each in its own way.
enum EncoderFamily: Equatable {
    case bert
    /// RoBERTa, XLM-R and CamemBERT: positions are counted from behind the padding id.
    case roberta
    /// Without types, and with layers under other names.
    case distilbert
    /// Positions as in RoBERTa, no types, and in all layers one table of what the places of two tokens add to a score.
    case mpnet

    /// nil for what is no encoder of these.
    init?(modelType: String) {
        switch modelType {
        case "bert": self = .bert
        case "roberta", "xlm-roberta", "camembert": self = .roberta
        case "distilbert": self = .distilbert
        case "mpnet": self = .mpnet
        default: return nil
        }
    }

    /// For sentences.
    static let supported = "bert, roberta, xlm-roberta, camembert, distilbert or mpnet"

    /// What stands before the encoder's tensors where the file holds a head, too.
    var prefix: String {
        switch self {
        case .bert: "bert."
        case .roberta: "roberta."
        case .distilbert: "distilbert."
        case .mpnet: "mpnet."
        }
    }

    /// Whether positions are counted from behind the padding id.
    var countsBehindPadding: Bool { self == .roberta || self == .mpnet }
    /// Whether the model has a table of types.
    var hasTypes: Bool { self == .bert || self == .roberta }
    /// Whether its tokenizer tells the second text of a pair by a type.
    var tellsTypes: Bool { self == .bert }

    func layer(_ number: Int) -> LayerNames {
        switch self {
        case .bert, .roberta:
            let layer = "encoder.layer.\(number)."
            return LayerNames(
                attention: ["query", "key", "value"].map { "\(layer)attention.self.\($0)" },
                projection: "\(layer)attention.output.dense",
                attentionNorm: "\(layer)attention.output.LayerNorm",
                widening: "\(layer)intermediate.dense",
                narrowing: "\(layer)output.dense",
                outputNorm: "\(layer)output.LayerNorm"
            )
        case .distilbert:
            let layer = "transformer.layer.\(number)."
            return LayerNames(
                attention: ["q_lin", "k_lin", "v_lin"].map { "\(layer)attention.\($0)" },
                projection: "\(layer)attention.out_lin",
                attentionNorm: "\(layer)sa_layer_norm",
                widening: "\(layer)ffn.lin1",
                narrowing: "\(layer)ffn.lin2",
                outputNorm: "\(layer)output_layer_norm"
            )
        case .mpnet:
            let layer = "encoder.layer.\(number)."
            return LayerNames(
                attention: ["q", "k", "v"].map { "\(layer)attention.attn.\($0)" },
                projection: "\(layer)attention.attn.o",
                attentionNorm: "\(layer)attention.LayerNorm",
                widening: "\(layer)intermediate.dense",
                narrowing: "\(layer)output.dense",
                outputNorm: "\(layer)output.LayerNorm"
            )
        }
    }
}

/// Tensors of one layer, each without its `.weight` or `.bias`.
struct LayerNames {
    /// Query, key and value.
    var attention: [String]
    var projection: String
    var attentionNorm: String
    var widening: String
    var narrowing: String
    var outputNorm: String
}
