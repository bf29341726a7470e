import Graphs
import JSON

/// Texts in: `{"text": "…"}` or `{"text": ["…", …]}`.
///
/// | the model | one text | an array |
/// |---|---|---|
/// | embeds | `{"embeddings": [[numbers]], "tokens": n}` | `{"embeddings": [[numbers], …], "tokens": n}` |
/// | classifies | `{"label": l, "scores": […]}` | `{"labels": […], "scores": [[…], …]}` |
struct EmbedJSON {
    private let columns: Int
    private let face: ModelFace

    init(_ columns: Int, _ face: ModelFace) {
        self.columns = columns
        self.face = face
    }

    private static let expectation = #"{"text": string or array of strings}"#

    func read(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        let (texts, isArray) = try Self.texts(body)
        return ReadCall(.texts(texts)) { (answer) throws(TaskFailure) in
            var writer = JSONWriter(reservingBytes: texts.count * columns * 13 + 64)
            writer.beginObject()
            if face.isClassifier {
                let scores = answer.outputs[EmbedModel.scoresName]?.array(of: Float.self) ?? []
                writer.labels(of: scores, columns, isArray ? texts.count : nil, face)
                writer.key("scores")
                if isArray { writer.beginArray() }
                for row in texts.indices { try writer.row(scores, from: row * columns, count: columns) }
                if isArray { writer.endArray() }
            } else {
                writer.key("embeddings")
                writer.beginArray()
                let vectors = answer.outputs[EmbedModel.outputName]?.array(of: Float.self) ?? []
                for row in texts.indices { try writer.row(vectors, from: row * columns, count: columns) }
                writer.endArray()
                writer.key("tokens")
                writer.integer(answer.tokenCounts.reduce(0, +))
            }
            writer.endObject()
            return .json(writer.bytes)
        }
    }

    private static func texts(_ body: [UInt8]) throws(TaskFailure) -> (texts: [EmbedModel.Text], isArray: Bool) {
        let value = try RequestBody(body, expecting: expectation).only("text", expecting: expectation)
        if let text = value.stringValue { return ([.text(text)], false) }
        guard let items = value.arrayValue else {
            throw .badInput("expected \(expectation); \"text\" is \(value.kindName)")
        }
        guard items.count <= TaskLimits.textsMax else {
            throw .badInput("expected at most \(TaskLimits.textsMax) texts in one call, got \(items.count)")
        }
        var texts: [EmbedModel.Text] = []
        texts.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let text = item.stringValue else {
                throw .badInput("expected \(expectation); \"text\"[\(index)] is \(item.kindName)")
            }
            texts.append(.text(text))
        }
        return (texts, true)
    }
}

extension JSONWriter {
    /// Writes a part of `numbers` as an array; one that is no number is the model's fault.
    mutating func row(_ numbers: [Float], from start: Int, count: Int) throws(TaskFailure) {
        beginArray()
        for index in start..<start + count {
            do throws(JSONError) {
                try number(numbers[index])
            } catch {
                throw .model("the model answered \(numbers[index]) where a number was due")
            }
        }
        endArray()
    }
}
