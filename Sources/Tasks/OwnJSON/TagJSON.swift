import Graphs
import JSON

/// Texts in, entities out: `{"text": "…"}` or `{"text": ["…", …]}`, and `"aggregation"` where it is not to be simple.
///
/// | one text | an array |
/// |---|---|
/// | `{"entities": [{"entity_group", "score", "word", "start", "end"}]}` | `{"entities": [[…], …]}` |
///
/// As the pipeline of `transformers` answers, but that `word` is the text's own; without aggregation a token has
/// `entity` and `index` instead of `entity_group`. `start` and `end` count characters (Unicode scalars).
struct TagJSON {
    private let face: ModelFace

    init(_ face: ModelFace) {
        self.face = face
    }

    private static let aggregations = Aggregation.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    private static let expectation =
        #"{"text": string or array of strings, "aggregation": one of \#(aggregations)}"#

    func read(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        let request = try RequestBody(body, expecting: Self.expectation)
        let value = try request.value("text", among: ["text", "aggregation"], expecting: Self.expectation)
        var aggregation = Aggregation.simple
        if let word = request["aggregation"] {
            guard let known = word.stringValue.flatMap(Aggregation.init(rawValue:)) else {
                throw .badInput("\"aggregation\" is one of \(Self.aggregations)")
            }
            aggregation = known
        }
        let (texts, isArray) = try request.texts(value, named: "text", expecting: Self.expectation)
        return ReadCall(.texts(texts.map { .text($0) })) { [aggregation] (answer) throws(TaskFailure) in
            var writer = JSONWriter(reservingBytes: 256)
            writer.beginObject()
            writer.key("entities")
            if isArray { writer.beginArray() }
            for tagged in answer.tagged {
                writer.beginArray()
                for entity in tagged.entities(aggregation, labels: face.labels) {
                    try writer.entity(entity, of: tagged.text)
                }
                writer.endArray()
            }
            if isArray { writer.endArray() }
            writer.endObject()
            return .json(writer.bytes)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func entity(_ entity: Entity, of text: String) throws(TaskFailure) {
        beginObject()
        key(entity.index == nil ? "entity_group" : "entity")
        string(entity.label)
        key("score")
        try score(entity.score)
        if let index = entity.index {
            key("index")
            integer(index)
        }
        key("word")
        let scalars = text.unicodeScalars.dropFirst(entity.characters.lowerBound).prefix(entity.characters.count)
        string(String(scalars))
        key("start")
        integer(entity.characters.lowerBound)
        key("end")
        integer(entity.characters.upperBound)
        endObject()
    }

    /// A number of the model's; one that is none is its fault.
    mutating func score(_ score: Float) throws(TaskFailure) {
        do throws(JSONError) {
            try number(score)
        } catch {
            throw .model("the model answered \(score) where a number was due")
        }
    }
}
