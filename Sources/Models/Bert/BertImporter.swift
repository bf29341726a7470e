import Inference
import Tokenizing

/// Turns a directory in Hugging Face layout into a plan: token ids in, and for each text a vector out, as
/// sentence-transformers makes it, or the scores of classes.
struct BertImporter {
    let configuration: BertConfiguration
    let tensors: TensorFiles
    /// `bert.` where the file holds more than the encoder, as a model with a head does.
    let prefix: String
    private var builder = PlanBuilder()

    /// Reads the directory, which is in Hugging Face layout.
    ///
    /// - Parameter asClassifier: whether the model's classes are wanted, and not vectors of texts.
    static func importModel(
        directory: String,
        asClassifier: Bool = false,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> ImportedModel {
        let pipeline = try SentencePipeline(in: directory, of: files, archive: archive)
        let configurationPath = ModelFiles.path(pipeline.transformer, "config.json")
        guard let file = try ConfigurationFile(configurationPath, of: files, in: archive) else {
            throw .missing("\(configurationPath) is missing; a directory in Hugging Face layout has one")
        }
        let configuration = try BertConfiguration(file)
        let tensors = try TensorFiles(in: pipeline.transformer, of: files, archive)
        var importer = BertImporter(configuration, tensors)
        var model =
            asClassifier
            ? try importer.run(try ClassifierHead(file, configuration, tensors)) : try importer.run(pipeline)
        model.tokensMax = try tokensMax(pipeline, configuration, of: files, in: archive)
        let path = ModelFiles.path(pipeline.transformer, "tokenizer.json")
        model.tokenizer = try tokenizer(path, configuration, tokensMax: model.tokensMax, of: files, in: archive)
        return model
    }

    private init(_ configuration: BertConfiguration, _ tensors: TensorFiles) {
        self.configuration = configuration
        self.tensors = tensors
        let prefix = configuration.family.prefix
        let isPrefixed = tensors.shape(of: "\(prefix)embeddings.word_embeddings.weight") != nil
        self.prefix = isPrefixed ? prefix : ""
    }

    /// The most tokens of a text: what sentence-transformers was told, within what the model has positions for.
    private static func tokensMax(
        _ pipeline: SentencePipeline,
        _ configuration: BertConfiguration,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Int {
        let path = ModelFiles.path(pipeline.transformer, "sentence_bert_config.json")
        guard let file = try ConfigurationFile(path, of: files, in: archive) else { return configuration.positions }
        if try file.flag("do_lower_case") {
            throw .unsupported("\(path): do_lower_case is true; let the tokenizer lower-case instead")
        }
        let told = try file.optionalCount("max_seq_length", in: 1...ModelLimits.tokensMax)
        return min(told ?? configuration.positions, configuration.positions)
    }

    /// The compiled tokenizer, whose ids all have a row in the model's table.
    private static func tokenizer(
        _ path: String,
        _ configuration: BertConfiguration,
        tokensMax: Int,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> [UInt8] {
        guard let bytes = try files.document(path, in: archive, byteCountMax: ModelLimits.tokenizerBytesMax) else {
            throw .missing(
                "\(path) is missing; save the tokenizer in its fast form, which writes it "
                    + "(AutoTokenizer.from_pretrained(…).save_pretrained(…))"
            )
        }
        let tokenizer: Tokenizer
        do throws(TokenizerError) {
            tokenizer = try Tokenizer(tokenizerJSON: bytes)
        } catch {
            throw .unsupported("\(path): \(error)")
        }
        guard tokenizer.vocabularyCount <= configuration.vocabulary else {
            throw .invalid(
                "\(path) has ids up to \(tokenizer.vocabularyCount - 1), and the model knows "
                    + "\(configuration.vocabulary) tokens"
            )
        }
        guard tokenizer.specialTokensCount <= tokensMax else {
            throw .invalid(
                "\(path) puts \(tokenizer.specialTokensCount) special tokens around a text, and the model takes "
                    + "\(tokensMax) tokens in all"
            )
        }
        return tokenizer.compiled()
    }

    private mutating func tokens() throws(ModelError) -> Plan.ValueIndex {
        var tokens = try embed()
        for layer in 0..<configuration.layers {
            tokens = try encode(tokens, configuration.family.layer(layer))
        }
        return tokens
    }

    private mutating func run(_ head: ClassifierHead) throws(ModelError) -> ImportedModel {
        let hidden = configuration.hidden
        let first = builder.value(.sequences, columns: hidden)
        builder.steps.append(.firstPool(input: try tokens(), out: first))
        let dense = try product(first, hidden, hidden, head.activation, head.dense)
        let logits = try product(dense, hidden, head.columns, .none, head.output)
        var output = logits
        if head.scores != .plain {
            output = builder.value(.sequences, columns: head.columns)
            builder.steps.append(
                head.scores == .softmax
                    ? .softmax(input: logits, out: output) : .activate(input: logits, .sigmoid, out: output)
            )
        }
        var model = builder.finish(input: nil, output: output, inputName: "input_ids", outputName: "scores")
        model.isClassifier = true
        model.labels = head.labels
        return model
    }

    private mutating func run(_ pipeline: SentencePipeline) throws(ModelError) -> ImportedModel {
        let tokens = try tokens()
        var output = builder.value(.sequences, columns: configuration.hidden)
        switch pipeline.pooling {
        case .mean: builder.steps.append(.meanPool(input: tokens, out: output))
        case .first: builder.steps.append(.firstPool(input: tokens, out: output))
        }
        if pipeline.isNormalized {
            let normalized = builder.value(.sequences, columns: configuration.hidden)
            builder.steps.append(.normalize(input: output, out: normalized))
            output = normalized
        }
        return builder.finish(
            input: nil,
            output: output,
            inputName: "input_ids",
            outputName: "sentence_embedding"
        )
    }

    /// Words + positions + types, then a norm: [T, hidden].
    private mutating func embed() throws(ModelError) -> Plan.ValueIndex {
        let hidden = configuration.hidden
        let name = "\(prefix)embeddings."
        let words = try plain("\(name)word_embeddings.weight", [configuration.vocabulary, hidden])
        let positions = try positionTable("\(name)position_embeddings.weight")
        let typesName = "\(name)token_type_embeddings.weight"
        let types =
            configuration.types > 0
            ? try plain(typesName, [configuration.types, hidden])
            : builder.weight(
                typesName,
                shape: [1, hidden],
                from: WeightSource(.computed([Float](repeating: 0, count: hidden)))
            )
        let sum = builder.value(.tokens, columns: hidden)
        builder.steps.append(.embed(words: words, positions: positions, types: types, out: sum))
        return try norm(sum, residual: nil, "\(name)LayerNorm")
    }

    /// The rows of the table that texts can reach.
    private mutating func positionTable(_ name: String) throws(ModelError) -> Plan.WeightIndex {
        let hidden = configuration.hidden
        let offset = configuration.positionOffset
        var tensor = try tensors.tensor(name, shape: [configuration.positions + offset, hidden])
        let start = tensor.range.lowerBound + offset * hidden * tensor.element.byteCount
        tensor.range = start..<tensor.range.upperBound
        tensor.shape = [configuration.positions, hidden]
        return builder.weight(name, shape: tensor.shape, from: WeightSource(.stored([tensor])))
    }

    /// One encoder layer: attention and two products, each with its residual and norm.
    private mutating func encode(_ input: Plan.ValueIndex, _ names: LayerNames) throws(ModelError) -> Plan.ValueIndex {
        let hidden = configuration.hidden
        let fused = try fusedProduct(input, names.attention)
        let attended = builder.value(.tokens, columns: hidden)
        builder.steps.append(.attention(fused: fused, heads: configuration.heads, out: attended))
        let projected = try product(attended, hidden, hidden, .none, prefix + names.projection)
        let middle = try norm(projected, residual: input, prefix + names.attentionNorm)
        let wide = try product(middle, hidden, configuration.intermediate, .gelu, prefix + names.widening)
        let narrow = try product(wide, configuration.intermediate, hidden, .none, prefix + names.narrowing)
        return try norm(narrow, residual: middle, prefix + names.outputNorm)
    }

    /// One product instead of three: query, key and value side by side, [T, 3 · hidden].
    private mutating func fusedProduct(
        _ input: Plan.ValueIndex,
        _ names: [String]
    ) throws(ModelError) -> Plan.ValueIndex {
        let hidden = configuration.hidden
        var weights: [StoredTensor] = []
        var biases: [StoredTensor] = []
        for name in names {
            weights.append(try tensors.tensor("\(prefix)\(name).weight", shape: [hidden, hidden]))
            biases.append(try tensors.tensor("\(prefix)\(name).bias", shape: [hidden]))
        }
        let name = prefix + (names.first ?? "") + "+kv"
        // A torch Linear keeps a row for each column of its output: the three follow each other.
        let weight = builder.product(
            "\(name).weight",
            inner: hidden,
            columns: 3 * hidden,
            isColumnMajor: true,
            from: .stored(weights)
        )
        let bias = builder.weight("\(name).bias", shape: [3 * hidden], from: WeightSource(.stored(biases)))
        let out = builder.value(.tokens, columns: 3 * hidden)
        builder.steps.append(.linear(input: input, weight: weight, bias: bias, activation: .none, out: out))
        return out
    }

    private mutating func product(
        _ input: Plan.ValueIndex,
        _ inner: Int,
        _ columns: Int,
        _ activation: Plan.Activation,
        _ name: String
    ) throws(ModelError) -> Plan.ValueIndex {
        let stored = try tensors.tensor("\(name).weight", shape: [columns, inner])
        let weight = builder.product(
            "\(name).weight",
            inner: inner,
            columns: columns,
            isColumnMajor: true,
            from: .stored([stored])
        )
        let bias = try plain("\(name).bias", [columns])
        let out = builder.value(builder.rows(of: input), columns: columns)
        builder.steps.append(.linear(input: input, weight: weight, bias: bias, activation: activation, out: out))
        return out
    }

    private mutating func norm(
        _ input: Plan.ValueIndex,
        residual: Plan.ValueIndex?,
        _ name: String
    ) throws(ModelError) -> Plan.ValueIndex {
        let hidden = configuration.hidden
        let scale = try plain("\(name).weight", [hidden])
        let shift = try plain("\(name).bias", [hidden])
        let out = builder.value(.tokens, columns: hidden)
        builder.steps.append(
            .layerNorm(
                input: input,
                residual: residual,
                scale: scale,
                shift: shift,
                epsilon: configuration.epsilon,
                out: out
            )
        )
        return out
    }

    private mutating func plain(_ name: String, _ shape: [Int]) throws(ModelError) -> Plan.WeightIndex {
        let tensor = try tensors.tensor(name, shape: shape)
        return builder.weight(name, shape: shape, from: WeightSource(.stored([tensor])))
    }
}
