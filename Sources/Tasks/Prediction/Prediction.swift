import Graphs
import JSON

/// `POST /predict/{name}`, for those who come from FastAPI: named inputs in, named outputs out, as nested JSON.
///
/// `{"<input>": values, …}`, or the same within `{"inputs": …}`, or `{"inputs": values}` where the model has one input.
/// Values of one dimension less than the model takes are one example, and so is the answer.
struct Prediction {
    private let face: ModelFace

    init(_ face: ModelFace) {
        self.face = face
    }

    func read(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        let document = try JSON.parse(request: body.span)
        guard let members = document.objectMembers else {
            throw .malformed(
                "expected an object with the inputs \(face.signature.inputNames), got \(document.kindName)"
            )
        }
        let (inputs, prefix) = try named(members)
        var tensors: [String: Tensor] = [:]
        var isOneExample = true
        // A misspelt name is both missing and unknown; the caller looks for what is missing.
        for port in face.signature.inputs where !inputs.contains(where: { $0.key == port.name }) {
            throw .missing(prefix + port.name, "the input \"\(port.name)\" is missing")
        }
        for member in inputs {
            let path = prefix + member.key
            guard let port = face.signature.input(member.key) else {
                let names = face.signature.inputNames
                throw .invalid(path, "the model has no input \"\(member.key.prefix(80))\"; it has \(names)")
            }
            var shape = Self.shape(of: member.value)
            let isExample = port.shape.first == -1 && shape.count == port.shape.count - 1
            if isExample { shape.insert(1, at: 0) }
            isOneExample = isOneExample && isExample
            let tensor = try TensorJSON.tensor(member.value, port.element, shape: shape, path: path)
            tensors[port.name] = try face.check(tensor, port, path: path)
        }
        try face.checkAll(tensors, path: prefix.isEmpty ? "" : "inputs")
        return ReadCall(face.input(tensors)) {
            [isOneExample = isOneExample && face.hasRowPerExample] (answer) throws(TaskFailure) in
            try write(answer, isOneExample: isOneExample)
        }
    }

    /// The inputs by name, wherever they stand.
    private func named(_ members: [JSON.Member]) throws(TaskFailure) -> (inputs: [JSON.Member], prefix: String) {
        guard members.count == 1, let only = members.first, only.key == "inputs",
            face.signature.input("inputs") == nil
        else { return (members, "") }
        if let inner = only.value.objectMembers { return (inner, "inputs.") }
        guard face.signature.inputs.count == 1, let port = face.signature.inputs.first else {
            throw .invalid("inputs", "\"inputs\" is an object with \(face.signature.inputNames)")
        }
        return ([JSON.Member(port.name, only.value)], "")
    }

    /// As the nesting of the first values says; where others nest otherwise, their number will not fit.
    private static func shape(of value: JSON) -> [Int] {
        var shape: [Int] = []
        var value = value
        while let items = value.arrayValue, shape.count <= TensorLimits.rankMax {
            shape.append(items.count)
            guard let first = items.first else { break }
            value = first
        }
        return shape
    }

    // MARK: Out

    private func write(_ answer: ReadCall.Answer, isOneExample: Bool) throws(TaskFailure) -> TaskReply {
        var writer = JSONWriter(reservingBytes: 256)
        writer.beginObject()
        if face.isClassifier, let port = face.signature.outputs.first, let scores = answer.outputs[port.name],
            scores.element == .f32, let columns = scores.shape.last, columns > 0, scores.rank == 2
        {
            writer.labels(of: scores.array(), columns, isOneExample ? nil : scores.shape[0], face)
        }
        for port in face.signature.outputs {
            guard let tensor = answer.outputs[port.name] else {
                throw .model("the model gave no output \"\(port.name)\"")
            }
            writer.key(port.name)
            let isExample = isOneExample && tensor.shape.first == 1
            let shape = isExample ? Array(tensor.shape.dropFirst()) : tensor.shape
            var index = 0
            try write(JSONValues(tensor), shape[...], &index, &writer)
        }
        writer.endObject()
        return .json(writer.bytes)
    }

    private func write(
        _ values: JSONValues,
        _ shape: ArraySlice<Int>,
        _ index: inout Int,
        _ writer: inout JSONWriter
    ) throws(TaskFailure) {
        guard let size = shape.first else {
            try writer.value(values, index)
            index += 1
            return
        }
        writer.beginArray()
        for _ in 0..<size { try write(values, shape.dropFirst(), &index, &writer) }
        writer.endArray()
    }
}
