import Foundation

/// A BERT encoder of toy size with made-up weights: as files, and worked out by plain loops.
struct TinyBert {
    var layers = 2
    var heads = 2
    var hidden = 4
    var intermediate = 6
    let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c"]
    let positions = 8
    var weights: [(name: String, shape: [Int], floats: [Float])] = []

    init() {
        var generator = SeededGenerator(state: 5)
        func add(_ weights: inout [(name: String, shape: [Int], floats: [Float])], _ name: String, _ shape: [Int]) {
            let floats = (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &generator) }
            weights.append((name, shape, floats))
        }
        add(&weights, "embeddings.word_embeddings.weight", [vocabulary.count, hidden])
        add(&weights, "embeddings.position_embeddings.weight", [positions, hidden])
        add(&weights, "embeddings.token_type_embeddings.weight", [2, hidden])
        func addPair(_ name: String, _ shape: [Int]) {
            add(&weights, "\(name).weight", shape)
            add(&weights, "\(name).bias", [shape[0]])
        }
        addPair("embeddings.LayerNorm", [hidden])
        for layer in 0..<layers {
            let prefix = "encoder.layer.\(layer)."
            for part in ["query", "key", "value"] { addPair("\(prefix)attention.self.\(part)", [hidden, hidden]) }
            addPair("\(prefix)attention.output.dense", [hidden, hidden])
            addPair("\(prefix)attention.output.LayerNorm", [hidden])
            addPair("\(prefix)intermediate.dense", [intermediate, hidden])
            addPair("\(prefix)output.dense", [hidden, intermediate])
            addPair("\(prefix)output.LayerNorm", [hidden])
        }
    }

    // MARK: As files

    var configuration: [String: Any] {
        [
            "model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": layers, "num_attention_heads": heads,
            "hidden_size": hidden, "intermediate_size": intermediate, "vocab_size": vocabulary.count,
            "max_position_embeddings": positions, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        ]
    }

    /// The directory as a bundle.
    ///
    /// `change` is given each file before it is added; nil leaves the file out.
    func bundle(prefix: String = "", _ change: (String, String) -> String? = { $1 }) throws -> ModelBundle {
        var bundle = ModelBundle()
        let json = String(decoding: try JSONSerialization.data(withJSONObject: configuration), as: UTF8.self)
        let texts = [
            "config.json": json,
            "tokenizer.json": tokenizer,
            "sentence_bert_config.json": #"{"max_seq_length": 6, "do_lower_case": false}"#,
            "modules.json": #"""
            [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
             {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
             {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]
            """#,
            "1_Pooling/config.json": #"{"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}"#,
        ]
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            if let text = change(name, text) { bundle.add("model/\(name)", text) }
        }
        if change("model.safetensors", "") != nil {
            bundle.add("model/model.safetensors", weightFile(prefix: prefix))
        }
        return bundle
    }

    private func weightFile(prefix: String) -> [UInt8] {
        var entries: [String] = []
        var data: [UInt8] = []
        for (name, shape, floats) in weights {
            let bytes = floats.flatMap { float in withUnsafeBytes(of: float) { Array($0) } }
            let offsets = "[\(data.count),\(data.count + bytes.count)]"
            entries.append(#""\#(prefix)\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":\#(offsets)}"#)
            data += bytes
        }
        return safetensors("{\(entries.joined(separator: ","))}", data: data)
    }

    private var tokenizer: String {
        let vocabulary = vocabulary.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
        return #"""
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
             "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                            "strip_accents": null, "lowercase": true},
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "TemplateProcessing",
              "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                         {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
              "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
              "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                 "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
             "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                       "max_input_chars_per_word": 100, "vocab": {\#(vocabulary)}}}
            """#
    }

    // MARK: By plain loops

    private func weight(_ name: String) -> [Float] {
        weights.first { $0.name == name }?.floats ?? []
    }

    /// The normalised mean of the tokens of one text, in double precision.
    func embedding(_ ids: [Int]) -> [Double] {
        let words = weight("embeddings.word_embeddings.weight")
        let places = weight("embeddings.position_embeddings.weight")
        let types = weight("embeddings.token_type_embeddings.weight")
        var rows: [[Double]] = ids.enumerated().map { place, id in
            (0..<hidden).map { Double(words[id * hidden + $0] + places[place * hidden + $0] + types[$0]) }
        }
        rows = rows.map { norm($0, "embeddings.LayerNorm") }
        for layer in 0..<layers { rows = encode(rows, "encoder.layer.\(layer).") }
        let mean = (0..<hidden).map { column in rows.reduce(0) { $0 + $1[column] } / Double(rows.count) }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return mean.map { $0 / length }
    }

    private func encode(_ rows: [[Double]], _ prefix: String) -> [[Double]] {
        let width = hidden / heads
        let query = rows.map { linear($0, "\(prefix)attention.self.query") }
        let key = rows.map { linear($0, "\(prefix)attention.self.key") }
        let value = rows.map { linear($0, "\(prefix)attention.self.value") }
        let attended: [[Double]] = rows.indices.map { row in
            (0..<heads).flatMap { head -> [Double] in
                let columns = head * width..<(head + 1) * width
                let scores = rows.indices.map { other in
                    exp(columns.reduce(0) { $0 + query[row][$1] * key[other][$1] } / Double(width).squareRoot())
                }
                let sum = scores.reduce(0, +)
                return columns.map { column in rows.indices.reduce(0) { $0 + scores[$1] / sum * value[$1][column] } }
            }
        }
        return zip(rows, attended).map { row, attended in
            let projected = linear(attended, "\(prefix)attention.output.dense")
            let middle = norm(zip(projected, row).map(+), "\(prefix)attention.output.LayerNorm")
            let wide = linear(middle, "\(prefix)intermediate.dense").map { $0 * 0.5 * (1 + erf($0 / 2.0.squareRoot())) }
            return norm(zip(linear(wide, "\(prefix)output.dense"), middle).map(+), "\(prefix)output.LayerNorm")
        }
    }

    private func linear(_ input: [Double], _ name: String) -> [Double] {
        let matrix = weight("\(name).weight")
        return weight("\(name).bias").enumerated().map { column, bias in
            input.indices.reduce(Double(bias)) { $0 + Double(matrix[column * input.count + $1]) * input[$1] }
        }
    }

    private func norm(_ row: [Double], _ name: String) -> [Double] {
        let mean = row.reduce(0, +) / Double(row.count)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
        let scale = weight("\(name).weight")
        let shift = weight("\(name).bias")
        return row.indices.map {
            (row[$0] - mean) / (variance + 1e-12).squareRoot() * Double(scale[$0]) + Double(shift[$0])
        }
    }
}
