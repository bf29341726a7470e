import Graphs
import JSON

/// `POST /v1/embeddings` as OpenAI has it.
///
/// `{"input": string | [strings] | [ids] | [[ids]], "model", "encoding_format": "float" | "base64", "dimensions": n}` →
/// `{"object": "list", "data": [{"object": "embedding", "index", "embedding"}], "model", "usage"}`. Base64 holds the
/// little-endian floats. Keys that say nothing to us (`user`) are passed over, as OpenAI does.
struct OpenAIEmbeddings {
    private let embed: TextModel

    init(_ embed: TextModel) {
        self.embed = embed
    }

    func read(_ body: [UInt8]) throws(TaskFailure) -> ReadCall {
        let document = try JSON.parse(request: body.span)
        guard document.objectMembers != nil else {
            throw .malformed("expected an object with \"input\" and \"model\", got \(document.kindName)")
        }
        guard let input = document["input"] else { throw .missing("input", "\"input\" is missing") }
        let format = Format(
            model: document["model"]?.stringValue ?? "",
            isBase64: try Self.isBase64(document["encoding_format"]),
            dimensions: try dimensions(document["dimensions"]),
            columns: embed.columns
        )
        return ReadCall(.texts(try texts(input)), write: format.write)
    }

    private static func isBase64(_ value: JSON?) throws(TaskFailure) -> Bool {
        switch value {
        case nil, .null, .string("float"): return false
        case .string("base64"): return true
        default: throw .invalid("encoding_format", #""encoding_format" is "float" or "base64""#)
        }
    }

    private func dimensions(_ value: JSON?) throws(TaskFailure) -> Int {
        guard let value, value != .null else { return embed.columns }
        guard let count = value.integerValue, count >= 1, count <= embed.columns else {
            throw .invalid("dimensions", "\"dimensions\" is a number from 1 to \(embed.columns), which this model has")
        }
        return Int(count)
    }

    // MARK: Input

    private static let expectation = "\"input\" is a string, an array of strings, or an array of token ids or of such"

    private func texts(_ input: JSON) throws(TaskFailure) -> [TextModel.Text] {
        if let text = input.stringValue { return [.text(text)] }
        guard let items = input.arrayValue else {
            throw .invalid("input", "\(Self.expectation), not \(input.kindName)")
        }
        guard let first = items.first else { throw .invalid("input", "\"input\" is empty; \(Self.expectation)") }
        if first.integerValue != nil { return [.ids(try ids(items, path: "input"))] }
        guard items.count <= TaskLimits.textsMax else {
            throw .invalid("input", "at most \(TaskLimits.textsMax) texts in one call, got \(items.count)")
        }
        var texts: [TextModel.Text] = []
        texts.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            if let text = item.stringValue {
                texts.append(.text(text))
            } else if let list = item.arrayValue {
                texts.append(.ids(try ids(list, path: "input.\(index)")))
            } else {
                throw .invalid("input.\(index)", "\(Self.expectation); \"input\"[\(index)] is \(item.kindName)")
            }
        }
        return texts
    }

    private func ids(_ items: [JSON], path: String) throws(TaskFailure) -> [Int32] {
        guard (1...embed.tokensMax).contains(items.count) else {
            throw .invalid(
                path,
                "expected 1 to \(embed.tokensMax) token ids, which the model reads, got \(items.count)"
            )
        }
        var ids: [Int32] = []
        ids.reserveCapacity(items.count)
        for item in items {
            guard let id = item.integerValue, id >= 0, id < Int64(embed.vocabularyCount) else {
                throw .invalid(path, "a token id of this model is a number from 0 to \(embed.vocabularyCount - 1)")
            }
            ids.append(Int32(id))
        }
        return ids
    }
}

/// How the answer was asked for.
private struct Format {
    let model: String
    let isBase64: Bool
    /// Numbers of a vector that the caller gets, of `columns` that the model makes.
    let dimensions: Int
    let columns: Int

    func write(_ answer: ReadCall.Answer) throws(TaskFailure) -> TaskReply {
        let floats = answer.outputs[TextModel.embeddingName]?.array(of: Float.self) ?? []
        let numberBytes = isBase64 ? 6 : 13
        var writer = JSONWriter(reservingBytes: answer.tokenCounts.count * (dimensions * numberBytes + 64) + 128)
        writer.beginObject()
        writer.key("object")
        writer.string("list")
        writer.key("data")
        writer.beginArray()
        for row in answer.tokenCounts.indices {
            let vector = try shortened(floats[row * columns..<(row + 1) * columns])
            writer.beginObject()
            writer.key("object")
            writer.string("embedding")
            writer.key("index")
            writer.integer(row)
            writer.key("embedding")
            if isBase64 {
                writer.base64(of: vector)
            } else {
                try writer.row(vector, from: 0, count: vector.count)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.key("model")
        writer.string(model)
        writer.key("usage")
        writer.beginObject()
        let tokens = answer.tokenCounts.reduce(0, +)
        writer.key("prompt_tokens")
        writer.integer(tokens)
        writer.key("total_tokens")
        writer.integer(tokens)
        writer.endObject()
        writer.endObject()
        return .json(writer.bytes)
    }

    /// The first numbers of a vector, brought to length 1 again where some are left out.
    private func shortened(_ vector: ArraySlice<Float>) throws(TaskFailure) -> [Float] {
        guard vector.allSatisfy(\.isFinite) else {
            throw .model("the model answered what is no number")
        }
        guard dimensions < columns else { return Array(vector) }
        let part = vector.prefix(dimensions)
        let length = part.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? part.map { $0 / length } : Array(part)
    }
}

extension JSONWriter {
    /// The floats' little-endian bytes in base64.
    fileprivate mutating func base64(of vector: [Float]) {
        Tensor(vector, shape: [vector.count]).withElements(as: UInt8.self) { bytes in base64(of: bytes) }
    }
}
