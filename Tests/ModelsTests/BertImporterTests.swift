import Foundation
import Inference
import Testing

@testable import Models

private func refusal(_ change: (String, String) -> String?) throws -> String {
    try TinyBert().bundle(change).refusal("model")?.description ?? "not refused"
}

/// Replaces text in one file.
private func changing(_ file: String, _ old: String, _ new: String) -> (String, String) -> String? {
    { name, text in name == file ? text.replacingOccurrences(of: old, with: new) : text }
}

@Suite struct `A directory in Hugging Face layout` {
    @Test(arguments: ["", "bert."])
    func `becomes a plan that gives the numbers of plain loops`(prefix: String) throws {
        let bert = TinyBert()
        let bundle = try bert.bundle(prefix: prefix)
        let model = try bundle.importModel("model")
        #expect(model.tokensMax == 6)
        #expect(model.tokenizer?.isEmpty == false)
        let texts = [[2, 4, 5, 3], [2, 6, 3]]
        let output = try bundle.runner(model).run(
            ids: texts.flatMap { $0.map(Int32.init) },
            sequenceLengths: texts.map(\.count)
        )
        let expected = texts.flatMap { bert.embedding($0).map(Float.init) }
        #expect(difference(output, expected) < 1e-5)
    }

    @Test func `without modules.json gives the plain mean of its tokens`() throws {
        let bundle = try TinyBert().bundle { name, text in name == "modules.json" ? nil : text }
        let steps = try bundle.importModel("model").plan.steps
        guard case .pool(_, [.mean], _) = steps.last else {
            Issue.record("the last step is \(String(describing: steps.last))")
            return
        }
    }

    @Test func `may pool by the first token`() throws {
        let bundle = try TinyBert().bundle { name, text in
            name == "1_Pooling/config.json"
                ? #"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"# : text
        }
        let steps = try bundle.importModel("model").plan.steps
        #expect(steps.contains { if case .pool(_, [.first], _) = $0 { true } else { false } })
    }

    @Test func `is refused where files are missing, by their names`() throws {
        #expect(try refusal { $0 == "config.json" ? nil : $1 }.hasPrefix("model/config.json is missing"))
        #expect(try refusal { $0 == "tokenizer.json" ? nil : $1 }.hasPrefix("model/tokenizer.json is missing"))
        #expect(
            try refusal { $0 == "1_Pooling/config.json" ? nil : $1 }.hasPrefix("model/1_Pooling/config.json is missing")
        )
        #expect(try refusal { $0 == "model.safetensors" ? nil : $1 }.hasPrefix("model/model.safetensors is missing"))
    }

    @Test func `is refused where only a pickle holds its weights`() throws {
        var bundle = try TinyBert().bundle { name, text in name == "model.safetensors" ? nil : text }
        bundle.add("model/pytorch_model.bin", "")
        #expect(bundle.refusal("model")?.description.contains("model/pytorch_model.bin is a Python pickle") == true)
    }

    @Test(arguments: [
        (
            "config.json", "\"bert\"", "\"gpt2\"",
            "model/config.json: model_type is gpt2; supported is bert, roberta, "
                + "xlm-roberta, camembert, distilbert or mpnet"
        ),
        (
            "config.json", "\"gelu\"", "\"relu\"",
            "model/config.json: hidden_act is relu; supported is gelu (the exact one)"
        ),
        (
            "config.json", "\"num_attention_heads\":2", "\"num_attention_heads\":3",
            "model/config.json: hidden_size 4 is not a multiple of num_attention_heads 3"
        ),
        (
            "config.json", "\"hidden_size\":4", "\"hidden_size\":8",
            "model/model.safetensors: embeddings.word_embeddings.weight should have the shape [7, 8] by the model's "
                + "config.json, it has [7, 4]"
        ),
        (
            "config.json", "\"num_hidden_layers\":2", "\"num_hidden_layers\":3",
            "model/model.safetensors lacks encoder.layer.2.attention.self.query.weight, which the model's config.json "
                + "asks for"
        ),
        (
            "config.json", "\"hidden_size\":4", "\"hidden_size\":9223372036854775807",
            "model/config.json: hidden_size is 9223372036854775807; supported is 1 to 65536"
        ),
        (
            "config.json", "\"hidden_size\":4", "\"hidden_size\":\"4\"",
            "model/config.json: hidden_size should be a whole number, it is a string"
        ),
        (
            "modules.json", "models.Normalize", "models.CNN",
            "model/modules.json: the module sentence_transformers.models.CNN is not supported; supported are "
                + "Transformer, Pooling, Dense and Normalize, in this order"
        ),
        (
            "modules.json", "\"2_Normalize\", \"type\": \"sentence_transformers.models.Normalize\"",
            "\"\", \"type\": \"sentence_transformers.models.Pooling\"",
            "model/modules.json: the module sentence_transformers.models.Pooling stands at place 2; supported are "
                + "Transformer, Pooling, Dense and Normalize, in this order"
        ),
        (
            "modules.json", "models.Normalize", "models.Dense",
            "model/2_Normalize/config.json is missing, and modules.json asks for it"
        ),
        (
            "1_Pooling/config.json", "\"pooling_mode_cls_token\": false", "\"pooling_mode_weightedmean_tokens\": true",
            "model/1_Pooling/config.json: pooling_mode is mean and weightedmean; supported are cls, max, mean, "
                + "mean_sqrt_len_tokens, lasttoken, and several of them"
        ),
        (
            "1_Pooling/config.json", "\"pooling_mode_cls_token\": false, \"pooling_mode_mean_tokens\": true",
            "\"pooling_mode\": \"best\"",
            "model/1_Pooling/config.json: pooling_mode is best; supported are cls, max, mean, "
                + "mean_sqrt_len_tokens, lasttoken, and several of them"
        ),
        (
            "sentence_bert_config.json", "\"do_lower_case\": false", "\"do_lower_case\": true",
            "model/sentence_bert_config.json: do_lower_case is true; let the tokenizer lower-case instead"
        ),
    ])
    func `is refused where it asks for something else`(file: String, old: String, new: String, message: String) throws {
        #expect(try refusal(changing(file, old, new)) == message)
    }
}

/// The real model, where `functions/embed/fetch` has brought it.
private let realModel = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("functions/embed/model")

@Suite struct `all-MiniLM-L6-v2` {
    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: realModel.appendingPathComponent("model.safetensors").path))
    )
    func `gives the numbers of ONNX Runtime`() throws {
        var bundle = ModelBundle()
        for name in [
            "config.json", "model.safetensors", "modules.json", "sentence_bert_config.json", "tokenizer.json",
            "1_Pooling/config.json",
        ] {
            bundle.add("model/\(name)", [UInt8](try Data(contentsOf: realModel.appendingPathComponent(name))))
        }
        let model = try bundle.importModel("model")
        #expect(model.tokensMax == 256)
        let output = try bundle.runner(model).run(ids: [101, 7592, 2088, 102], sequenceLengths: [4])
        let expected: [Float] = [-0.03447724, 0.03102317, 0.00673497, 0.02610898, -0.039362]
        #expect(output.count == 384)
        #expect(difference(Array(output.prefix(5)), expected) < 1e-6)
    }
}
