import Inference
import JSON
import Tokenizing

/// `{"text": "…"}` or `{"text": ["…", …]}` → `{"embeddings": [[numbers]…], "tokens": n}`.
struct EmbedTask {
    private static let expectation = #"{"text": string or array of strings}"#

    private let tokenizer: Tokenizer
    private let runner: PlanRunner
    private let tokensMax: Int

    init(tokenizer: Tokenizer, runner: PlanRunner, tokensMax: Int) throws(TaskError) {
        guard tokensMax > tokenizer.specialTokensCount else {
            throw .mismatch("tokensMax is \(tokensMax), which leaves no room for a text")
        }
        self.tokenizer = tokenizer
        self.runner = runner
        self.tokensMax = tokensMax
        runner.reserve(tokens: tokensMax, sequences: 1)
    }

    func run(_ body: [UInt8]) throws(TaskFailure) -> TaskReply {
        let texts = try Self.texts(body)
        let columns = runner.plan.values[runner.plan.output].columns
        var writer = JSONWriter(reservingBytes: texts.count * columns * 13 + 64)
        writer.beginObject()
        writer.key("embeddings")
        writer.beginArray()
        var slice = Slice()
        var tokens = 0
        for text in texts {
            let count = tokenizer.append(text, tokensMax: tokensMax, to: &slice.ids)
            slice.lengths.append(count)
            tokens += count
            if slice.ids.count >= TaskLimits.sliceTokensMax { try flush(&slice, columns, to: &writer) }
        }
        try flush(&slice, columns, to: &writer)
        writer.endArray()
        writer.key("tokens")
        writer.integer(tokens)
        writer.endObject()
        return .json(writer.bytes)
    }

    /// A sentence of one word: a table of words that is still to be decoded gives the rows of three.
    func warmUp() {
        let text = String(repeating: "a ", count: min(Self.warmUpWordsMax, tokensMax))
        _ = try? run(Array(#"{"text": "\#(text)"}"#.utf8))
    }

    /// The length of a usual query; what is longer finds the rest of the scratch untouched, a page every 4 KiB.
    private static let warmUpWordsMax = 16

    /// Texts that go through the model together.
    private struct Slice {
        var ids: [Int32] = []
        var lengths: [Int] = []
    }

    private func flush(_ slice: inout Slice, _ columns: Int, to writer: inout JSONWriter) throws(TaskFailure) {
        guard !slice.lengths.isEmpty else { return }
        let vectors: [Float]
        do throws(PlanError) {
            vectors = try runner.run(ids: slice.ids, sequenceLengths: slice.lengths)
        } catch {
            throw .model("\(error)")
        }
        for row in slice.lengths.indices {
            try writer.row(vectors, from: row * columns, count: columns)
        }
        slice.ids.removeAll(keepingCapacity: true)
        slice.lengths.removeAll(keepingCapacity: true)
    }

    private static func texts(_ body: [UInt8]) throws(TaskFailure) -> [String] {
        let value = try RequestBody(body, expecting: expectation).only("text", expecting: expectation)
        if let text = value.stringValue { return [text] }
        guard let items = value.arrayValue else {
            throw .badInput("expected \(expectation); \"text\" is \(value.kindName)")
        }
        guard items.count <= TaskLimits.textsMax else {
            throw .badInput("expected at most \(TaskLimits.textsMax) texts in one call, got \(items.count)")
        }
        var texts: [String] = []
        texts.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            guard let text = item.stringValue else {
                throw .badInput("expected \(expectation); \"text\"[\(index)] is \(item.kindName)")
            }
            texts.append(text)
        }
        return texts
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
