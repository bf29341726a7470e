import Foundation

/// A BERT encoder of one layer with made-up weights, 16 numbers a token, as the files of a bundle.
struct TinyEncoder {
    static let hidden = 16
    private static let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d"]

    /// Path in the bundle → contents.
    static func files() -> [(path: String, contents: [UInt8])] {
        [
            ("model/config.json", Array(configuration.utf8)), ("model/tokenizer.json", Array(tokenizer.utf8)),
            ("model/model.safetensors", weights()),
        ]
    }

    private static let configuration = """
        {"model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": 1, "num_attention_heads": 2, \
        "hidden_size": 16, "intermediate_size": 32, "vocab_size": 8, "max_position_embeddings": 64, \
        "type_vocab_size": 2, "layer_norm_eps": 1e-12}
        """

    private static var tokenizer: String {
        let words = vocabulary.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
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
                       "max_input_chars_per_word": 100, "vocab": {\#(words)}}}
            """#
    }

    /// Name and shape of each tensor.
    private static var tensors: [(name: String, shape: [Int])] {
        var tensors: [(name: String, shape: [Int])] = [
            ("embeddings.word_embeddings.weight", [8, 16]), ("embeddings.position_embeddings.weight", [64, 16]),
            ("embeddings.token_type_embeddings.weight", [2, 16]),
        ]
        let layer = "encoder.layer.0."
        let pairs: [(String, [Int])] = [
            ("embeddings.LayerNorm", [16]), ("\(layer)attention.self.query", [16, 16]),
            ("\(layer)attention.self.key", [16, 16]), ("\(layer)attention.self.value", [16, 16]),
            ("\(layer)attention.output.dense", [16, 16]), ("\(layer)attention.output.LayerNorm", [16]),
            ("\(layer)intermediate.dense", [32, 16]), ("\(layer)output.dense", [16, 32]),
            ("\(layer)output.LayerNorm", [16]),
        ]
        for (name, shape) in pairs {
            tensors += [("\(name).weight", shape), ("\(name).bias", [shape[0]])]
        }
        return tensors
    }

    private static func weights() -> [UInt8] {
        var state: UInt64 = 5
        var (entries, data): ([String], [UInt8]) = ([], [])
        for (name, shape) in tensors {
            let begin = data.count
            for _ in 0..<shape.reduce(1, *) {
                // Knuth's constants for a linear congruential generator.
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let bits = (Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)).bitPattern
                data += (0..<4).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
            }
            entries.append(#""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(begin),\#(data.count)]}"#)
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        return (0..<8).map { UInt8(truncatingIfNeeded: UInt64(header.count) >> ($0 * 8)) } + header + data
    }
}
