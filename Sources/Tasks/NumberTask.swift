import Inference
import JSON

/// Numbers through a plan: `classify` and `tensor`, one example or a batch of them.
///
/// | task | one example | a batch |
/// |---|---|---|
/// | classify | `{"<input>": [n numbers]}` → `{"label": l, "scores": […]}` | `{"<input>": [[…], …]}` → `{"labels": […], "scores": [[…], …]}` |
/// | tensor | `{"<input>": [n numbers]}` → `{"<output>": […]}` | `{"<input>": [[…], …]}` → `{"<output>": [[…], …]}` |
struct NumberTask {
    private let runner: PlanRunner
    private let isClassifier: Bool
    private let labels: [String]?
    private let inputColumns: Int
    private let outputColumns: Int

    init(runner: PlanRunner, isClassifier: Bool, labels: [String]?) throws(TaskError) {
        let plan = runner.plan
        guard let input = plan.input else {
            throw .mismatch("the model takes token ids, and the task numbers")
        }
        outputColumns = plan.values[plan.output].columns
        inputColumns = plan.values[input].columns
        if let labels, labels.count != outputColumns {
            throw .mismatch("the model has \(outputColumns) scores, and there are \(labels.count) labels")
        }
        self.runner = runner
        self.isClassifier = isClassifier
        self.labels = labels
        runner.reserve(tokens: 1, sequences: 1)
    }

    func run(_ body: [UInt8]) throws(TaskFailure) -> TaskReply {
        let (numbers, rows) = try examples(body)
        let scores: [Float]
        do throws(PlanError) {
            scores = try runner.run(input: numbers, rows: rows ?? 1)
        } catch {
            throw .model("\(error)")
        }
        var writer = JSONWriter(reservingBytes: scores.count * 13 + 64)
        writer.beginObject()
        if isClassifier {
            writer.key(rows == nil ? "label" : "labels")
            if rows != nil { writer.beginArray() }
            for row in 0..<(rows ?? 1) { writeLabel(of: scores, row: row, to: &writer) }
            if rows != nil { writer.endArray() }
        }
        writer.key(isClassifier ? "scores" : runner.plan.outputName)
        if rows != nil { writer.beginArray() }
        for row in 0..<(rows ?? 1) {
            try writer.row(scores, from: row * outputColumns, count: outputColumns)
        }
        if rows != nil { writer.endArray() }
        writer.endObject()
        return .json(writer.bytes)
    }

    /// One example of zeros.
    func warmUp() {
        var writer = JSONWriter(reservingBytes: 2 * inputColumns + 64)
        writer.beginObject()
        writer.key(runner.plan.inputName)
        writer.beginArray()
        for _ in 0..<inputColumns { writer.integer(0) }
        writer.endArray()
        writer.endObject()
        _ = try? run(writer.bytes)
    }

    private func writeLabel(of scores: [Float], row: Int, to writer: inout JSONWriter) {
        let range = row * outputColumns..<(row + 1) * outputColumns
        // The first of equals, as argmax does.
        let best = range.max { (scores[$0], $1) < (scores[$1], $0) } ?? range.lowerBound
        let label = best - range.lowerBound
        if let labels { writer.string(labels[label]) } else { writer.integer(label) }
    }

    private var expectation: String {
        #"{"\#(runner.plan.inputName)": \#(inputColumns) numbers, or an array of such}"#
    }

    /// - Returns: the numbers, and how many examples there are; nil where the caller sent one without a batch around it.
    private func examples(_ body: [UInt8]) throws(TaskFailure) -> (numbers: [Float], rows: Int?) {
        let name = runner.plan.inputName
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
