import Graphs
import Wire

/// A model with all protocols in front of it: requests are read, run together, and answered one by one.
struct ModelTask {
    private enum Engine {
        case embed(EmbedModel)
        case tensors(TensorModel)
    }

    private let engine: Engine
    private let face: ModelFace

    /// - Parameter labels: names of the classes of one that classifies.
    init(_ embed: EmbedModel, labels: [String]? = nil) throws(TaskError) {
        if let labels, labels.count != embed.columns {
            throw .mismatch("the model has \(embed.columns) scores, and there are \(labels.count) labels")
        }
        engine = .embed(embed)
        face = ModelFace(
            signature: embed.signature,
            embed: embed,
            isClassifier: embed.isClassifier,
            labels: embed.isClassifier ? labels : nil
        )
    }

    init(_ model: TensorModel, isClassifier: Bool, labels: [String]?) throws(TaskError) {
        if isClassifier || labels != nil {
            guard let scores = model.signature.outputs.first, scores.element == .f32, let count = scores.shape.last
            else {
                throw .mismatch("the model has no scores of classes")
            }
            if let labels, count != -1, labels.count != count {
                throw .mismatch("the model has \(count) scores, and there are \(labels.count) labels")
            }
        }
        engine = .tensors(model)
        face = ModelFace(signature: model.signature, embed: nil, isClassifier: isClassifier, labels: labels)
    }

    func run(_ request: TaskRequest) throws(TaskFailure) -> TaskReply {
        let call = try read(request)
        return try call.write(try answer(to: call.input))
    }

    /// What cannot be read fails alone; what fails together is tried alone.
    func run(_ requests: [TaskRequest]) -> [Result<TaskReply, TaskFailure>] {
        let calls = requests.map { request in
            Result { () throws(TaskFailure) in try read(request) }
        }
        let inputs = calls.compactMap { try? $0.get().input }
        var answers = together(inputs)[...]
        return calls.map { call in
            Result { () throws(TaskFailure) in
                let call = try call.get()
                guard let answer = answers.popFirst() else { throw .model("a call of the batch got no answer") }
                return try call.write(try answer.get())
            }
        }
    }

    func warmUp() {
        switch engine {
        case .embed(let embed): embed.warmUp()
        case .tensors(let model):
            let zeros = model.signature.inputs.map { port in (port.name, Tensor(zeros: port)) }
            _ = try? model.run(Dictionary(zeros) { first, _ in first })
        }
    }

    private func read(_ request: TaskRequest) throws(TaskFailure) -> ReadCall {
        switch request.form {
        case .own, .lambda:
            if let embed = face.embed { return try EmbedJSON(embed.columns, face).read(request.body) }
            if let numbers = NumberJSON(face) { return try numbers.read(request.body) }
            return try Prediction(face).read(request.body)
        case .openAIEmbeddings:
            guard let embed = face.embed, !embed.isClassifier else {
                throw .invalid("model", "this model makes no embeddings; its inputs are \(face.signature.inputNames)")
            }
            return try OpenAIEmbeddings(embed).read(request.body)
        case .openInference(let call): return try OpenInference(face, call).read(request.body)
        case .prediction: return try Prediction(face).read(request.body)
        }
    }
}

// MARK: The model

extension ModelTask {
    private func answer(to input: ReadCall.Input) throws(TaskFailure) -> ReadCall.Answer {
        switch (engine, input) {
        case (.embed(let embed), .texts(let texts)):
            return answer(try embed.run(texts), embed.columns)
        case (.tensors(let model), .tensors(let tensors)):
            return ReadCall.Answer(outputs: try model.run(tensors))
        default:
            preconditionFailure("a call is read for the model behind it")
        }
    }

    private func answer(_ vectors: EmbedModel.Vectors, _ columns: Int) -> ReadCall.Answer {
        ReadCall.Answer(
            outputs: [
                face.isClassifier ? EmbedModel.scoresName : EmbedModel.outputName: Tensor(
                    vectors.floats,
                    shape: [vectors.tokenCounts.count, columns]
                )
            ],
            tokenCounts: vectors.tokenCounts
        )
    }

    private func together(_ inputs: [ReadCall.Input]) -> [Result<ReadCall.Answer, TaskFailure>] {
        if inputs.count > 1, let answers = try? joined(inputs) { return answers.map { .success($0) } }
        return inputs.map { input in Result { () throws(TaskFailure) in try answer(to: input) } }
    }

    /// One run for all; nil where they do not fit each other.
    private func joined(_ inputs: [ReadCall.Input]) throws(TaskFailure) -> [ReadCall.Answer]? {
        switch engine {
        case .embed(let embed):
            let texts = inputs.map(\.texts)
            let vectors = try embed.run(texts.flatMap { $0 })
            var done = 0
            return texts.map { texts in
                let rows = done..<done + texts.count
                done = rows.upperBound
                return answer(
                    EmbedModel.Vectors(
                        floats: Array(
                            vectors.floats[rows.lowerBound * embed.columns..<rows.upperBound * embed.columns]
                        ),
                        tokenCounts: Array(vectors.tokenCounts[rows])
                    ),
                    embed.columns
                )
            }
        case .tensors(let model):
            guard model.signature.isStackable else { return nil }
            let calls = inputs.map(\.tensors)
            guard let stack = TensorStack(calls, model.signature) else { return nil }
            return stack.split(try model.run(stack.tensors))
        }
    }
}

/// The tensors of several calls, one behind the other along their first dimension.
struct TensorStack {
    let tensors: [String: Tensor]
    private let rowCounts: [Int]

    /// nil where the other dimensions differ from call to call.
    init?(_ calls: [[String: Tensor]], _ signature: TensorSignature) {
        guard let first = signature.inputs.first?.name else { return nil }
        var tensors: [String: Tensor] = [:]
        for port in signature.inputs {
            let parts = calls.compactMap { $0[port.name] }
            guard parts.count == calls.count, let shape = parts.first?.shape.dropFirst(),
                parts.allSatisfy({ $0.shape.dropFirst() == shape })
            else { return nil }
            tensors[port.name] = Tensor.stacked(parts)
        }
        self.tensors = tensors
        rowCounts = calls.compactMap { $0[first]?.shape.first }
    }

    /// Each call's part of the outputs; nil where an output has another number of rows than the inputs.
    func split(_ outputs: [String: Tensor]) -> [ReadCall.Answer]? {
        let rowCount = rowCounts.reduce(0, +)
        guard outputs.values.allSatisfy({ $0.shape.first == rowCount }) else { return nil }
        var done = 0
        return rowCounts.map { count in
            defer { done += count }
            return ReadCall.Answer(outputs: outputs.mapValues { $0.rows(done..<done + count) })
        }
    }
}

extension TensorSignature {
    /// For sentences.
    var inputNames: String { inputs.map { "\"\($0.name)\"" }.joined(separator: ", ") }
    var outputNames: String { outputs.map { "\"\($0.name)\"" }.joined(separator: ", ") }
}

extension Tensor {
    /// One example of zeros.
    init(zeros port: TensorSignature.Port) {
        let shape = port.shape.map { $0 == -1 ? 1 : $0 }
        let count = shape.reduce(1, *)
        if port.element == .string {
            self.init(strings: [String](repeating: "", count: count), shape: shape)
        } else {
            let bytes = [UInt8](repeating: 0, count: count * port.element.byteCount)
            self.init(port.element, shape: shape, copying: bytes.span)
        }
    }
}
