/// What config.json says of an encoder, checked against what the kernels do.
struct BertConfiguration: Equatable {
    var family: EncoderFamily
    var layers: Int
    var heads: Int
    /// Columns of a token; heads · width of a head.
    var hidden: Int
    /// Columns between the two products of a layer.
    var intermediate: Int
    var vocabulary: Int
    /// Positions that a text may take.
    var positions: Int
    /// Rows of the table of positions that stand before the first position's.
    var positionOffset: Int
    /// 0 where the model has no types.
    var types: Int
    var epsilon: Float

    init(_ file: ConfigurationFile) throws(ModelError) {
        let kind = try file.text("model_type") ?? "nothing"
        guard let family = EncoderFamily(modelType: kind) else {
            throw .unsupported("\(file.path): model_type is \(kind); supported is \(EncoderFamily.supported)")
        }
        self.family = family
        let isDistilled = family == .distilbert
        let activation = try file.text(isDistilled ? "activation" : "hidden_act") ?? "gelu"
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
        layers = try file.count(isDistilled ? "n_layers" : "num_hidden_layers", in: 1...ModelLimits.layersMax)
        heads = try file.count(isDistilled ? "n_heads" : "num_attention_heads", in: 1...ModelLimits.columnsMax)
        hidden = try file.count(isDistilled ? "dim" : "hidden_size", in: 1...ModelLimits.columnsMax)
        intermediate = try file.count(isDistilled ? "hidden_dim" : "intermediate_size", in: 1...ModelLimits.columnsMax)
        vocabulary = try file.count("vocab_size", in: 1...ModelLimits.vocabularyMax)
        let rows = try file.count("max_position_embeddings", in: 1...ModelLimits.tokensMax)
        positionOffset =
            family.countsBehindPadding
            ? (try file.optionalCount("pad_token_id", in: 0...ModelLimits.tokensMax) ?? 1) + 1 : 0
        guard positionOffset < rows else {
            throw .invalid("\(file.path): max_position_embeddings \(rows) leaves no position behind pad_token_id")
        }
        positions = rows - positionOffset
        types = family.hasTypes ? try file.optionalCount("type_vocab_size", in: 1...ModelLimits.columnsMax) ?? 2 : 0
        if family == .mpnet, let buckets = try file.number("relative_attention_num_buckets"), buckets != 32 {
            throw .unsupported("\(file.path): relative_attention_num_buckets is \(buckets); supported is 32")
        }
        epsilon = Float(try file.number("layer_norm_eps") ?? 1e-12)
        guard hidden % heads == 0 else {
            throw .invalid("\(file.path): hidden_size \(hidden) is not a multiple of num_attention_heads \(heads)")
        }
        guard epsilon.isFinite, epsilon >= 0 else {
            throw .invalid("\(file.path): layer_norm_eps should be a small positive number")
        }
    }
}
