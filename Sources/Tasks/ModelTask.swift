import Graphs
import Wire

/// A model with all protocols in front of it: requests are read, run together, and answered one by one.
struct ModelTask {
    private enum Engine {
        case texts(TextModel)
        case tensors(TensorModel)
    }

    private let engine: Engine
    private let face: ModelFace

    /// - Parameter labels: names of the classes of one that classifies.
    init(_ texts: TextModel, labels: [String]? = nil) throws(TaskError) {
        let hasLabels = texts.output == .classes || texts.output == .tags
        if let labels, labels.count != texts.columns {
            throw .mismatch("the model has \(texts.columns) scores, and there are \(labels.count) labels")
        }
        engine = .texts(texts)
        face = ModelFace(
            signature: texts.signature,
            texts: texts,
            isClassifier: texts.output == .classes,
            labels: hasLabels ? labels : nil
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
        face = ModelFace(signature: model.signature, texts: nil, isClassifier: isClassifier, labels: labels)
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
        case .texts(let texts): texts.warmUp()
        case .tensors(let model):
            let zeros = model.signature.inputs.map { port in (port.name, Tensor(zeros: port)) }
            _ = try? model.run(Dictionary(zeros) { first, _ in first })
        }
    }

    private func read(_ request: TaskRequest) throws(TaskFailure) -> ReadCall {
        switch request.form {
        case .own, .lambda:
            switch face.texts?.output {
            case .vectors, .classes: return try TextJSON(face.texts?.columns ?? 0, face).read(request.body)
            case .rank: return try RankJSON.read(request.body)
            case .tags: return try TagJSON(face).read(request.body)
            case nil: break
            }
            if let numbers = NumberJSON(face) { return try numbers.read(request.body) }
            return try Prediction(face).read(request.body)
        case .openAIEmbeddings:
            guard let texts = face.texts, texts.output == .vectors else {
                throw .invalid("model", "this model makes no embeddings; its inputs are \(face.signature.inputNames)")
            }
            return try OpenAIEmbeddings(texts).read(request.body)
        case .rerank:
            guard face.texts?.output == .rank else {
                throw .invalid("model", "this model ranks nothing; its inputs are \(face.signature.inputNames)")
            }
            return try Rerank.read(request.body)
        case .openInference(let call): return try OpenInference(face, call).read(request.body)
        case .prediction: return try Prediction(face).read(request.body)
        }
    }
}

// MARK: The model

extension ModelTask {
    private func answer(to input: ReadCall.Input) throws(TaskFailure) -> ReadCall.Answer {
        switch (engine, input) {
        case (.texts(let model), .texts(let texts)):
            return answer(try model.run(texts), model)
        case (.tensors(let model), .tensors(let tensors)):
            return ReadCall.Answer(outputs: try model.run(tensors))
        default:
            preconditionFailure("a call is read for the model behind it")
        }
    }

    private func answer(_ results: TextModel.Results, _ model: TextModel) -> ReadCall.Answer {
        let count = results.tokenCounts.count
        let outputs: [String: Tensor] =
            switch model.output {
            case .vectors: [TextModel.embeddingName: Tensor(results.floats, shape: [count, model.columns])]
            case .classes: [TextModel.scoresName: Tensor(results.floats, shape: [count, model.columns])]
            case .rank: [TextModel.scoreName: Tensor(results.floats, shape: [count])]
            case .tags: tensors(of: results.tagged)
            }
        return ReadCall.Answer(outputs: outputs, tokenCounts: results.tokenCounts, tagged: results.tagged)
    }

    /// The entities of all texts, one behind the other.
    private func tensors(of tagged: [TaggedText]) -> [String: Tensor] {
        let entities = tagged.map { $0.entities(.simple, labels: face.labels) }
        let all = entities.flatMap { $0 }
        func integers(_ numbers: [Int]) -> Tensor { Tensor(numbers.map { Int64($0) }, shape: [numbers.count]) }
        let places = entities.enumerated().flatMap { place, entities in entities.map { _ in place } }
        return [
            TextModel.textName: integers(places),
            TextModel.labelName: Tensor(strings: all.map(\.label), shape: [all.count]),
            TextModel.scoreName: Tensor(all.map(\.score), shape: [all.count]),
            TextModel.startName: integers(all.map(\.characters.lowerBound)),
            TextModel.endName: integers(all.map(\.characters.upperBound)),
        ]
    }

    private func together(_ inputs: [ReadCall.Input]) -> [Result<ReadCall.Answer, TaskFailure>] {
        if inputs.count > 1, let answers = try? joined(inputs) { return answers.map { .success($0) } }
        return inputs.map { input in Result { () throws(TaskFailure) in try answer(to: input) } }
    }

    /// One run for all; nil where they do not fit each other.
    private func joined(_ inputs: [ReadCall.Input]) throws(TaskFailure) -> [ReadCall.Answer]? {
        switch engine {
        case .texts(let model):
            let texts = inputs.map(\.texts)
            let results = try model.run(texts.flatMap { $0 })
            var done = 0
            return texts.map { texts in
                let rows = done..<done + texts.count
                done = rows.upperBound
                return answer(results.part(rows, model), model)
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

extension TextModel.Results {
    fileprivate func part(_ texts: Range<Int>, _ model: TextModel) -> Self {
        let isTagged = model.output == .tags
        let numbers = texts.lowerBound * model.columns..<texts.upperBound * model.columns
        return Self(
            floats: isTagged ? [] : Array(floats[numbers]),
            tokenCounts: Array(tokenCounts[texts]),
            tagged: isTagged ? Array(tagged[texts]) : []
        )
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
