import Inference
import Tokenizing

/// Turns a directory in Hugging Face layout into a plan: token ids in, and for each text a vector out, as
/// sentence-transformers makes it, or scores of the text, the pair or each token.
struct BertImporter {
    let configuration: BertConfiguration
    let tensors: TensorFiles
    /// `bert.` where the file holds more than the encoder, as a model with a head does.
    let prefix: String
    private var builder = PlanBuilder()

    /// Reads the directory, which is in Hugging Face layout.
    static func importModel(
        directory: String,
        for task: TextTask = .embed,
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
        var model: ImportedModel
        if task == .embed {
            model = try importer.run(try pipeline.vectorModules(), in: archive)
        } else {
            try pipeline.requireBare(for: task)
            let ranking = try RankingActivation(file, in: directory, of: files, archive: archive)
            let head = try ClassifierHead(file, configuration, tensors, task, ranking)
            model = try importer.run(head, in: archive)
            model.labels = head.labels
        }
        model.task = task
        model.tokensMax = try tokensMax(pipeline, configuration, of: files, in: archive)
        let path = ModelFiles.path(pipeline.transformer, "tokenizer.json")
        model.tokenizer = try tokenizer(path, configuration, model, of: files, in: archive)
        return model
    }

    private init(_ configuration: BertConfiguration, _ tensors: TensorFiles) {
        self.configuration = configuration
        self.tensors = tensors
        let prefix = configuration.family.prefix
        let isPrefixed = tensors.shape(of: "\(prefix)embeddings.word_embeddings.weight") != nil
        self.prefix = isPrefixed ? prefix : ""
    }

    /// The most tokens of a text: what sentence-transformers or the tokenizer was told, within what the model has
    /// positions for.
    private static func tokensMax(
        _ pipeline: SentencePipeline,
        _ configuration: BertConfiguration,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Int {
        let path = ModelFiles.path(pipeline.transformer, "sentence_bert_config.json")
        if let file = try ConfigurationFile(path, of: files, in: archive) {
            if try file.flag("do_lower_case") {
                throw .unsupported("\(path): do_lower_case is true; let the tokenizer lower-case instead")
            }
            if let told = try file.optionalCount("max_seq_length", in: 1...ModelLimits.tokensMax) {
                return min(told, configuration.positions)
            }
        }
        let tokenizerPath = ModelFiles.path(pipeline.transformer, "tokenizer_config.json")
        guard let file = try ConfigurationFile(tokenizerPath, of: files, in: archive),
            let told = try file.number("model_max_length"), told >= 1
        else { return configuration.positions }
        // Where nobody chose, it is 10³⁰.
        return Int(min(told, Double(configuration.positions)))
    }

    /// The compiled tokenizer, whose ids all have a row in the model's table.
    private static func tokenizer(
        _ path: String,
        _ configuration: BertConfiguration,
        _ model: ImportedModel,
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
        let isPair = model.task == .rank
        let special = isPair ? tokenizer.pairSpecialTokensCount : tokenizer.specialTokensCount
        guard special <= model.tokensMax else {
            throw .invalid(
                "\(path) puts \(special) special tokens around a \(isPair ? "pair" : "text"), and the model takes "
                    + "\(model.tokensMax) tokens in all"
            )
        }
        guard !isPair || !configuration.family.tellsTypes || tokenizer.typesCount <= configuration.types else {
            throw .invalid(
                "\(path) gives a pair \(tokenizer.typesCount) types, and the model's type_vocab_size is "
                    + "\(configuration.types)"
            )
        }
        return tokenizer.compiled()
    }

    private mutating func tokens(_ archive: borrowing RawSpan) throws(ModelError) -> Plan.ValueIndex {
        var tokens = try embed()
        let places =
            configuration.family == .mpnet
            ? try RelativePlaces.weight(configuration, tensors, prefix, in: archive, to: &builder) : nil
        for layer in 0..<configuration.layers {
            tokens = try encode(tokens, configuration.family.layer(layer), places)
        }
        return tokens
    }

    private mutating func run(
        _ head: ClassifierHead,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> ImportedModel {
        let hidden = configuration.hidden
        var value = try tokens(archive)
        if let dense = head.dense {
            let first = builder.value(.sequences, columns: hidden)
            builder.steps.append(.pool(input: value, [.first], out: first))
            value = try product(first, hidden, hidden, dense.activation, dense.name)
        }
        switch head.scores {
        case .activation(let activation):
            value = try product(value, hidden, head.columns, activation, head.output)
        case .softmax:
            let logits = try product(value, hidden, head.columns, .none, head.output)
            value = builder.value(builder.rows(of: logits), columns: head.columns)
            builder.steps.append(.softmax(input: logits, out: value))
        }
        return builder.finish(output: value)
    }

    private mutating func run(
        _ modules: [SentencePipeline.Module],
        in archive: borrowing RawSpan
    ) throws(ModelError) -> ImportedModel {
        var value = try tokens(archive)
        for (index, module) in modules.enumerated() {
            let (input, columns) = (value, builder.columns(of: value))
            switch module {
            case .pooling(let parts):
                value = builder.value(.sequences, columns: columns * parts.count)
                builder.steps.append(.pool(input: input, parts, out: value))
            case .normalize:
                value = builder.value(.sequences, columns: columns)
                builder.steps.append(.normalize(input: input, out: value))
            case .dense(let dense):
                guard dense.inner == columns else {
                    throw .invalid(
                        "\(dense.tensors.path): the product takes \(dense.inner) numbers, and gets \(columns)"
                    )
                }
                let weight = try dense.tensors.tensor("linear.weight", shape: [dense.columns, columns])
                let bias = dense.hasBias ? try dense.tensors.tensor("linear.bias", shape: [dense.columns]) : nil
                value = product(input, "\(index + 1).linear", weight, bias, dense.activation)
            }
        }
        return builder.finish(output: value)
    }

    /// Words + positions + types, then a norm: [T, hidden].
    private mutating func embed() throws(ModelError) -> Plan.ValueIndex {
        let hidden = configuration.hidden
        let name = "\(prefix)embeddings."
        let words = try plain("\(name)word_embeddings.weight", [configuration.vocabulary, hidden])
        let positions = try positionTable("\(name)position_embeddings.weight")
        let typesName = "\(name)token_type_embeddings.weight"
        // Where the tokenizer tells no types, all tokens are of the first.
        let types =
            configuration.types > 0
            ? try table(
                typesName,
                rows: 0..<(configuration.family.tellsTypes ? configuration.types : 1),
                of: configuration.types
            )
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
        let offset = configuration.positionOffset
        let end = offset + configuration.positions
        return try table(name, rows: offset..<end, of: end)
    }

    /// Some rows of a table.
    private mutating func table(_ name: String, rows: Range<Int>, of count: Int) throws(ModelError) -> Plan.WeightIndex
    {
        let hidden = configuration.hidden
        var tensor = try tensors.tensor(name, shape: [count, hidden])
        let rowByteCount = hidden * tensor.element.byteCount
        let start = tensor.range.lowerBound + rows.lowerBound * rowByteCount
        tensor.range = start..<start + rows.count * rowByteCount
        tensor.shape = [rows.count, hidden]
        return builder.weight(name, shape: tensor.shape, from: WeightSource(.stored([tensor])))
    }

    /// One encoder layer: attention and two products, each with its residual and norm.
    private mutating func encode(
        _ input: Plan.ValueIndex,
        _ names: LayerNames,
        _ places: Plan.WeightIndex?
    ) throws(ModelError) -> Plan.ValueIndex {
        let hidden = configuration.hidden
        let fused = try fusedProduct(input, names.attention)
        let attended = builder.value(.tokens, columns: hidden)
        builder.steps.append(.attention(fused: fused, heads: configuration.heads, places: places, out: attended))
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
        let weight = try tensors.tensor("\(name).weight", shape: [columns, inner])
        return product(input, name, weight, try tensors.tensor("\(name).bias", shape: [columns]), activation)
    }

    /// - Parameter weight: [columns, inner], as a torch Linear keeps it.
    private mutating func product(
        _ input: Plan.ValueIndex,
        _ name: String,
        _ weight: StoredTensor,
        _ bias: StoredTensor?,
        _ activation: Plan.Activation
    ) -> Plan.ValueIndex {
        let columns = weight.shape[0]
        let panels = builder.product(
            "\(name).weight",
            inner: weight.shape[1],
            columns: columns,
            isColumnMajor: true,
            from: .stored([weight])
        )
        let bias = bias.map { bias in
            builder.weight("\(name).bias", shape: [columns], from: WeightSource(.stored([bias])))
        }
        let out = builder.value(builder.rows(of: input), columns: columns)
        builder.steps.append(.linear(input: input, weight: panels, bias: bias, activation: activation, out: out))
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
