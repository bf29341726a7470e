import Graphs
import JSON

/// `POST /v1/rerank` as Jina and Cohere have it.
///
/// `{"model", "query", "documents": [strings or {"text"}], "top_n": n, "return_documents": bool}` →
/// `{"model", "results": [{"index", "relevance_score", "document": {"text"}}], "usage": {"total_tokens"}}`, best first.
/// Keys that say nothing to us are passed over, as both do.
struct Rerank {
    static func read(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        let document = try JSON.parse(request: body.span)
        guard document.objectMembers != nil else {
            throw .malformed("expected an object with \"query\" and \"documents\", got \(document.kindName)")
        }
        guard let query = document["query"] else { throw .missing("query", "\"query\" is missing") }
        guard let query = query.stringValue ?? query["text"]?.stringValue else {
            throw .invalid("query", "\"query\" is a string, it is \(query.kindName)")
        }
        guard let documents = document["documents"] else { throw .missing("documents", "\"documents\" is missing") }
        let texts = try RankedDocuments.texts(documents)
        guard !texts.isEmpty else { throw .invalid("documents", "\"documents\" is empty") }
        if let fields = document["rank_fields"], fields != .null {
            throw .invalid("rank_fields", "documents are ranked by their text; leave \"rank_fields\" out")
        }
        let reply = Reply(
            model: document["model"]?.stringValue ?? "",
            texts: texts,
            count: try count(document["top_n"], of: texts.count),
            returnsDocuments: try flag(document["return_documents"])
        )
        return ReadCall(.texts(texts.map { .pair(query, $0) }), write: reply.write)
    }

    private static func count(_ value: JSON?, of all: Int) throws(TaskFailure) -> Int {
        guard let value, value != .null else { return all }
        guard let count = value.integerValue, count >= 1 else {
            throw .invalid("top_n", "\"top_n\" is a number from 1")
        }
        return Int(min(count, Int64(all)))
    }

    private static func flag(_ value: JSON?) throws(TaskFailure) -> Bool {
        guard let value, value != .null else { return false }
        guard let flag = value.boolValue else {
            throw .invalid("return_documents", "\"return_documents\" is true or false")
        }
        return flag
    }
}

/// How the answer was asked for.
private struct Reply {
    let model: String
    let texts: [String]
    /// Documents that the caller gets.
    let count: Int
    let returnsDocuments: Bool

    func write(_ answer: ReadCall.Answer) throws(TaskFailure) -> TaskReply {
        let scores = answer.outputs[TextModel.scoreName]?.array(of: Float.self) ?? []
        guard scores.count == texts.count, scores.allSatisfy(\.isFinite) else {
            throw .model("the model answered what is no number")
        }
        // The first of equals stays first.
        let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        var writer = JSONWriter(reservingBytes: count * 64 + 128)
        writer.beginObject()
        writer.key("model")
        writer.string(model)
        writer.key("results")
        writer.beginArray()
        for index in order.prefix(count) {
            writer.beginObject()
            writer.key("index")
            writer.integer(index)
            writer.key("relevance_score")
            try writer.score(scores[index])
            if returnsDocuments {
                writer.key("document")
                writer.beginObject()
                writer.key("text")
                writer.string(texts[index])
                writer.endObject()
            }
            writer.endObject()
        }
        writer.endArray()
        writer.key("usage")
        writer.beginObject()
        writer.key("total_tokens")
        writer.integer(answer.tokenCounts.reduce(0, +))
        writer.endObject()
        writer.endObject()
        return .json(writer.bytes)
    }
}
