import Graphs

/// One request, read from whatever protocol it came in: what it asks of the model, and how the answer is written.
struct ReadCall {
    enum Input {
        case texts([TextModel.Text])
        case tensors([String: Tensor])

        /// None of what is tensors.
        var texts: [TextModel.Text] {
            if case .texts(let texts) = self { texts } else { [] }
        }

        /// None of what is texts.
        var tensors: [String: Tensor] {
            if case .tensors(let tensors) = self { tensors } else { [:] }
        }
    }

    /// What the model made of this call's input.
    struct Answer {
        var outputs: [String: Tensor]
        /// Of each text; none of numbers.
        var tokenCounts: [Int] = []
        /// Of each text of a model that tags tokens.
        var tagged: [TaggedText] = []
    }

    typealias Writer = (Answer) throws(TaskFailure) -> TaskReply

    var input: Input
    let write: Writer

    init(_ input: Input, write: @escaping Writer) {
        self.input = input
        self.write = write
    }
}

/// What a codec must know of the model behind it.
struct ModelFace {
    let signature: TensorSignature
    /// nil where the model takes no texts.
    let texts: TextModel?
    let isClassifier: Bool
    /// Names of the classes in the order of the scores; nil where they are 0, 1, 2, ….
    let labels: [String]?

    /// The index of the best score of a row: the first of equals, as argmax does.
    static func best(of scores: ArraySlice<Float>) -> Int {
        let best = scores.indices.max { (scores[$0], $1) < (scores[$1], $0) } ?? scores.startIndex
        return best - scores.startIndex
    }

    /// Whether each output has a row for each example.
    var hasRowPerExample: Bool { texts?.output != .tags }

    /// As the model takes it: texts or pairs for one that takes such, tensors for any other.
    func input(_ tensors: [String: Tensor]) -> ReadCall.Input {
        guard let texts else { return .tensors(tensors) }
        func strings(_ name: String) -> [String] { tensors[name]?.strings ?? [] }
        guard texts.output == .rank else { return .texts(strings(TextModel.textName).map { .text($0) }) }
        let (queries, documents) = (strings(TextModel.queryName), strings(TextModel.documentName))
        return .texts(documents.indices.map { .pair(queries[queries.count == 1 ? 0 : $0], documents[$0]) })
    }

    /// Refuses a tensor that the signature does not have.
    ///
    /// - Parameter path: where in the request it stands, for the caller.
    /// - Returns: the tensor; a column of single values counts as a list of them.
    func check(_ tensor: Tensor, _ port: TensorSignature.Port, path: String) throws(TaskFailure) -> Tensor {
        guard tensor.element == port.element else {
            throw .invalid(
                path,
                "input \"\(port.name)\" has datatype \(tensor.element.openInferenceName), "
                    + "the model takes \(port.element.openInferenceName)"
            )
        }
        var tensor = tensor
        if port.shape == [-1], tensor.rank == 2, tensor.shape[1] == 1 { tensor = tensor.reshaped([tensor.shape[0]]) }
        let fits =
            tensor.rank == port.shape.count
            && zip(tensor.shape, port.shape).allSatisfy { $1 == -1 || $0 == $1 }
        guard fits else {
            throw .invalid(path, "input \"\(port.name)\" has shape \(tensor.shape), the model takes \(port.shape)")
        }
        if port.shape.first == -1 {
            let countMax = port.element == .string ? TaskLimits.textsMax : TaskLimits.examplesMax
            guard tensor.shape[0] <= countMax else {
                throw .invalid(path, "input \"\(port.name)\" has \(tensor.shape[0]) examples, at most \(countMax)")
            }
        }
        return tensor
    }

    /// Refuses a call that leaves an input out, or gives inputs of several lengths.
    func checkAll(_ tensors: [String: Tensor], path: String) throws(TaskFailure) {
        for port in signature.inputs where tensors[port.name] == nil {
            let place = path.isEmpty ? port.name : path
            throw .missing(place, "the input \"\(port.name)\" is missing")
        }
        guard signature.isStackable else { return }
        var counts = Set(tensors.values.map { $0.shape[0] })
        // One query may come with many documents.
        if texts?.output == .rank, tensors[TextModel.queryName]?.shape == [1],
            let documents = tensors[TextModel.documentName]?.shape[0]
        {
            counts = [documents]
        }
        guard counts.count <= 1 else {
            throw .invalid(path, "the inputs have different first dimensions: \(counts.sorted())")
        }
        // A model of one matrix has no answer to no rows.
        guard texts != nil || counts != [0] else { throw .invalid(path, "the inputs hold no example") }
    }
}
