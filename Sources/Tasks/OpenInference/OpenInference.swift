import Graphs
import JSON
import Wire

/// `POST /v2/models/{model}/infer` of the Open Inference Protocol, with the binary tensor extension.
///
/// A body is JSON, then the tensors that the JSON says are binary, in its order. With zero bytes of JSON the body is the
/// one input as it is, and its shape follows from its length.
struct OpenInference {
    let face: ModelFace
    let call: OpenInferenceCall

    init(_ face: ModelFace, _ call: OpenInferenceCall) {
        self.face = face
        self.call = call
    }

    func read(_ compressed: [UInt8]) throws(TaskFailure) -> ReadCall {
        let body = try Inflation.inflate(compressed, call.encoding, bytesMax: TaskLimits.inflatedBytesMax)
        let jsonCount = call.jsonByteCount.map(Int.init) ?? body.count
        guard jsonCount <= body.count else {
            throw .malformed("Inference-Header-Content-Length says \(jsonCount) bytes, and the body has \(body.count)")
        }
        if call.jsonByteCount == 0 { return try readRaw(body) }
        let request = try InferRequest(try JSON.parse(request: body.span.extracting(0..<jsonCount)))
        return try read(request, binary: body[jsonCount...])
    }

    private func read(_ request: InferRequest, binary: ArraySlice<UInt8>) throws(TaskFailure) -> ReadCall {
        var rest = binary
        var tensors: [String: Tensor] = [:]
        for (index, input) in request.inputs.enumerated() {
            let path = "inputs.\(index)"
            guard let port = face.signature.input(input.name) else {
                let names = face.signature.inputNames
                throw .invalid(path, "the model has no input \"\(input.name.prefix(80))\"; it has \(names)")
            }
            guard tensors[port.name] == nil else { throw .invalid(path, "input \"\(port.name)\" is given twice") }
            let tensor: Tensor
            switch input.data {
            case .json(let data):
                tensor = try TensorJSON.tensor(data, input.element, shape: input.shape, path: path + ".data")
            case .binary(let byteCount):
                guard byteCount <= rest.count else {
                    throw .invalid(path, "binary_data_size is \(byteCount), and \(rest.count) bytes are left")
                }
                tensor = try TensorBytes.tensor(rest.prefix(byteCount), input.element, shape: input.shape, path: path)
                rest = rest.dropFirst(byteCount)
            }
            tensors[port.name] = try face.check(tensor, port, path: path)
        }
        guard rest.isEmpty else { throw .malformed("\(rest.count) bytes of the body belong to no input") }
        try face.checkAll(tensors, path: "inputs")
        let reply = InferReply(face: face, call: call, id: request.id, outputs: try outputs(request))
        return ReadCall(face.input(tensors), write: reply.write)
    }

    /// The only input as it is: a text without its length, or numbers whose shape follows from their bytes.
    private func readRaw(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        guard face.signature.inputs.count == 1, let port = face.signature.inputs.first else {
            throw .malformed("a body without JSON is the one input of a model that has one, and this one has more")
        }
        let tensor: Tensor
        if port.element == .string {
            guard let text = String(validating: body, as: UTF8.self) else { throw .malformed("the text is not UTF-8") }
            tensor = Tensor(strings: [text], shape: port.shape.map { _ in 1 })
        } else {
            let shape = try Self.shape(of: port, byteCount: body.count)
            tensor = try TensorBytes.tensor(body[...], port.element, shape: shape, path: "")
        }
        let tensors = [port.name: try face.check(tensor, port, path: "")]
        try face.checkAll(tensors, path: "")
        let outputs = face.signature.outputs.map { RequestedOutput(port: $0, isBinary: true, classes: nil) }
        let reply = InferReply(face: face, call: call, id: nil, outputs: outputs)
        return ReadCall(face.input(tensors), write: reply.write)
    }

    private static func shape(of port: TensorSignature.Port, byteCount: Int) throws(TaskFailure) -> [Int] {
        let open = port.shape.indices.filter { port.shape[$0] == -1 }
        let known = port.shape.filter { $0 != -1 }.reduce(port.element.byteCount, *)
        guard open.count <= 1, known > 0, byteCount % known == 0 else {
            throw .malformed("\(byteCount) bytes make no input \"\(port.name)\" of shape \(port.shape)")
        }
        var shape = port.shape
        for place in open { shape[place] = byteCount / known }
        return shape
    }

    private func outputs(_ request: InferRequest) throws(TaskFailure) -> [RequestedOutput] {
        guard let named = request.outputs else {
            return face.signature.outputs.map {
                RequestedOutput(port: $0, isBinary: request.isBinaryOutput, classes: nil)
            }
        }
        var outputs: [RequestedOutput] = []
        for (index, output) in named.enumerated() {
            guard let port = face.signature.output(output.name) else {
                let sentence = "the model has no output \"\(output.name.prefix(80))\"; it has "
                throw .invalid("outputs.\(index)", sentence + face.signature.outputNames)
            }
            outputs.append(
                RequestedOutput(
                    port: port,
                    isBinary: output.isBinary ?? request.isBinaryOutput,
                    classes: output.classes
                )
            )
        }
        return outputs
    }
}

/// An output as the caller wants it.
struct RequestedOutput {
    var port: TensorSignature.Port
    var isBinary: Bool
    /// So many of the best classes instead of the scores.
    var classes: Int?
}
