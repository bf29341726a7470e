/// What config.json says of a BERT encoder, checked against what the kernels do.
struct BertConfiguration: Equatable {
    var layers: Int
    var heads: Int
    /// Columns of a token; heads · width of a head.
    var hidden: Int
    /// Columns between the two products of a layer.
    var intermediate: Int
    var vocabulary: Int
    var positions: Int
    var types: Int
    var epsilon: Float

    init(_ file: ConfigurationFile) throws(ModelError) {
        let kind = try file.text("model_type") ?? "nothing"
        guard kind == "bert" else {
            throw .unsupported("\(file.path): model_type is \(kind); supported is bert")
        }
        let activation = try file.text("hidden_act") ?? "gelu"
        guard activation == "gelu" else {
            throw .unsupported("\(file.path): hidden_act is \(activation); supported is gelu (the exact one)")
        }
        let embedding = try file.text("position_embedding_type") ?? "absolute"
        guard embedding == "absolute" else {
            throw .unsupported("\(file.path): position_embedding_type is \(embedding); supported is absolute")
        }
        for key in ["is_decoder", "add_cross_attention"] where try file.flag(key) {
            throw .unsupported("\(file.path): \(key) is true; only encoders are supported")
        }
        layers = try file.count("num_hidden_layers", in: 1...ModelLimits.layersMax)
        heads = try file.count("num_attention_heads", in: 1...ModelLimits.columnsMax)
        hidden = try file.count("hidden_size", in: 1...ModelLimits.columnsMax)
        intermediate = try file.count("intermediate_size", in: 1...ModelLimits.columnsMax)
        vocabulary = try file.count("vocab_size", in: 1...ModelLimits.vocabularyMax)
        positions = try file.count("max_position_embeddings", in: 1...ModelLimits.tokensMax)
        types = try file.optionalCount("type_vocab_size", in: 1...ModelLimits.columnsMax) ?? 2
        epsilon = Float(try file.number("layer_norm_eps") ?? 1e-12)
        guard hidden % heads == 0 else {
            throw .invalid("\(file.path): hidden_size \(hidden) is not a multiple of num_attention_heads \(heads)")
        }
        guard epsilon.isFinite, epsilon >= 0 else {
            throw .invalid("\(file.path): layer_norm_eps should be a small positive number")
        }
    }
}
