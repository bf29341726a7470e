import Graphs
import JSON

/// A query and documents in, `{"query": "…", "documents": ["…" or {"text": "…"}, …]}`, or pairs of texts,
/// `{"pairs": [["…", "…"], …]}`; their scores out, in the same order: `{"scores": [numbers]}`.
struct RankJSON {
    private static let expectation =
        #"{"query": string, "documents": array of strings}, or {"pairs": array of arrays of two strings}"#

    static func read(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        let request = try RequestBody(body, expecting: expectation)
        let pairs: [TextModel.Text]
        if let value = request["pairs"] {
            _ = try request.value("pairs", among: ["pairs"], expecting: expectation)
            pairs = try request.pairs(value, expecting: expectation)
        } else {
            let keys = ["query", "documents"]
            let query = try request.value("query", among: keys, expecting: expectation)
            let documents = try request.value("documents", among: keys, expecting: expectation)
            guard let query = query.stringValue else {
                throw .badInput("expected \(expectation); \"query\" is \(query.kindName)")
            }
            pairs = try RankedDocuments.texts(documents).map { .pair(query, $0) }
        }
        return ReadCall(.texts(pairs)) { (answer) throws(TaskFailure) in
            let scores = answer.outputs[TextModel.scoreName]?.array(of: Float.self) ?? []
            var writer = JSONWriter(reservingBytes: scores.count * 13 + 32)
            writer.beginObject()
            writer.key("scores")
            try writer.row(scores, from: 0, count: scores.count)
            writer.endObject()
            return .json(writer.bytes)
        }
    }
}

/// The documents of a request, each a text or an object that holds one.
enum RankedDocuments {
    static func texts(_ value: JSON) throws(TaskFailure) -> [String] {
        let path = "documents"
        guard let items = value.arrayValue else {
            throw .invalid(path, "\"documents\" is an array of texts, it is \(value.kindName)")
        }
        guard items.count <= TaskLimits.textsMax else {
            throw .invalid(path, "at most \(TaskLimits.textsMax) documents in one call, got \(items.count)")
        }
        var texts: [String] = []
        texts.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let text = item.stringValue ?? item["text"]?.stringValue else {
                throw .invalid(
                    "\(path).\(index)",
                    "a document is a string, or an object with a \"text\"; \"documents\"[\(index)] is \(item.kindName)"
                )
            }
            texts.append(text)
        }
        return texts
    }
}
