import Foundation
import Inference
import Testing

@testable import Models

/// Classifiers of toy size, and the scores that numpy worked out for them (`Fixtures/encoders.py`).
@Suite struct SequenceClassifierTests {
    private struct Model: Decodable {
        struct Tensor: Decodable {
            let shape: [Int]
            let floats: [Float]
        }

        let tensors: [String: Tensor]
        let texts: [[Int32]]
        let scores: [[Float]]
    }

    private func models() throws -> [(config: String, model: Model)] {
        let data = Data(try ModelBundle.fixture("encoders.json"))
        let list = try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
        return try zip(list, JSONDecoder().decode([Model].self, from: data)).map { object, model in
            let config = try JSONSerialization.data(withJSONObject: object["config"] ?? [:])
            return (String(decoding: config, as: UTF8.self), model)
        }
    }

    /// - Parameter shards: over how many files the tensors are spread; more than one have an index.
    private func bundle(_ config: String, _ model: Model, shards: Int) throws -> ModelBundle {
        var bundle = ModelBundle()
        bundle.add("model/config.json", config)
        let words = (0..<11).map { "\"\($0 == 0 ? "[UNK]" : "w\($0)")\": \($0)" }.joined(separator: ", ")
        bundle.add(
            "model/tokenizer.json",
            #"{"model": {"type": "WordPiece", "vocab": {\#(words)}}, "pre_tokenizer": {"type": "WhitespaceSplit"}}"#
        )
        let names = model.tensors.keys.sorted()
        var places: [String] = []
        for shard in 0..<shards {
            let file = shards == 1 ? "model.safetensors" : "model-\(shard).safetensors"
            var entries: [String] = []
            var data: [UInt8] = []
            for (index, name) in names.enumerated() where index % shards == shard {
                guard let tensor = model.tensors[name] else { continue }
                let bytes = tensor.floats.flatMap { float in withUnsafeBytes(of: float) { Array($0) } }
                let offsets = "[\(data.count),\(data.count + bytes.count)]"
                entries.append(#""\#(name)":{"dtype":"F32","shape":\#(tensor.shape),"data_offsets":\#(offsets)}"#)
                places.append(#""\#(name)": "\#(file)""#)
                data += bytes
            }
            bundle.add("model/\(file)", safetensors("{\(entries.joined(separator: ","))}", data: data))
        }
        if shards > 1 {
            bundle.add("model/model.safetensors.index.json", #"{"weight_map": {\#(places.joined(separator: ", "))}}"#)
        }
        return bundle
    }

    @Test(arguments: [1, 3])
    func `BERT, RoBERTa and DistilBERT give the scores of numpy, from one file or several`(shards: Int) throws {
        let models = try models()
        #expect(models.count == 3)
        for (config, model) in models {
            let bundle = try bundle(config, model, shards: shards)
            let imported = try bundle.importModel("model", for: .classify)
            #expect(
                imported.task == .classify && imported.labels == ["bad", "so-so", "good"] && imported.tokensMax == 9
            )
            let output = try bundle.runner(imported).run(
                ids: model.texts.flatMap { $0 },
                sequenceLengths: model.texts.map(\.count)
            )
            let difference = zip(output, model.scores.flatMap { $0 }).map { abs($0 - $1) }.max() ?? 1
            #expect(output.count == 9 && difference < 1e-4, "\(config): \(difference)")
        }
    }

    @Test func `a shard that is missing is named`() throws {
        let (config, model) = try models()[0]
        var bundle = try bundle(config, model, shards: 2)
        bundle.files.ranges["model/model-1.safetensors"] = nil
        let message = bundle.refusal("model")?.description ?? ""
        #expect(message.hasPrefix("model/model-1.safetensors is missing, and model/model.safetensors.index.json"))
    }

    @Test func `an encoder without a classifier is refused as one`() throws {
        let (config, model) = try models()[0]
        let plain = config.replacingOccurrences(of: "BertForSequenceClassification", with: "BertModel")
        let bundle = try bundle(plain, model, shards: 1)
        let error = #expect(throws: ModelError.self) { try bundle.importModel("model", for: .classify) }
        #expect(error?.description.contains("describes no classifier") == true)
    }
}
