import Graphs
import JSON
import Wire

/// The reply to an inference request: JSON, and behind it the outputs that were asked for as binary data.
struct InferReply {
    let face: ModelFace
    let call: OpenInferenceCall
    let id: String?
    let outputs: [RequestedOutput]

    func write(_ answer: ReadCall.Answer) throws(TaskFailure) -> TaskReply {
        var writer = JSONWriter(reservingBytes: 256)
        var binary: [UInt8] = []
        writer.beginObject()
        writer.key("model_name")
        writer.string(call.model)
        writer.key("model_version")
        writer.string("\(call.version)")
        if let id {
            writer.key("id")
            writer.string(id)
        }
        writer.key("outputs")
        writer.beginArray()
        for output in outputs {
            guard let tensor = answer.outputs[output.port.name] else {
                throw .model("the model gave no output \"\(output.port.name)\"")
            }
            let shown =
                try output.classes.map { (count) throws(TaskFailure) in try classes(of: tensor, count) } ?? tensor
            try write(shown, output, &writer, &binary)
        }
        writer.endArray()
        writer.endObject()
        guard outputs.contains(where: \.isBinary) else { return .json(writer.bytes) }
        let contentType = InferenceReplyType.text(jsonByteCount: writer.bytes.count)
        return TaskReply(contentType: contentType, body: writer.bytes + binary)
    }

    private func write(
        _ tensor: Tensor,
        _ output: RequestedOutput,
        _ writer: inout JSONWriter,
        _ binary: inout [UInt8]
    ) throws(TaskFailure) {
        writer.beginObject()
        writer.key("name")
        writer.string(output.port.name)
        writer.key("datatype")
        writer.string(tensor.element.openInferenceName)
        writer.key("shape")
        writer.beginArray()
        for size in tensor.shape { writer.integer(size) }
        writer.endArray()
        if output.isBinary {
            writer.key("parameters")
            writer.beginObject()
            writer.key("binary_data_size")
            writer.integer(TensorBytes.byteCount(of: tensor))
            writer.endObject()
            TensorBytes.append(tensor, to: &binary)
        } else {
            guard tensor.element != .f16, tensor.element != .bf16 else {
                let name = tensor.element.openInferenceName
                throw .badInput("output \"\(output.port.name)\" is \(name), which comes as binary data only")
            }
            writer.key("data")
            writer.beginArray()
            let values = JSONValues(tensor)
            for index in 0..<tensor.count { try writer.value(values, index) }
            writer.endArray()
        }
        writer.endObject()
    }

    /// The best classes of each row of scores as texts, `score:index` or `score:index:label`.
    private func classes(of scores: Tensor, _ count: Int) throws(TaskFailure) -> Tensor {
        guard scores.element == .f32, let columns = scores.shape.last, columns > 0 else {
            throw .badInput("classification needs an output of FP32 scores")
        }
        let floats = scores.array(of: Float.self)
        let kept = min(count, columns)
        var texts: [String] = []
        for row in 0..<floats.count / columns {
            let order = (0..<columns).sorted {
                (floats[row * columns + $1], $0) < (floats[row * columns + $0], $1)
            }
            for index in order.prefix(kept) {
                let label = face.labels.flatMap { index < $0.count ? ":" + $0[index] : nil } ?? ""
                texts.append("\(floats[row * columns + index]):\(index)\(label)")
            }
        }
        return Tensor(strings: texts, shape: scores.shape.dropLast() + [kept])
    }
}
