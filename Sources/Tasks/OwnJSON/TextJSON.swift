import Graphs
import JSON

/// Texts in: `{"text": "…"}` or `{"text": ["…", …]}`, or `{"pairs": [["…", "…"], …]}` where the model classifies.
///
/// | the model | one text | an array |
/// |---|---|---|
/// | embeds | `{"embeddings": [[numbers]], "tokens": n}` | `{"embeddings": [[numbers], …], "tokens": n}` |
/// | classifies | `{"label": l, "scores": […]}` | `{"labels": […], "scores": [[…], …]}` |
///
/// Pairs are answered as an array of texts is.
struct TextJSON {
    private let columns: Int
    private let face: ModelFace

    init(_ columns: Int, _ face: ModelFace) {
        self.columns = columns
        self.face = face
    }

    private var expectation: String {
        let pairs = face.texts?.takesPairs == true ? #", or {"pairs": array of arrays of two strings}"# : ""
        return #"{"text": string or array of strings}"# + pairs
    }

    func read(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        let request = try RequestBody(body, expecting: expectation)
        let (texts, isArray): ([TextModel.Text], Bool)
        if let pairs = request["pairs"], face.texts?.takesPairs == true {
            _ = try request.only("pairs", expecting: expectation)
            (texts, isArray) = (try request.pairs(pairs, expecting: expectation), true)
        } else {
            let value = try request.only("text", expecting: expectation)
            let read = try request.texts(value, named: "text", expecting: expectation)
            (texts, isArray) = (read.texts.map { .text($0) }, read.isArray)
        }
        return ReadCall(.texts(texts)) { (answer) throws(TaskFailure) in
            var writer = JSONWriter(reservingBytes: texts.count * columns * 13 + 64)
            writer.beginObject()
            if face.isClassifier {
                let scores = answer.outputs[TextModel.scoresName]?.array(of: Float.self) ?? []
                writer.labels(of: scores, columns, isArray ? texts.count : nil, face)
                writer.key("scores")
                if isArray { writer.beginArray() }
                for row in texts.indices { try writer.row(scores, from: row * columns, count: columns) }
                if isArray { writer.endArray() }
            } else {
                writer.key("embeddings")
                writer.beginArray()
                let vectors = answer.outputs[TextModel.embeddingName]?.array(of: Float.self) ?? []
                for row in texts.indices { try writer.row(vectors, from: row * columns, count: columns) }
                writer.endArray()
                writer.key("tokens")
                writer.integer(answer.tokenCounts.reduce(0, +))
            }
            writer.endObject()
            return .json(writer.bytes)
        }
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
