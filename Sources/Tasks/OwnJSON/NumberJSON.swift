import Graphs
import JSON

/// One matrix of numbers in, one out: `classify` and `tensor`, one example or a batch of them.
///
/// | task | one example | a batch |
/// |---|---|---|
/// | classify | `{"<input>": [n numbers]}` → `{"label": l, "scores": […]}` | `{"<input>": [[…], …]}` → `{"labels": […], "scores": [[…], …]}` |
/// | tensor | `{"<input>": [n numbers]}` → `{"<output>": […]}` | `{"<input>": [[…], …]}` → `{"<output>": [[…], …]}` |
struct NumberJSON {
    private let face: ModelFace
    private let inputName: String
    private let outputName: String
    private let inputColumns: Int
    private let outputColumns: Int

    /// nil where the model is none of one matrix in and one out.
    init?(_ face: ModelFace) {
        let signature = face.signature
        guard signature.inputs.count == 1, signature.outputs.count == 1, signature.isStackable,
            let input = signature.inputs.first, let output = signature.outputs.first, input.element == .f32,
            output.element == .f32, input.shape.count == 2, output.shape.count == 2, input.shape[1] != -1,
            output.shape[1] != -1
        else { return nil }
        self.face = face
        (inputName, outputName) = (input.name, output.name)
        (inputColumns, outputColumns) = (input.shape[1], output.shape[1])
    }

    func read(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        let (numbers, rows) = try examples(body)
        let matrix = Tensor(numbers, shape: [rows ?? 1, inputColumns])
        return ReadCall(.tensors([inputName: matrix])) { (answer) throws(TaskFailure) in
            try write(answer.outputs[outputName]?.array(of: Float.self) ?? [], rows)
        }
    }

    private func write(_ scores: [Float], _ rows: Int?) throws(TaskFailure) -> TaskReply {
        var writer = JSONWriter(reservingBytes: scores.count * 13 + 64)
        writer.beginObject()
        if face.isClassifier { writer.labels(of: scores, outputColumns, rows, face) }
        writer.key(face.isClassifier ? "scores" : outputName)
        if rows != nil { writer.beginArray() }
        for row in 0..<(rows ?? 1) {
            try writer.row(scores, from: row * outputColumns, count: outputColumns)
        }
        if rows != nil { writer.endArray() }
        writer.endObject()
        return .json(writer.bytes)
    }

    private var expectation: String {
        #"{"\#(inputName)": \#(inputColumns) numbers, or an array of such}"#
    }

    /// - Returns: the numbers, and how many examples there are; nil where the caller sent one without a batch around it.
    private func examples(_ body: [UInt8]) throws(TaskFailure) -> (numbers: [Float], rows: Int?) {
        let name = inputName
        let value = try RequestBody(body, expecting: expectation).only(name, expecting: expectation)
        guard let items = value.arrayValue else {
            throw .badInput("expected \(expectation); \"\(name)\" is \(value.kindName)")
        }
        var numbers: [Float] = []
        guard items.first?.arrayValue != nil else {
            try append(items, to: &numbers, named: "\"\(name)\"")
            return (numbers, nil)
        }
        guard items.count <= TaskLimits.examplesMax else {
            throw .badInput("expected at most \(TaskLimits.examplesMax) examples in one call, got \(items.count)")
        }
        numbers.reserveCapacity(items.count * inputColumns)
        for (index, item) in items.enumerated() {
            guard let row = item.arrayValue else {
                throw .badInput("expected \(expectation); \"\(name)\"[\(index)] is \(item.kindName)")
            }
            try append(row, to: &numbers, named: "\"\(name)\"[\(index)]")
        }
        return (numbers, items.count)
    }

    private func append(_ items: [JSON], to numbers: inout [Float], named name: String) throws(TaskFailure) {
        guard items.count == inputColumns else {
            throw .badInput("\(name): expected \(inputColumns) numbers, got \(items.count)")
        }
        for (index, item) in items.enumerated() {
            guard let number = item.doubleValue else {
                throw .badInput("\(name)[\(index)]: expected a number, got \(item.kindName)")
            }
            // Beyond the range of a Float the model would be fed infinity, and answer what is no number.
            guard Float(number).isFinite else {
                throw .badInput("\(name)[\(index)]: expected a number that fits 32-bit floating point, got \(number)")
            }
            numbers.append(Float(number))
        }
    }
}

extension JSONWriter {
    /// Writes `label`, or `labels` of a batch: the class with the best score of each row.
    mutating func labels(of scores: [Float], _ columns: Int, _ rows: Int?, _ face: ModelFace) {
        key(rows == nil ? "label" : "labels")
        if rows != nil { beginArray() }
        for row in 0..<(rows ?? 1) {
            let label = ModelFace.best(of: scores[row * columns..<(row + 1) * columns])
            if let labels = face.labels { string(labels[label]) } else { integer(label) }
        }
        if rows != nil { endArray() }
    }
}
